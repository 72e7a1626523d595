//! What one Python file defines and names. Not one line of it runs.

mod bytes;
mod calls;
mod names;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

/// One file, read.
#[derive(Debug, Default)]
pub struct Module {
    /// Where it lies in the release.
    pub path: String,
    /// As Python imports it: `tools.registry`.
    pub name: String,
    /// The module itself is the first one.
    pub scopes: Vec<Scope>,
    /// Tools that it registers.
    pub tools: Vec<Tool>,
    /// Texts by which something is looked up: an index, or an argument of a call.
    pub lookups: BTreeSet<String>,
    /// Every other text.
    pub texts: BTreeSet<String>,
    /// The modules that it imports.
    pub imports: BTreeSet<String>,
    /// What keeps this file from being judged by its text.
    pub troubles: Vec<String>,
}

/// A module, class or function, and what its own lines name. A lambda's lines are those of the
/// scope around it.
#[derive(Debug, Default)]
pub struct Scope {
    /// `ToolRegistry.dispatch`; empty for the module itself.
    pub name: String,
    pub kind: Kind,
    /// As they are written: `name`, `name=` with a default, `*`, `/`, `*args`, `**kwargs`.
    pub parameters: Vec<String>,
    pub is_async: bool,
    /// A class's bases.
    pub bases: Vec<String>,
    /// What is called, and how often. What no import and no definition of the file explains, so a
    /// local name or a built-in one, begins with `~`; what is no name at all is `?`.
    pub calls: BTreeMap<String, usize>,
    /// What is named and not called there: handed on, kept, compared.
    pub values: BTreeMap<String, usize>,
    /// Names of this module that it binds.
    pub binds: BTreeMap<String, usize>,
    /// Attributes of something that it sets.
    pub sets: BTreeMap<String, usize>,
    /// Texts that stand in it.
    pub texts: BTreeMap<String, usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Module,
    Class,
    Function,
}

/// A tool, where it is registered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tool {
    /// Empty where it is computed.
    pub name: String,
    /// Its handler, or what its handler's one expression calls.
    pub handlers: Vec<String>,
    /// In which scope it is registered.
    pub scope: usize,
}

/// Reads one file. What does not parse is among the troubles.
pub fn read(path: &str, text: &[u8]) -> Module {
    let (name, package) = module_name(path);
    let mut module = Module { path: path.to_owned(), name, ..Module::default() };
    module.troubles = bytes::troubles(text);
    match walk::parse(text) {
        Some(tree) => walk::walk(&mut module, &tree, text),
        None => module.troubles.push("the parser gives up on it".into()),
    }
    names::resolve(&mut module, package);
    module
}

/// The module's name, and whether it is a package's own file.
fn module_name(path: &str) -> (String, bool) {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    let package = stem.strip_suffix("/__init__");
    (package.unwrap_or(stem).replace('/', "."), package.is_some())
}
