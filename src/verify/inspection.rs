//! What was looked at, or why it could not be.

use crate::fault::Fault;
use serde::Deserialize;

/// An inspection: there is a finding, or a reason why there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspection<T> {
    Found(T),
    Error(String),
}

impl<T> Inspection<T> {
    /// # Errors
    /// Why there is no finding.
    pub fn found(&self) -> Result<&T, Fault> {
        match self {
            Self::Found(found) => Ok(found),
            Self::Error(why) => Err(Fault::new(why)),
        }
    }
}
