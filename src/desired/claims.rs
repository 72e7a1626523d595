//! What is claimed of a host, for `petasos verify` to attack.

use super::{Choice, egress};
use crate::addresses;
use crate::config::Settings;
use crate::config::lock::Lock;
use crate::playbook::Sources;
use crate::release::steps;
use crate::verify::{self, Claims};
use anyhow::Result;
use std::collections::BTreeSet;

/// The claims about a host. `full`: the attacks that lead out of the host are made as root too.
///
/// # Errors
/// When no release is pinned for it, or the names that the agent may reach cannot be told.
pub fn claims(choice: &Choice, lock: &Lock, sources: &Sources, full: bool) -> Result<Claims> {
    let Settings { admin, agent, network, .. } = &choice.settings;
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    let (sink, sink6) = addresses::sink(1);
    Ok(Claims {
        own_address: choice.target.host.parse::<core::net::IpAddr>().ok().map(|address| address.to_string()),
        ssh_port: network.ssh_port.map_or(22, std::num::NonZeroU16::get),
        inbound: network.inbound.clone(),
        admin: admin.user.to_string(),
        mode: network.egress.mode,
        enforce: network.egress.enforce,
        allowed: egress::names(&choice.settings, sources)?,
        here: [sink, sink6],
        proxy: addresses::PROXY_PORT,
        ask: addresses::RESOLVER_ADDR.to_owned(),
        platforms: agent.platforms.keys().map(|name| name.as_str().to_owned()).collect(),
        release: steps::dir(version, release),
        tree: release.tree.to_string(),
        full,
    })
}

/// The names that the attacks on a host speak of; none while no release is pinned, when there were
/// no attacks either.
pub fn names(choice: &Choice, lock: &Lock, sources: &Sources) -> BTreeSet<String> {
    [false, true]
        .into_iter()
        .filter_map(|full| claims(choice, lock, sources, full).ok())
        .flat_map(|claims| verify::names(&claims))
        .collect()
}
