//! Backups: one now, a second key to them, and what is done with them on the vault.

use super::told::called;
use super::{Job, RunError, Watch};
use crate::act::Text;
use crate::backup::Snapshot;
use crate::fault::Fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

const ALARM: &str = include_str!("../../remote/run/backup-alarm.py");
const NOW: &str = include_str!("../../remote/run/backup-now.py");
const KEY: &str = include_str!("../../remote/run/backup-key.py");
const VAULT: &str = include_str!("../../remote/run/vault.py");
const DOOR: &str = include_str!("../../remote/run/vault-door.py");
const REPOSITORY: &str = include_str!("../../remote/run/repository.py");

/// A first one of many gigabytes over a slow line.
pub(super) const LONG: Duration = Duration::from_secs(6 * 3600);
/// For a repository to be opened.
const OPENED: Duration = Duration::from_secs(600);

/// A host's repository on its vault, and what opens it.
#[derive(Debug, Clone)]
pub struct Repository {
    pub host: String,
    pub id: String,
    pub password: Text,
}

impl Repository {
    /// What the vault is asked to do with it.
    fn asked(&self, verb: &str, ids: &[&str]) -> Value {
        let Self { host, id, password } = self;
        json!({ "verb": verb, "host": host, "repository": id, "password": password.reveal(), "ids": ids })
    }
}

/// A host's own record of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// `good`, or what went wrong.
    pub outcome: String,
    #[serde(default)]
    pub why: String,
    /// When it began and ended, in seconds since the epoch by the host's clock.
    pub began: u64,
    pub ended: u64,
    #[serde(default)]
    pub snapshot: String,
    #[serde(default)]
    pub files: u64,
    /// Of the data, and of what was new of it.
    #[serde(default)]
    pub bytes: u64,
    #[serde(default)]
    pub added: u64,
    #[serde(default)]
    pub databases: u64,
    /// Of a drill: how many seconds the agent took until it was well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<f64>,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRun {
    /// None where it did not come so far.
    pub record: Option<BackupRecord>,
    /// The end of its log then.
    pub said: Vec<String>,
}

/// What came of a test of the alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmTest {
    /// Whether each way of it worked.
    pub told: bool,
    /// A line for each.
    pub said: Vec<String>,
}

impl BackupRun {
    pub fn good(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.outcome == "good")
    }
}

#[derive(Debug, Deserialize)]
struct Known {
    repository: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Added {
    repository: String,
}

/// A host's backups as the vault has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub snapshots: Vec<Snapshot>,
    /// Where below the store it is.
    pub folder: String,
    /// What was none of the repository and has been put aside.
    pub aside: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    pub said: Vec<String>,
    pub folder: String,
    pub aside: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Forgot {
    aside: Vec<String>,
}

impl Job {
    /// Makes a backup now.
    ///
    /// # Errors
    /// When the host cannot be asked; a backup that fails is no error.
    pub async fn backup_now(&self, watch: &Watch) -> Result<BackupRun, RunError> {
        let program = called(NOW, "main", "backup").map_err(|fault| self.host_error(fault))?;
        self.told_of_progress("backup", "no backup", program, LONG, watch).await
    }

    /// Restores the last good backup on the host, and starts an agent on it; what is there stays.
    ///
    /// # Errors
    /// When the host cannot be asked; a drill that fails is no error.
    pub async fn drill_now(&self, watch: &Watch) -> Result<BackupRun, RunError> {
        let program = called(NOW, "main", "drill").map_err(|fault| self.host_error(fault))?;
        self.told_of_progress("drill", "no drill", program, LONG, watch).await
    }

    /// Sends the evidence of an incident to the vault.
    ///
    /// # Errors
    /// When the host cannot be asked; that it does not arrive is no error.
    pub async fn send_evidence(&self, watch: &Watch) -> Result<BackupRun, RunError> {
        let program = called(NOW, "main", "incident").map_err(|fault| self.host_error(fault))?;
        self.told("evidence", "no evidence on the vault", program, LONG, watch).await
    }

    /// Tells people that this is a test.
    ///
    /// # Errors
    /// When the host cannot be asked, or has no alarm.
    pub async fn test_alarm(&self, watch: &Watch) -> Result<AlarmTest, RunError> {
        self.told("alarm", "no alarm", Text::open(ALARM), OPENED, watch).await
    }

    /// The id of the host's repository; none before its first backup.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn backup_repository(&self, watch: &Watch) -> Result<Option<String>, RunError> {
        let program = called(KEY, "known", "").map_err(|fault| self.host_error(fault))?;
        let known: Known = self.told("key", "no second key to its backups", program, OPENED, watch).await?;
        Ok(known.repository)
    }

    /// The same of a host that has had one.
    ///
    /// # Errors
    /// As for [`Job::backup_repository`], and when there was no backup yet.
    pub async fn first_backup(&self, watch: &Watch) -> Result<String, RunError> {
        let fault = || Fault::new("there was no backup yet").hint("`petasos up` makes the first");
        self.backup_repository(watch).await?.ok_or_else(|| self.host_error(fault()))
    }

    /// Lets a password of the operator's open the host's repository too; returns the repository's
    /// id.
    ///
    /// # Errors
    /// When the host cannot be asked, or has no repository.
    pub async fn add_backup_key(&self, password: &Text, watch: &Watch) -> Result<String, RunError> {
        let program = called(KEY, "add", password.reveal()).map_err(|fault| self.host_error(fault))?;
        let added: Added = self.told("key", "no second key to its backups", program, OPENED, watch).await?;
        Ok(added.repository)
    }

    /// Of a vault: a host's backups.
    ///
    /// # Errors
    /// When the vault cannot be asked, or the password does not open this repository there.
    pub async fn backups_of(&self, repository: &Repository, watch: &Watch) -> Result<Listing, RunError> {
        self.asked(repository.asked("list", &[]), OPENED, watch).await
    }

    /// Of a vault: reads all that it has of a host, and compares it with its names.
    ///
    /// # Errors
    /// As for [`Job::backups_of`], and when something is damaged.
    pub async fn check_backups_of(&self, repository: &Repository, watch: &Watch) -> Result<Checked, RunError> {
        self.asked(repository.asked("check", &[]), LONG, watch).await
    }

    /// Of a vault: takes backups of a host's away for good; returns what was put aside.
    ///
    /// # Errors
    /// As for [`Job::backups_of`].
    pub async fn forget_backups_of(
        &self,
        repository: &Repository,
        ids: &[&str],
        watch: &Watch,
    ) -> Result<Vec<String>, RunError> {
        let forgot: Forgot = self.asked(repository.asked("forget", ids), LONG, watch).await?;
        Ok(forgot.aside)
    }

    /// Of a vault: lets a key in to a folder of its store for some hours, or that of before no
    /// more.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn restore_door(&self, key_and_folder: Option<(&str, &str)>, watch: &Watch) -> Result<(), RunError> {
        let (key, folder) = key_and_folder.unwrap_or_default();
        let asked = json!({ "open": key_and_folder.is_some(), "key": key, "folder": folder });
        let program = called(DOOR, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        let _: Value = self.told("door", "the vault's door", program, OPENED, watch).await?;
        Ok(())
    }

    /// Of a host whose backups are where Petasos has no login: what its own key shows of them.
    ///
    /// # Errors
    /// When the host cannot be asked, or its repository does not open.
    pub async fn own_backups(&self, watch: &Watch) -> Result<Listing, RunError> {
        self.asked_of_host("list", OPENED, watch).await
    }

    /// The same: reads all of them, and compares it with its names.
    ///
    /// # Errors
    /// As for [`Job::own_backups`], and when something is damaged.
    pub async fn check_own_backups(&self, watch: &Watch) -> Result<Checked, RunError> {
        self.asked_of_host("check", LONG, watch).await
    }

    async fn asked_of_host<T: DeserializeOwned>(
        &self,
        verb: &str,
        patience: Duration,
        watch: &Watch,
    ) -> Result<T, RunError> {
        let asked = json!({ "verb": verb }).to_string();
        let program = called(REPOSITORY, "main", &asked).map_err(|fault| self.host_error(fault))?;
        self.told("repository", "its backups", program, patience, watch).await
    }

    async fn asked<T: DeserializeOwned>(&self, asked: Value, patience: Duration, watch: &Watch) -> Result<T, RunError> {
        let program = called(VAULT, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        self.told("vault", "the vault's backups", program, patience, watch).await
    }
}
