//! A backup that comes back to a host.

use super::backup::LONG;
use super::told::called;
use super::{Job, RunError, Watch};
use crate::act::Text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const RESTORE: &str = include_str!("../../remote/run/restore.py");

/// Which key a restore comes in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RestoreKey {
    /// One for this restore alone.
    New,
    /// That of a try before, which somebody has let in by hand.
    Kept,
    /// The host's own.
    Own,
}

/// What a restore is to fetch.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub password: &'a Text,
    /// An id, or `newest` by what backups say of themselves.
    pub snapshot: &'a str,
    /// As restic names it; empty where the key, or the host's own settings, say it.
    pub repository: &'a str,
    /// Whether the key stays for another try.
    pub kept: bool,
}

/// A restore that may begin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// The public part of the key that it comes in by.
    pub key: String,
    /// The id of the host's own repository; none before its first backup.
    pub repository: Option<String>,
}

/// What has arrived on the host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    pub databases: u64,
    pub snapshot: String,
}

/// Data that came back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// How many seconds the agent took until it was well.
    pub healthy: f64,
    /// Where what was there before is now.
    pub aside: String,
}

impl Job {
    /// A key for a restore to this host.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn begin_restore(&self, key: RestoreKey, watch: &Watch) -> Result<Begun, RunError> {
        self.restoring(&json!({ "step": "begin", "key": key }), watch).await
    }

    /// Fetches a snapshot, and compares its databases.
    ///
    /// # Errors
    /// When it does not arrive, or is not what was backed up.
    pub async fn fetch_backup(&self, what: &Wanted<'_>, watch: &Watch) -> Result<Fetched, RunError> {
        let Wanted { password, snapshot, repository, kept } = what;
        let asked = json!({ "step": "fetch", "password": password.reveal(), "snapshot": snapshot, "repository": repository, "kept": kept });
        let program = called(RESTORE, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        self.told_of_progress("restore", "the restore", program, LONG, watch).await
    }

    /// Puts it in the place of the agent's data, and starts the agent on it.
    ///
    /// # Errors
    /// When there is no room, or the agent does not answer.
    pub async fn put_backup(&self, watch: &Watch) -> Result<Put, RunError> {
        self.restoring(&json!({ "step": "put" }), watch).await
    }

    /// Leaves no copy behind, and the key for another try.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn pause_restore(&self, watch: &Watch) -> Result<(), RunError> {
        let _: Value = self.restoring(&json!({ "step": "end", "keep": true }), watch).await?;
        Ok(())
    }

    /// Leaves nothing of it behind.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn end_restore(&self, watch: &Watch) -> Result<(), RunError> {
        let _: Value = self.restoring(&json!({ "step": "end", "keep": false }), watch).await?;
        Ok(())
    }

    async fn restoring<T: DeserializeOwned>(&self, asked: &Value, watch: &Watch) -> Result<T, RunError> {
        let program = called(RESTORE, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        self.told("restore", "the restore", program, LONG, watch).await
    }
}
