//! What a resource declares of itself beside its judgement: what its changes alter on the host, and
//! what they need there.

use crate::act::Act;
use serde::Serialize;
use std::collections::BTreeSet;

/// What changes alter on a host. All of it is kept before they are made, so that `petasos undo` and
/// the guard can bring it back. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Touches {
    /// Each alone; those below /proc/sys are kernel parameters.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub paths: BTreeSet<String>,
    /// Each with all below it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub trees: BTreeSet<String>,
    /// Units that are enabled, disabled, started or stopped.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub units: BTreeSet<String>,
}

impl Touches {
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.insert(path.into());
        self
    }

    pub fn tree(mut self, path: impl Into<String>) -> Self {
        self.trees.insert(path.into());
        self
    }

    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.units.insert(unit.into());
        self
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.trees.is_empty() && self.units.is_empty()
    }

    /// With what acts say themselves; what a command alters, only its resource knows.
    pub fn and_acts(mut self, acts: &[Act]) -> Self {
        self.paths.extend(acts.iter().filter_map(|act| match act {
            Act::Put(put) => Some(put.path.to_string()),
            Act::Remove(path) => Some(path.to_string()),
            Act::Run { .. } | Act::Sh { .. } => None,
        }));
        self
    }

    /// Whether a path is among them.
    pub fn covers(&self, path: &str) -> bool {
        self.paths.contains(path) || self.trees.iter().any(|tree| is_below(path, tree))
    }
}

/// Whether a path is a directory, or something below it.
pub fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The room that changes need in a directory, in mebibytes, at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub directory: &'static str,
    pub mebibytes: u64,
}
