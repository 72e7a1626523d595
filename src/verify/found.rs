//! What root saw of the host's limits and of its doors: parts of the driver's answer.

use super::inspection::Inspection;
use super::nullable::nullable;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Connections that never log in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knocks {
    /// Of one address, and how many of them were greeted.
    pub tried: usize,
    pub greeted: usize,
    /// Whether another address was greeted then.
    pub another: bool,
}

pub type Offer = BTreeMap<String, Vec<String>>;

/// Of the running agent's unit: as systemd says, and as the kernel does; none where it counts none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitLimits {
    pub memory: String,
    pub tasks: String,
    #[serde(deserialize_with = "nullable")]
    pub kernel_memory: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub kernel_tasks: Option<String>,
}

/// What the kernel keeps of connections.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Of the agent's; none where the filter has no limit.
    #[serde(deserialize_with = "nullable")]
    pub most: Option<u64>,
    /// Of all; none where this kernel does not say.
    #[serde(deserialize_with = "nullable")]
    pub room: Option<u64>,
}

/// What of /proc/PID another process of the agent's unit may open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Of the agent's own process.
    pub agent: Vec<String>,
    /// Of one that hides nothing.
    pub neighbour: Vec<String>,
}

/// Where the host's secrets lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundSecrets {
    /// How many there are to look for.
    pub known: usize,
    /// Names and places beside their own file.
    pub elsewhere: Vec<String>,
}

/// Of the host's backups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundBackup {
    #[serde(deserialize_with = "nullable")]
    pub last: Option<Record>,
    #[serde(deserialize_with = "nullable")]
    pub good: Option<Record>,
    /// Of the last good one, in seconds.
    #[serde(deserialize_with = "nullable")]
    pub age: Option<i64>,
    /// `active enabled`.
    pub timer: String,
    /// What restic says to a wrong password; nothing where it opens the repository.
    pub wrong_password: Inspection<String>,
    /// The digest of a file out of the last good snapshot.
    pub restored: Inspection<String>,
    pub erased: Inspection<Erased>,
}

/// What whoever keeps the backups lets the host take away.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// `vault`, `ssh`, `sftp` or `s3`.
    pub kind: String,
    /// Of rclone: how it answers who takes a snapshot away, and a lock, neither of which is there.
    pub answers: [Option<String>; 2],
    /// What else the host's key opens there.
    pub beside: Vec<String>,
    /// The mode of a bucket's default retention, and its days; none where it is not locked.
    pub mode: String,
    pub days: u64,
    /// Whether the host's key may delete versions of a bucket's objects.
    pub versions: bool,
}

/// A run's own record.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    pub outcome: String,
    #[serde(default)]
    pub why: String,
    #[serde(default)]
    pub snapshot: String,
    /// The digest of the file that [`FoundBackup::restored`] is of.
    #[serde(default)]
    pub report: String,
}

/// Of the host's drills.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundDrill {
    #[serde(deserialize_with = "nullable")]
    pub last: Option<Record>,
    /// Of the last good one, in seconds.
    #[serde(deserialize_with = "nullable")]
    pub age: Option<i64>,
    /// `active enabled`.
    pub timer: String,
}

/// Of what an incident takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundIncident {
    pub trial: Trial,
    /// Of units as they are loaded: `PATH`, or `!PATH`.
    pub conditions: BTreeMap<String, Vec<String>>,
    /// Whether one is open.
    pub open: bool,
}

/// Which connections got through: without the quarantine's rules, and with them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    pub open: BTreeMap<String, bool>,
    pub closed: BTreeMap<String, bool>,
}

/// Of a vault's own looks at what it keeps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundVault {
    /// Of the last look, in seconds.
    pub age: i64,
    /// Whether each host's newest backup is stale.
    pub hosts: BTreeMap<String, bool>,
    pub wrong: Vec<String>,
    /// What systemd says of the last scrub.
    pub scrub: String,
    /// Whether there was one since the vault's last start.
    pub scrubbed: bool,
    pub scrub_said: Vec<String>,
}
