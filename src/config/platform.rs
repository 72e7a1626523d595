//! The messaging platforms, and who may talk to the agent there.

use super::rate::{self, Rate};
use super::switch;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformName {
    Telegram,
    Discord,
    Slack,
}

impl PlatformName {
    /// What each needs stands in `playbooks/data/packs.yaml`.
    pub const ALL: [Self; 3] = [Self::Discord, Self::Slack, Self::Telegram];

    /// As petasos.yaml has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Discord => "discord",
            Self::Slack => "slack",
        }
    }
}

/// A messaging platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformSettings {
    /// The platform's numbers or names of those who may talk to the agent; nobody else gets an
    /// answer.
    #[serde(default)]
    pub allowed_users: Vec<UserId>,
    /// The messages of one user.
    #[serde(default = "rate::usual", deserialize_with = "switch::read")]
    pub rate_limit: Option<Rate>,
}

/// A user of a platform: Telegram and Discord have numbers, Slack has words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a user's number or name is expected here (such as `4242`)")]
pub enum UserId {
    Number(u64),
    Name(String),
}

impl std::fmt::Display for UserId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}
