//! What the driver on the host is to try, and what it is to inspect.

use super::Claims;
use super::call::Call;
use super::tool_calls::{self, ToolCall};
use crate::config::settings::Role;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct AttackSpec {
    pub attacks: Vec<Attempt>,
    pub proofs: Vec<Proof>,
    pub inspect: Inspect,
}

/// By the agent.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    pub id: String,
    pub call: Call,
}

/// A positive control.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    pub id: String,
    pub by: Actor,
    pub call: Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Agent,
    Root,
}

/// What root inspects.
#[derive(Debug, Clone, Serialize)]
pub struct Inspect {
    /// None on a host without an agent.
    unit: Option<&'static str>,
    account: &'static str,
    /// The administrator first.
    ssh_users: [String; 2],
    ssh_port: u16,
    release: String,
    /// What the release's own Python is asked about its packages.
    packages: &'static str,
    /// The two ends of the network in which the quarantine is tried.
    quarantine: [&'static str; 2],
    helpers: Vec<&'static str>,
    /// Units that write to the journal what the agent makes them.
    driven: Vec<&'static str>,
    files: [&'static str; 3],
    tool_calls: Vec<ToolCall>,
}

const PACKAGES: &str = include_str!("../../remote/verify/packages.py");

const QUARANTINE: [&str; 2] =
    [include_str!("../../remote/verify/quarantine.py"), include_str!("../../remote/verify/outside.py")];

impl AttackSpec {
    pub fn new(claims: &Claims, attacks: Vec<Attempt>, proofs: Vec<Proof>) -> Self {
        Self {
            attacks,
            proofs,
            inspect: Inspect {
                unit: (claims.role == Role::Agent).then_some("hermes.service"),
                account: "hermes",
                ssh_users: [claims.admin.clone(), "root".to_owned()],
                ssh_port: claims.ssh_port,
                release: claims.release.clone(),
                packages: PACKAGES,
                quarantine: QUARANTINE,
                helpers: helpers(claims),
                driven: driven(claims),
                tool_calls: tool_calls::table(claims).into_iter().map(|row| row.call).collect(),
                files: ["/etc/hermes", "/etc/hermes/config.yaml", "/etc/hermes/.env"],
            },
        }
    }
}

fn helpers(claims: &Claims) -> Vec<&'static str> {
    if claims.role == Role::Vault {
        return Vec::new();
    }
    let all = ["petasos-egress.service", "petasos-resolver.service", "petasos-proxy.service"];
    if claims.by_name() { all.to_vec() } else { all[..1].to_vec() }
}

fn driven(claims: &Claims) -> Vec<&'static str> {
    if claims.role == Role::Vault {
        return Vec::new();
    }
    let all = ["hermes.service", "petasos-resolver.service", "petasos-proxy.service"];
    if claims.by_name() { all.to_vec() } else { all[..1].to_vec() }
}
