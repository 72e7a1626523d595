//! The structural check of a release: whether the policy finds its choke points in this source, and
//! whether anything leads around them that no reviewed release has. Pure: it is given texts.
//!
//! It reads syntax and no types: what a name stands for is known as far as the file itself says it.
//! So it names too much rather than too little, and what it cannot see (a method reached through a
//! computed name, a dependency's own code) it names as such where that is new.

mod census;
mod chokes;
mod difference;
mod patterns;
pub mod python;
mod settings;
mod table;

pub use census::{Census, Site};
pub use difference::{Difference, What};
pub use table::Table;

use python::Module;

/// Whether the census looks at a file of the release at all.
pub fn in_scope(table: &Table, path: &str) -> bool {
    !is_apart(table, path)
}

/// In a folder at the root that the agent does not import from, or among anybody's tests.
fn is_apart(table: &Table, words: &str) -> bool {
    let mut words = words.split(['/', '.']);
    let first = words.next().unwrap_or_default();
    table.apart.iter().any(|folder| folder == first) || words.any(|word| word == "tests")
}

/// What keeps this source from being compatible; nothing, if it is.
pub fn differences(table: &Table, reviewed: &Census, modules: &[Module], others: &[Other]) -> Vec<Difference> {
    let mut found = others.iter().filter_map(|other| stray(table, other)).collect::<Vec<_>>();
    for module in modules {
        let trouble = |what: &String| Difference::new(&module.path, What::Unreadable(what.clone()));
        found.extend(module.troubles.iter().map(trouble));
    }
    found.extend(chokes::differences(table, modules));
    found.extend(settings::differences(table, modules));
    found.extend(census::differences(table, reviewed, &Census::of(table, modules)));
    found.extend(apart(table, modules));
    found.sort();
    found.dedup();
    found
}

/// What lies in a release and is no Python source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    pub path: String,
    /// A link, or another repository.
    pub is_link: bool,
}

/// What Python loads, or reads elsewhere, without being one of the sources.
fn stray(table: &Table, other: &Other) -> Option<Difference> {
    let Other { path, is_link } = other;
    let compiled = [".so", ".pyd", ".pyc", ".pyo", ".pth", ".egg", ".pyx"].iter().any(|end| path.ends_with(end));
    let why = match (compiled, is_link) {
        (_, true) if path.ends_with(".py") => "it is a link",
        (true, _) => "it is code and no source",
        _ => return None,
    };
    in_scope(table, path).then(|| Difference::new(path, What::Unreadable(why.into())))
}

/// Imports of what the census leaves out, and files that Python runs before anything else.
fn apart(table: &Table, modules: &[Module]) -> Vec<Difference> {
    let mut found = Vec::new();
    for module in modules {
        let outside = module.imports.iter().filter(|name| is_apart(table, name));
        found.extend(outside.map(|name| Difference::new(&module.path, What::Apart(name.clone()))));
        if ["sitecustomize.py", "usercustomize.py"].contains(&module.path.as_str()) {
            found.push(Difference::new(&module.path, What::Unreadable("Python runs it before the policy".into())));
        }
    }
    found
}
