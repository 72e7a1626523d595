//! What is wrong with a key of petasos.yaml although its value alone is sound: shown where it
//! stands, once it is known for which host it was read.

use crate::fault::Fault;
use crate::yaml::Step;
use std::fmt;

/// A fault, and the key that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault {
    pub path: Vec<Step>,
    pub fault: Fault,
}

impl KeyFault {
    /// The key by its names, from the outermost on: `["agent", "provider"]`.
    pub fn of(keys: &[&str], fault: Fault) -> Self {
        Self { path: keys.iter().map(|key| Step::Key((*key).to_owned())).collect(), fault }
    }

    /// An entry of the key's list.
    pub fn entry(mut self, at: usize) -> Self {
        self.path.push(Step::At(at));
        self
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(out)
    }
}

impl std::error::Error for KeyFault {}
