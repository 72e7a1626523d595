//! Backups, as far as they can be told from data: which are kept, and which go.

pub mod retention;

use serde::{Deserialize, Serialize};

/// One of the store's, as the vault lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Restic's id, 64 hexadecimal digits.
    pub id: String,
    /// When it was made, in seconds since the epoch: the host's own word.
    pub made: i64,
    /// When it arrived, by the vault's file system: nobody but the vault can say that.
    pub arrived: i64,
    /// The host that it says it is of.
    pub host: String,
    pub tags: Vec<String>,
    /// How many bytes were restored from it, where restic noted that (0.17 and later).
    pub bytes: Option<u64>,
}

impl Snapshot {
    /// As people name it.
    pub fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}
