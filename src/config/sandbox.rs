//! `agent.sandbox`: where commands run, and what they may take.

use super::egress::Allowed;
use super::quantity::{Seconds, Size};
use crate::name::PackageName;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`off` or a mapping of its keys")]
pub struct Sandbox {
    #[serde(default)]
    pub network: SandboxNetwork,
    /// The names that commands may reach, with `network: names`.
    #[serde(default)]
    pub allow: Vec<Allowed>,
    /// How long a command may take.
    #[serde(default = "three_minutes")]
    pub timeout: Seconds,
    #[serde(default = "a_gigabyte", deserialize_with = "enough")]
    pub memory: Size,
    #[serde(default = "processes")]
    pub processes: NonZeroU32,
    /// The largest file that a command may write.
    #[serde(default = "half_a_gigabyte")]
    pub file_size: Size,
    /// Of the distribution, beside python3 and git.
    #[serde(default = "packages")]
    pub packages: Vec<PackageName>,
}

/// With less, python3 and git do not even start: every command would be killed.
const LEAST_MEMORY: &str = "64M";

fn enough<'de, D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
    let memory = Size::deserialize(from)?;
    let why = |text: &str| format!("a sandbox with `{text}` of memory runs nothing");
    memory.at_least(LEAST_MEMORY, why).map_err(D::Error::custom)?;
    Ok(memory)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxNetwork {
    /// Not even loopback of the host.
    #[default]
    None,
    /// HTTPS to the names that are allowed for it, where the agent asks for it.
    Names,
}

#[expect(clippy::unwrap_used, reason = "a constant that satisfies the check of its type")]
fn checked<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}
fn three_minutes() -> Seconds {
    checked(180.into())
}
fn a_gigabyte() -> Size {
    checked("1G".into())
}
fn half_a_gigabyte() -> Size {
    checked("512M".into())
}
fn processes() -> NonZeroU32 {
    checked(128.into())
}
fn packages() -> Vec<PackageName> {
    checked(serde_json::json!(["ripgrep"]))
}
