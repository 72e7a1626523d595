//! What the driver on the host answers. It is ours: a field that it leaves out, or that is not
//! here, is an error.

use super::claims::Rates;
pub use super::found::{
    Beside, Erased, FoundBackup, FoundDrill, FoundIncident, FoundSecrets, FoundVault, Knocks, Offer, Records,
    UnitLimits,
};
pub use super::inspection::Inspection;
use super::nullable::nullable;
use super::report::AttackOutcome;
use crate::audit::chain::Walk;
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The driver's one line of JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub agent: Runs,
    pub root: Runs,
    /// How the attacks' unit compares with the agent's.
    pub same: Inspection<Same>,
    pub inspected: Inspected,
    pub survivors: Survivors,
    /// What the proxy noted meanwhile.
    pub proxied: Inspection<Vec<Proxied>>,
    pub seconds: f64,
}

impl Answer {
    /// # Errors
    /// When it is no answer of the driver's.
    pub fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| Fault::new(error.to_string()).at("the probe's answer"))
    }
}

/// What one user's attacks came to, and what else was printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    pub runs: Vec<AttackRun>,
    pub complaints: String,
}

/// One attack or control, and what came of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackRun {
    pub id: String,
    pub outcome: AttackOutcome,
    pub detail: String,
    pub seconds: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Same {
    /// The settings in the unit's files.
    pub keys: usize,
    /// The properties that systemd showed for them.
    pub compared: usize,
    /// The agent's, and that of the attacks.
    pub differ: BTreeMap<String, (String, String)>,
}

/// One connection, by the proxy's own log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxied {
    /// As the client sent it.
    pub name: String,
    /// Where the proxy went.
    pub to: String,
}

/// Daemons that outlived the run that started them.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivors {
    pub root: usize,
    pub agent: usize,
}

/// What root saw.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspected {
    pub processes: Inspection<Vec<Process>>,
    pub unit: Inspection<UnitProperties>,
    pub account: Inspection<AgentAccount>,
    /// The last line of `systemd-analyze security`.
    pub security: Inspection<Vec<String>>,
    /// `sshd -T`, by user and key.
    pub sshd: Inspection<BTreeMap<String, BTreeMap<String, String>>>,
    pub doors: Inspection<String>,
    pub open_doors: Inspection<String>,
    pub knocks: Inspection<Knocks>,
    /// The algorithms that sshd takes, by what they are for; and those of one that takes more.
    pub offer: Inspection<Offer>,
    pub open_offer: Inspection<Offer>,
    pub listeners: Inspection<Vec<Listener>>,
    pub limits: Inspection<UnitLimits>,
    pub records: Inspection<Records>,
    /// Lines, and the microseconds that they are counted over, by unit.
    pub log_limits: Inspection<BTreeMap<String, (u64, u64)>>,
    pub beside: Inspection<Beside>,
    pub secrets: Inspection<FoundSecrets>,
    /// How many timed jobs would run a script.
    pub scripts: Inspection<usize>,
    /// Of the agent's data, in bytes; none where it has all of the host's.
    pub room: Inspection<Option<u64>>,
    pub ufw: Inspection<String>,
    pub release: Inspection<FoundRelease>,
    /// None for a file that is not there.
    pub files: Inspection<BTreeMap<String, Option<Access>>>,
    pub upgrades: Inspection<Upgrades>,
    pub policy: Inspection<Running>,
    /// In the order of the tool calls that were asked about.
    pub verdicts: Inspection<Vec<Verdict>>,
    pub chain: Inspection<Chain>,
    pub log: Inspection<AuditLog>,
    pub helpers: Inspection<BTreeMap<String, String>>,
    pub data: Inspection<AgentData>,
    pub backup: Inspection<FoundBackup>,
    pub drill: Inspection<FoundDrill>,
    /// How long backups are kept, as a colleague reads it.
    pub notice: Inspection<Option<String>>,
    pub vault: Inspection<FoundVault>,
    pub incident: Inspection<FoundIncident>,
}

/// Of the agent's data directory, as root found it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentData {
    /// Places over which nothing of root's lies in the agent's unit.
    pub uncovered: Vec<String>,
    /// Places at which something lies, beneath or uncovered.
    pub planted: Vec<String>,
    /// Addresses of the agent's logins that are not the provider's.
    pub elsewhere: Vec<String>,
}

/// As /proc has it, line by line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Process {
    pub name: String,
    pub uid: String,
    pub gid: String,
    pub groups: String,
    pub no_new_privs: String,
    pub seccomp: String,
    pub cap_eff: String,
    pub cap_bnd: String,
}

/// As `systemctl show` has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UnitProperties {
    pub active_state: String,
    pub user: String,
    pub group: String,
    pub drop_in_paths: String,
    pub need_daemon_reload: String,
    pub fragment_path: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentAccount {
    pub uid: u32,
    pub shell: String,
    pub group: String,
    pub groups: Vec<String>,
    pub password: String,
    pub sudo: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub protocol: String,
    pub address: String,
    pub port: u16,
    pub program: String,
    pub user: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundRelease {
    pub current: String,
    /// None where the current release is not the pinned one.
    #[serde(deserialize_with = "nullable")]
    pub contents: Option<Contents>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    pub files: usize,
    pub tree: String,
    pub extra: Vec<String>,
    pub packages: Inspection<Packages>,
    pub loose: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    pub packages: usize,
    pub files: usize,
    pub changed: Vec<String>,
    pub other: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    pub owner: String,
    /// In octal.
    pub mode: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrades {
    pub settings: BTreeMap<String, String>,
    pub origins: usize,
    pub timers: BTreeMap<String, String>,
    pub installed: String,
    pub reboot: bool,
    pub clock: String,
    pub container: bool,
    pub journal: bool,
}

/// The agent's main process, and the policy that it runs under.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// 0 where it does not run.
    pub pid: u32,
    pub argv: Vec<String>,
    pub seccomp: String,
    /// Of /etc/hermes/policy.json.
    pub digest: String,
    pub rate: Rates,
    /// None where that process has none in the audit log.
    #[serde(deserialize_with = "nullable")]
    pub record: Option<PolicyRecord>,
    /// What its self-test was refused.
    pub denials: Vec<Denial>,
}

/// What a process said when it put the policy in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRecord {
    pub release: String,
    /// The digest of the file.
    pub policy: String,
    pub mode: String,
    pub sandbox: bool,
    /// The promises that it tried, and that hold.
    pub selftest: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    pub seq: u64,
    pub time: String,
    pub tool: String,
    pub reason: String,
    pub rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub verdict: String,
    pub rule: String,
}

/// The newest lines of the audit log, and what the journal has on record of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    pub walk: Walk,
    pub journal: Vec<Told>,
    /// Of the first of these lines, in seconds.
    pub age: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub seq: u64,
    pub told: String,
    #[serde(deserialize_with = "nullable")]
    pub is: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLog {
    pub files: BTreeMap<String, Option<Access>>,
    /// What the agent's user may do with it, and root.
    pub agent: Vec<String>,
    pub root: Vec<String>,
}
