//! `agent.approvals`: what the agent may run unasked, and what nobody may.

use super::quantity::Seconds;
use super::rules::{Allow, Deny};
use super::tools::{self, Tool};
use serde::{Deserialize, Serialize};

/// What the agent may run without asking.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    #[serde(default)]
    pub mode: ApprovalMode,
    /// How long a person may take to answer; silence is a no.
    #[serde(default = "a_minute")]
    pub timeout: Seconds,
    /// Patterns of commands that never run, whoever asks.
    #[serde(default = "never")]
    pub deny: Vec<Deny>,
    /// With `allowlist`: the commands that run.
    #[serde(default)]
    pub allow: Vec<Allow>,
    /// With `allowlist`: what becomes of the others.
    #[serde(default)]
    pub unlisted: Unlisted,
    /// With `allowlist`: what becomes of several commands in one.
    #[serde(default)]
    pub compound: Compound,
    /// With `allowlist`: the tools that the agent has.
    #[serde(default = "tools::by_default")]
    pub tools: Vec<Tool>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// A person decides on every dangerous command.
    #[default]
    Manual,
    /// The agent's own model decides on what looks harmless.
    Smart,
    /// Only what is listed runs.
    Allowlist,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    #[default]
    Refuse,
    /// A person decides.
    Ask,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compound {
    #[default]
    Refuse,
    /// Each of them must be listed.
    Each,
}

/// The keys that count with `allowlist` alone.
pub const OF_ALLOWLIST: [&str; 4] = ["allow", "compound", "tools", "unlisted"];

#[expect(clippy::unwrap_used, reason = "constants that satisfy the checks of their types")]
fn a_minute() -> Seconds {
    serde_json::from_value(60.into()).unwrap()
}
fn never() -> Vec<Deny> {
    ["sudo *", "su *", "*/etc/shadow*", "*/proc/*/environ*", "*.ssh/*", "rm -rf /*", "mkfs*", "dd *of=/dev/*"]
        .into_iter()
        .filter_map(|rule| Deny::try_from(rule.to_owned()).ok())
        .collect()
}
