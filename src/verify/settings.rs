//! The agent's settings, as its own code has them in its own unit: what three controls inspect.

use super::answer::Access;
use super::call::Call;
use super::evidence::Evidence;
use super::nullable::nullable;
use super::report::{AttackOutcome, Check};
use super::spec::Attempt;
use crate::fault::Fault;
use core::fmt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// What the release's own Python is asked.
const QUESTION: &str = include_str!("../../remote/verify/settings.py");
const ID: &str = "settings";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// How many keys the managed scope has, and which of them are not in force.
    pub keys: usize,
    pub not_in_force: Vec<String>,
    pub env: usize,
    pub env_not_in_force: Vec<String>,
    pub mode: Setting,
    pub cron_mode: Setting,
    pub timeout: Setting,
    /// None where the agent has no list, or would read it letter by letter.
    #[serde(deserialize_with = "nullable")]
    pub deny: Option<usize>,
    pub always_allowed: usize,
    pub redact: Setting,
    #[serde(deserialize_with = "nullable")]
    pub redact_env: Option<String>,
    pub strangers: Setting,
    pub allow_all: Vec<String>,
    pub users: BTreeMap<String, usize>,
}

/// The value of a setting, as the agent's own code has read it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    Unset,
    Switch(bool),
    Count(u64),
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

impl Setting {
    pub fn is(&self, text: &str) -> bool {
        matches!(self, Self::Text(own) if own == text)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => out.write_str("null"),
            Self::Switch(on) => on.fmt(out),
            Self::Count(number) => number.fmt(out),
            Self::Number(number) => number.fmt(out),
            Self::Text(text) => write!(out, "{text:?}"),
            Self::Other(_) => out.write_str("neither a text nor a number"),
        }
    }
}

/// For the driver: the answer comes with those of the attacks.
pub fn attempt() -> Attempt {
    let call = Call::Scope { python: "/opt/hermes/current/venv/bin/python", question: QUESTION };
    Attempt { id: ID.to_owned(), call }
}

/// # Errors
/// Why they could not be observed.
pub fn of(evidence: &Evidence) -> Result<AgentSettings, Fault> {
    let run = evidence.by_agent(ID);
    match run.outcome {
        AttackOutcome::Allowed => {
            serde_json::from_str(&run.detail).map_err(|error| Fault::new(error.to_string()).at("the agent's settings"))
        }
        _ => Err(Fault::new(format!("the agent's own code gave no answer: {}", run.detail))),
    }
}

/// Whether a policy is in force whatever the agent's own settings say.
pub fn in_force(evidence: &Evidence) -> Check {
    let found = of(evidence).map(|settings| {
        let other: Vec<&str> =
            settings.not_in_force.iter().chain(&settings.env_not_in_force).map(String::as_str).collect();
        match (settings.keys, other.is_empty()) {
            (0, _) => (false, "the agent reads no managed settings at all".to_owned()),
            (keys, true) => (true, format!("{keys} settings and {} variables, all in force", settings.env)),
            (_, false) => (false, format!("not in force: {}", other.join(", "))),
        }
    });
    super::attack::inspection(
        "settings.in_force",
        "the policy in /etc/hermes is in force, according to the agent's own code",
        found,
    )
}

/// Whether the policy's files are for the agent to read only. Others may pass through the folder,
/// as the audit writer does, and read neither it nor the files.
pub fn locked(evidence: &Evidence) -> Check {
    const CLOSED: [&str; 3] = ["40", "50", "51"];
    let found = evidence.inspected().files.found().map(|files| {
        let loose = |(path, access): (&String, &Option<Access>)| match access {
            Some(Access { owner, mode }) if owner == "root" && CLOSED.iter().any(|end| mode.ends_with(end)) => None,
            Some(Access { owner, mode }) => Some(format!("{path} is {owner} {mode}")),
            None => Some(format!("{path} is not there")),
        };
        let bad: Vec<String> = files.iter().filter_map(loose).collect();
        if bad.is_empty() { (true, "owned by root, closed to others".to_owned()) } else { (false, bad.join("; ")) }
    });
    super::attack::inspection("settings.locked", "the files of the policy", found)
}
