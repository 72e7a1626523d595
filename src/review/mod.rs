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
    let top = path.split('/').next().unwrap_or_default();
    !table.apart.iter().any(|folder| folder == top)
}

/// What keeps this source from being compatible; nothing, if it is.
pub fn differences(table: &Table, reviewed: &Census, modules: &[Module], others: &[String]) -> Vec<Difference> {
    let mut found = others.iter().filter_map(|path| stray(table, path)).collect::<Vec<_>>();
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

/// A file that Python runs or loads without being one of its sources.
fn stray(table: &Table, path: &str) -> Option<Difference> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let loaded = [".so", ".pyd", ".pyc", ".pyo", ".pth", ".egg", ".pyx"].iter().any(|end| name.ends_with(end));
    (in_scope(table, path) && loaded).then(|| Difference::new(path, What::Unreadable("it is code and no source".into())))
}

/// Imports of what the census leaves out, and files that Python runs before anything else.
fn apart(table: &Table, modules: &[Module]) -> Vec<Difference> {
    let mut found = Vec::new();
    for module in modules {
        let outside = |import: &&String| {
            let top = import.split('.').next().unwrap_or_default();
            table.apart.iter().any(|folder| folder == top)
        };
        found.extend(
            module.imports.iter().filter(outside).map(|name| Difference::new(&module.path, What::Apart(name.clone()))),
        );
        if ["sitecustomize.py", "usercustomize.py"].contains(&module.path.as_str()) {
            found.push(Difference::new(&module.path, What::Unreadable("Python runs it before the policy".into())));
        }
    }
    found
}
