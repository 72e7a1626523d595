//! What is claimed of one host: what of petasos.yaml and petasos.lock the controls speak of.

use super::nullable::nullable;
use crate::config::backup::Keep;
use crate::config::egress::Allowed;
use crate::config::network::EgressMode;
use crate::config::settings::{Role, SshAlgorithms};
use crate::name::Service;
use core::net::IpAddr;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct Claims {
    /// What the host is for: one without an agent has fewer controls.
    pub role: Role,
    /// The host's, as the operator reaches it, where it is a number and not a name.
    pub own_address: Option<IpAddr>,
    pub ssh_port: u16,
    pub inbound: Vec<Service>,
    pub admin: String,
    pub mode: EgressMode,
    /// Whether names that are not allowed are refused, or allowed and logged.
    pub enforce: bool,
    pub allowed: Vec<Allowed>,
    /// What our resolver answers for an allowed name, and where the proxy and the resolver listen
    /// on loopback.
    pub sink: [IpAddr; 2],
    pub proxy: u16,
    /// Whether the proxy is to refuse an Encrypted Client Hello: where the host's nginx can see
    /// one.
    pub sees_hello: bool,
    /// Whom the agent asks for names.
    pub resolver_addr: IpAddr,
    /// The messaging platforms that are on.
    pub platforms: Vec<String>,
    /// Where the pinned release lies, and the id of its tree.
    pub release: String,
    pub tree: String,
    /// What the agent's unit may have, in bytes where petasos.yaml says it as a number of them.
    pub memory: Option<u64>,
    pub tasks: u32,
    /// The room for its data, in bytes, where that is limited.
    pub disk: Option<u64>,
    /// Where its backups go.
    pub vault: Option<Vault>,
    /// What sshd may offer.
    pub ssh_algorithms: SshAlgorithms,
    /// What the agent's own process enforces.
    pub policy: Policy,
    /// Whether the outward attacks are made as root too: only where every address is the operator's
    /// own.
    pub full: bool,
}

/// As the host dials it.
#[derive(Debug, Clone, Copy)]
pub struct Vault {
    /// None where it is a name.
    pub address: Option<IpAddr>,
    pub port: u16,
    /// Whether it is one, whose keys the host has.
    pub bucket: bool,
    pub keep: Keep,
}

/// What of policy.json the controls speak of, as petasos.yaml has it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Policy {
    pub approve: Approve,
    pub rate: Rates,
    pub sandbox: Sandbox,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Approve {
    pub mode: String,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub unlisted: String,
    pub compound: String,
    pub tools: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Sandbox {
    pub enabled: bool,
    pub network: String,
}

/// None is no limit. The host's own are read into it, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    pub platforms: BTreeMap<String, Option<Limit>>,
    #[serde(deserialize_with = "nullable")]
    pub default: Option<Limit>,
    #[serde(deserialize_with = "nullable")]
    pub webhook_route: Option<Limit>,
    #[serde(deserialize_with = "nullable")]
    pub model_calls: Option<Limit>,
    pub reply: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub count: u32,
    pub seconds: u32,
}

impl Claims {
    /// A name that the agent may reach by HTTPS: the provider's or the user's before those that
    /// every agent has.
    pub fn allowed_name(&self) -> Option<&str> {
        let exact =
            || self.allowed.iter().filter(|name| name.port.is_none() && !name.below).map(|name| name.name.as_str());
        exact().find(|name| !name.contains("github")).or_else(|| exact().next())
    }

    /// A name that it may not reach, but that exists: where nothing stands in the way, somebody
    /// answers. In full mode the lab's.
    pub fn foreign_name(&self) -> &'static str {
        let (lab, elsewhere) = (["foreign.example.net"], ["example.com", "example.org", "example.net"]);
        let foreign = if self.full { &lab[..] } else { &elsewhere[..] };
        let free = |name: &&&str| !self.allowed.iter().any(|allowed| allowed.covers(name));
        foreign.iter().find(free).copied().unwrap_or("www.iana.org")
    }

    /// Whether the proxy is to let a name out: a host's name, and on the list.
    pub fn lets_out(&self, name: &str) -> bool {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        plain && (!self.enforce || self.allowed.iter().any(|allowed| allowed.covers(&name)))
    }

    pub fn by_name(&self) -> bool {
        self.mode == EgressMode::Names
    }

    pub fn filtered(&self) -> bool {
        self.mode != EgressMode::Open
    }
}
