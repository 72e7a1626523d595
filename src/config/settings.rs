//! What one host should be, by section: the types that petasos.yaml is read into, and their
//! defaults.

use super::alarm::Alarm;
use super::approvals::Approvals;
use super::backup::Backup;
use super::network::{Egress, Network};
use super::platform::{PlatformName, PlatformSettings};
use super::quantity::{self, Size};
use super::rate::RateLimits;
use super::redact::Redact;
use super::sandbox::Sandbox;
use super::switch;
use crate::fault::Fault;
use crate::name::{Account, EnvName, byte_count};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What one host should be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default)]
    pub role: Role,
    #[serde(default)]
    pub admin: Admin,
    #[serde(default)]
    pub agent: Agent,
    #[serde(default)]
    pub network: Network,
    #[serde(default)]
    pub ssh: Ssh,
    #[serde(default)]
    pub guard: Guard,
    /// None where nothing is backed up.
    #[serde(default, deserialize_with = "switch::read")]
    pub backup: Option<Backup>,
}

impl Settings {
    /// Who is told when a backup fails; a vault tells of those that it keeps.
    pub fn alarm(&self) -> Option<&Alarm> {
        self.backup.as_ref()?.alarm.as_ref()
    }
}

/// What a host is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It runs the Hermes Agent.
    #[default]
    Agent,
    /// It keeps the backups of the others, and runs no agent.
    Vault,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Agent, Self::Vault];

    /// As petasos.yaml has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Vault => "vault",
        }
    }
}

/// Who administers the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Logs in by key and becomes root with sudo.
    #[serde(default = "ops", deserialize_with = "administrator")]
    pub user: Account,
    /// Public keys, or files of them; by default those that root accepts today.
    #[serde(default)]
    pub authorized_keys: Vec<String>,
}

/// The agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    #[serde(default = "openrouter")]
    pub provider: String,
    #[serde(default = "model", deserialize_with = "quantity::name")]
    pub model: String,
    /// The provider's address, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default)]
    pub platforms: BTreeMap<PlatformName, PlatformSettings>,
    #[serde(default)]
    pub approvals: Approvals,
    /// Where commands run; none where they run as the agent's own processes.
    #[serde(default = "sandboxed", deserialize_with = "switch::read")]
    pub sandbox: Option<Sandbox>,
    #[serde(default)]
    pub redact: Redact,
    #[serde(default)]
    pub rate_limits: RateLimits,
    /// Names of secrets that must be there: the values come from the environment of petasos or from
    /// secrets.yaml.age, or stay as the host has them.
    #[serde(default)]
    pub secrets: Vec<EnvName>,
    #[serde(default)]
    pub limits: Limits,
}

/// What the agent may take of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// `MemoryMax=` of systemd.
    #[serde(default = "memory", deserialize_with = "memory_limit")]
    pub memory: String,
    /// `TasksMax=`.
    #[serde(default = "tasks", deserialize_with = "quantity::some")]
    pub tasks: u32,
    /// `CPUQuota=`.
    #[serde(default = "cpu", deserialize_with = "cpu_limit")]
    pub cpu: String,
    /// What its data may take of the disk; none where nothing limits it.
    #[serde(default = "disk", deserialize_with = "room")]
    pub disk: Option<Size>,
}

/// How people log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    #[serde(default)]
    pub algorithms: SshAlgorithms,
    /// The ssh configuration of this machine by which petasos reaches the host (`ssh -F`).
    #[serde(default, skip_serializing, deserialize_with = "quantity::name_if_any")]
    pub config: Option<String>,
}

/// Which algorithms sshd offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SshAlgorithms {
    /// Keys are agreed on in ways that withstand quantum computers, and in no others: for clients
    /// of OpenSSH 9.0 or later.
    #[default]
    Strict,
    /// The usual ones beside them, for older clients and other programs.
    Compatible,
}

/// How changes that may lock people out are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// How long the host waits for a fresh login to confirm such a change, in seconds; then it
    /// rolls the change back.
    #[serde(default = "a_minute", rename = "confirm_timeout", deserialize_with = "time_to_confirm")]
    pub confirm_timeout_secs: u32,
}

fn administrator<'de, D: Deserializer<'de>>(from: D) -> Result<Account, D::Error> {
    let user = Account::deserialize(from)?;
    let why = match user.as_str() {
        "root" => Some("its own login is closed"),
        // Those that the playbooks make for their own services.
        name if matches!(name, "hermes" | "nobody") || name.starts_with("petasos-") => {
            Some("it is there for something else")
        }
        _ => None,
    };
    if let Some(why) = why {
        let fault = Fault::new(format!("`{user}` cannot be the administrator: {why}"));
        return Err(D::Error::custom(
            fault.hint("name another user, who becomes root with sudo; the default is `ops`"),
        ));
    }
    Ok(user)
}

/// Of what systemd takes: bytes with their unit, a part of the host's, or no limit.
fn memory_limit<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = quantity::written(from)?;
    // With less, not even Python starts.
    let bytes = byte_count(&text).or_else(|| text.parse().ok());
    if bytes >= byte_count(LEAST_MEMORY) || percentage(&text, 100) || text == "infinity" {
        return Ok(text);
    }
    let fault = Fault::new(format!("`{text}` is no amount of memory"));
    Err(D::Error::custom(
        fault.hint("write it with its unit (`512M`, `2G`), as a part of the host's (`50%`), or `infinity`"),
    ))
}

fn cpu_limit<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if percentage(&text, u32::MAX) {
        return Ok(text);
    }
    let fault = Fault::new(format!("`{text}` is no share of a processor"));
    Err(D::Error::custom(fault.hint("write percent of one processor: `200%` are two")))
}

fn percentage(text: &str, most: u32) -> bool {
    let number = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse().ok()).is_some_and(|number| (1..=most).contains(&number))
}

/// In less than this no login over a slow line is in time, and each change would be rolled back;
/// and for no more than an hour may a bad change lock people out.
const TIME_TO_CONFIRM: std::ops::RangeInclusive<u32> = 10..=3600;

fn time_to_confirm<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let seconds = u32::deserialize(from)?;
    if TIME_TO_CONFIRM.contains(&seconds) {
        return Ok(seconds);
    }
    let (least, most) = (TIME_TO_CONFIRM.start(), TIME_TO_CONFIRM.end());
    let fault = Fault::new(format!("`{seconds}` seconds are no time to confirm a guarded change in"));
    Err(D::Error::custom(fault.hint(format!("write a number from {least} to {most}; the default is 60"))))
}

#[expect(clippy::unreachable, reason = "`ops` satisfies the check of the type")]
fn ops() -> Account {
    Account::new("ops").unwrap_or_else(|_| unreachable!("`ops` is an account's name"))
}
fn openrouter() -> String {
    "openrouter".into()
}
fn model() -> String {
    "nousresearch/hermes-4-405b".into()
}
fn sandboxed() -> Option<Sandbox> {
    Some(Sandbox::default())
}
fn a_minute() -> u32 {
    60
}
fn memory() -> String {
    "2G".into()
}
fn tasks() -> u32 {
    512
}
fn cpu() -> String {
    "200%".into()
}
fn disk() -> Option<Size> {
    serde_json::from_value("4G".into()).ok()
}

/// With less, the agent's own data bases have no room.
const LEAST_DISK: &str = "64M";
const LEAST_MEMORY: &str = "64M";

fn room<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Size>, D::Error> {
    let disk: Option<Size> = switch::read(from)?;
    if let Some(size) = &disk {
        let why = |text: &str| format!("a disk of `{text}` holds none of the agent's data");
        size.at_least(LEAST_DISK, why).map_err(D::Error::custom)?;
    }
    Ok(disk)
}

/// A struct whose fields all have defaults is one itself.
macro_rules! all_defaults {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                // An empty map satisfies a type whose fields all have defaults.
                serde_json::from_value(Value::Object(Default::default()))
                    .unwrap_or_else(|error| unreachable!("every field of {} has a default: {error}", stringify!($name)))
            }
        }
    )*};
}
all_defaults!(Admin, Agent, Approvals, Sandbox, Redact, RateLimits, Limits, Network, Egress, Ssh, Guard);
