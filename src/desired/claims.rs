//! What is claimed of a host, for `petasos verify` to attack.

use super::{Choice, backup, egress, policy};
use crate::addresses;
use crate::config::lock::LockFile;
use crate::config::network::EgressMode;
use crate::config::quantity::Size;
use crate::config::settings::Role;
use crate::config::{Config, Settings};
use crate::playbook::Sources;
use crate::release::steps;
use crate::verify::{self, Claims, claims::Policy};
use anyhow::Result;
use std::collections::BTreeSet;

/// The claims about a host. `full`: the attacks that lead out of the host are made as root too.
///
/// # Errors
/// When no release is pinned for it, or the names that the agent may reach cannot be told.
pub fn claims(choice: &Choice, config: &Config, lock: &LockFile, sources: &Sources, full: bool) -> Result<Claims> {
    let Settings { role, admin, agent, network, .. } = &choice.settings;
    let (sink, sink6) = addresses::sink(1);
    let host = Claims {
        role: *role,
        own_address: choice.target.host.parse().ok(),
        ssh_port: network.ssh_port.map_or(22, std::num::NonZeroU16::get),
        inbound: network.inbound.clone(),
        admin: admin.user.to_string(),
        mode: network.egress.mode,
        enforce: network.egress.enforce,
        allowed: Vec::new(),
        sink: [sink.parse()?, sink6.parse()?],
        proxy: addresses::PROXY_PORT,
        sees_hello: true,
        resolver_addr: addresses::RESOLVER_ADDR.parse()?,
        platforms: agent.platforms.keys().map(|name| name.as_str().to_owned()).collect(),
        release: String::new(),
        tree: String::new(),
        memory: serde_json::from_value::<Size>(agent.limits.memory.as_str().into()).ok().map(|size| size.bytes()),
        tasks: agent.limits.tasks,
        disk: agent.limits.disk.as_ref().map(Size::bytes),
        vault: backup::vault(choice, config, lock)?,
        ssh_algorithms: choice.settings.ssh.algorithms,
        policy: Policy::default(),
        full,
    };
    match role {
        Role::Agent => of_agent(host, choice, lock, sources),
        Role::Vault => Ok(host),
    }
}

/// What only a host with an agent claims.
fn of_agent(host: Claims, choice: &Choice, lock: &LockFile, sources: &Sources) -> Result<Claims> {
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    let allowed = match host.mode {
        EgressMode::Names => egress::names(&choice.settings, sources)?,
        EgressMode::Ports | EgressMode::Open => Vec::new(),
    };
    let policy = serde_json::from_value(policy::policy(&choice.settings, sources, version, release)?)?;
    Ok(Claims { policy, allowed, release: steps::dir(version, release), tree: release.tree.to_string(), ..host })
}

/// The names that the attacks on a host speak of; none while no release is pinned, when there were
/// no attacks either.
pub fn names(choice: &Choice, config: &Config, lock: &LockFile, sources: &Sources) -> BTreeSet<String> {
    [false, true]
        .into_iter()
        .filter_map(|full| claims(choice, config, lock, sources, full).ok())
        .flat_map(|claims| verify::names(&claims))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const LOCK: &str = include_str!("../../tests/petasos.lock");

    /// Of a host whose provider has no names that we know.
    fn of_unknown_provider(mode: &str) -> Result<Claims> {
        let yaml = format!(
            "hosts:\n  web: {{ address: root@203.0.113.7 }}\nagent: {{ provider: nobody-knows }}\nnetwork: {{ egress: {{ mode: {mode} }} }}\n"
        );
        let config = Config::read("petasos.yaml", &yaml).unwrap();
        let lock = LockFile::parse(LOCK, Path::new("petasos.lock")).unwrap();
        claims(&Choice::of(&config, "web").unwrap(), &config, &lock, &Sources::embedded(), false)
    }

    #[test]
    fn only_egress_by_name_needs_the_names_of_the_provider() {
        for mode in ["ports", "open"] {
            assert!(of_unknown_provider(mode).unwrap().allowed.is_empty());
        }
        assert!(of_unknown_provider("names").is_err());
    }
}
