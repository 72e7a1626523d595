//! One thing that is not as in the reviewed releases, in words.

use serde::Serialize;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The file that it is about.
    pub path: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The text cannot be judged.
    Unreadable(String),
    /// It imports what the check does not read.
    Apart(String),
    /// What the policy needs is not there: its name, and what for.
    Missing { name: String, holds: String },
    /// Its parameters are not those that the policy relies on.
    Parameters { name: String, wanted: String, found: String },
    /// Something else has the name of a choke point.
    Again { name: String, place: String },
    /// A function that went through a choke point and no longer does.
    Unwired { function: String, name: String },
    /// A way that no reviewed release has.
    Way { says: String, function: String, name: String, more: bool, sandboxed: bool },
    /// A setting or variable that nothing reads.
    Unread { name: String, is: &'static str },
}

impl Difference {
    pub fn new(path: &str, what: What) -> Self {
        Self { path: path.to_owned(), what }
    }

    /// A module that the policy stands on is not there.
    pub fn gone(module: &str) -> Self {
        let holds = "the policy stands on it".to_owned();
        Self::new(&format!("{}.py", module.replace('.', "/")), What::Missing { name: module.to_owned(), holds })
    }

    /// Path and words, in one line.
    pub fn line(&self) -> String {
        if self.path.is_empty() { self.to_string() } else { format!("{}: {self}", self.path) }
    }

    /// Whether nothing can come of it while commands run in the sandbox.
    pub fn is_sandboxed(&self) -> bool {
        matches!(self.what, What::Way { sandboxed: true, .. })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |function: &str| if function.is_empty() { "the module".into() } else { format!("`{function}`") };
        match &self.what {
            What::Unreadable(why) => write!(out, "{why}"),
            What::Apart(name) => write!(out, "imports `{name}`, which this check does not read"),
            What::Missing { name, holds } => write!(out, "`{name}` is not there: {holds}"),
            What::Parameters { name, wanted, found } => write!(out, "`{name}` takes ({found}), not ({wanted})"),
            What::Again { name, place } => write!(out, "`{name}` is defined or bound again, in {}", of(place)),
            What::Unwired { function, name } => write!(out, "{} no longer calls `{name}`", of(function)),
            What::Way { says, function, name, more, .. } => {
                let often = if *more { " once more" } else { "" };
                write!(out, "{} {says}{often}: `{}`", of(function), plain(name))
            }
            What::Unread { name, is } => write!(out, "nothing reads the {is} `{name}`"),
        }
    }
}

/// As it stands in the source, more or less.
fn plain(name: &str) -> String {
    let name = name.replace("(computed)", "…");
    match name.split_once('|') {
        Some(("import", module)) => format!("import_module({module})"),
        Some(("*", module)) => format!("from {module} import *"),
        _ => name.trim_start_matches('~').to_owned(),
    }
}

impl Serialize for Difference {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("what", &self.to_string())?;
        map.end()
    }
}
