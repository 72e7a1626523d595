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
                write!(out, "{} {says}{often}: `{}`", of(function), name.trim_start_matches('~'))
            }
            What::Unread { name, is } => write!(out, "nothing reads the {is} `{name}`"),
        }
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
