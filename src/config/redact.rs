//! `agent.redact`: what more than the built-in families is taken out of what the agent reads, sends
//! and records.

use super::pattern::Pattern;
use crate::fault::Fault;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redact {
    #[serde(default)]
    pub patterns: Vec<Pattern>,
    #[serde(default)]
    pub replacement: Replacement,
}

/// What stands in a secret's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Replacement(String);

impl Default for Replacement {
    fn default() -> Self {
        Self("[REDACTED]".to_owned())
    }
}

impl TryFrom<String> for Replacement {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        if text.is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
            return Err(Fault::new(format!(
                "`{}` cannot stand in a secret's place: it must be 1 to 64 characters on one line",
                text.escape_debug()
            ))
            .hint("write a word such as `[REDACTED]`, which is the default"));
        }
        Ok(Self(text))
    }
}

impl From<Replacement> for String {
    fn from(replacement: Replacement) -> String {
        replacement.0
    }
}
