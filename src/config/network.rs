//! The section `network`: what may come in and go out.

use super::egress::Allowed;
use crate::name::Service;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

/// What may come in and go out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The port that SSH moves to; left out, it stays where it is.
    #[serde(default)]
    pub ssh_port: Option<NonZeroU16>,
    /// Open to everybody, beside SSH.
    #[serde(default)]
    pub inbound: Vec<Service>,
    #[serde(default)]
    pub egress: Egress,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    #[serde(default)]
    pub mode: EgressMode,
    /// Packs of names, beside what comes with the provider and the platforms.
    #[serde(default = "github")]
    pub packs: Vec<String>,
    /// Beside all these.
    #[serde(default)]
    pub allow: Vec<Allowed>,
    /// Whether other names are refused, or allowed and logged.
    #[serde(default = "yes")]
    pub enforce: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressMode {
    /// The agent's user reaches the names that it needs, by HTTPS, and nothing else.
    #[default]
    Names,
    /// The agent's user reaches tcp/443 and DNS, nothing else.
    Ports,
    /// No filter of Petasos's.
    Open,
}

fn yes() -> bool {
    true
}
fn github() -> Vec<String> {
    vec!["github".into()]
}
