//! The agent's settings, as its own code has them in its own unit: what three controls ask of.

use super::evidence::Evidence;
use super::report::{AttackOutcome, Check};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the release's own Python is asked.
pub const QUESTION: &str = include_str!("../../remote/verify/settings.py");
const ID: &str = "settings";

#[derive(Debug, Clone, Deserialize)]
pub struct AgentSettings {
    /// How many keys the managed scope has, and which of them are not in force.
    pub keys: usize,
    pub not_in_force: Vec<String>,
    pub env: usize,
    pub env_not_in_force: Vec<String>,
    pub mode: Value,
    pub cron_mode: Value,
    pub timeout: Value,
    /// None where the agent has no list, or would read it letter by letter.
    pub deny: Option<usize>,
    pub always_allowed: usize,
    pub redact: Value,
    pub redact_env: Option<String>,
    pub strangers: Value,
    pub allow_all: Vec<String>,
    pub users: BTreeMap<String, usize>,
}

/// For the driver: the answer comes with those of the attacks.
pub fn spec() -> Value {
    json!({ "id": ID, "call": ["scope", "/opt/hermes/current/venv/bin/python"] })
}

/// # Errors
/// Why they could not be told.
pub fn of(evidence: &Evidence) -> Result<AgentSettings, String> {
    let run = evidence.by_agent(ID);
    match run.outcome {
        AttackOutcome::Allowed => {
            serde_json::from_str(&run.detail).map_err(|error| format!("the agent's settings: {error}"))
        }
        _ => Err(format!("the agent's own code did not tell: {}", run.detail)),
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
    super::attack::inspection("settings.in_force", "the policy of /etc/hermes wins, by the agent's own word", found)
}

/// Whether the policy's files are for the agent to read only.
pub fn locked(evidence: &Evidence) -> Check {
    let found = evidence.inspected("files", |found| &found.files).map(|files| {
        let loose = |(path, access): (&String, &String)| match access.rsplit_once(' ') {
            Some(("root", mode)) if mode.ends_with("40") || mode.ends_with("50") => None,
            _ => Some(format!("{path} is {}", if access.is_empty() { "not there" } else { access })),
        };
        let bad: Vec<String> = files.iter().filter_map(loose).collect();
        if bad.is_empty() { (true, "root's own, and closed to others".to_owned()) } else { (false, bad.join("; ")) }
    });
    super::attack::inspection("settings.locked", "the files of the policy", found)
}
