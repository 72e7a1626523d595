//! The names that an agent may reach, for the templates.

use super::packs;
use crate::addresses::{
    CT_MARK, CT_UNMASK, HELPER_PORTS, MOST_SINGLE_PORTS, PROXY_PORT, RESOLVER_ADDR, RESOLVER_PORT, SINK_NET, SINK_NET6,
    sink,
};
use crate::config::egress::Allowed;
use crate::config::network::EgressMode;
use crate::config::sandbox::SandboxNetwork;
use crate::config::{KeyFault, Settings};
use crate::fault::Fault;
use crate::playbook::Sources;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// # Errors
/// When the packs are not sound, or contradict what is enabled.
pub fn vars(settings: &Settings, sources: &Sources) -> Result<Value> {
    let names = match settings.network.egress.mode {
        EgressMode::Names => names(settings, sources)?,
        EgressMode::Ports | EgressMode::Open => Vec::new(),
    };
    let of = |below: bool| -> Vec<&str> {
        names.iter().filter(|name| name.port.is_none() && name.below == below).map(|name| name.name.as_str()).collect()
    };
    let (local, single): (Vec<_>, Vec<_>) =
        names.iter().filter_map(|name| Some((name, name.port?))).partition(|(name, _)| name.is_local());
    let local: Vec<u16> = local.into_iter().map(|(_, port)| port).collect();
    if single.len() > usize::from(MOST_SINGLE_PORTS) {
        let fault = Fault::new(format!("network.egress.allow has more than {MOST_SINGLE_PORTS} names with a port"))
            .hint("allow fewer of them, or names alone, which are reached by HTTPS");
        bail!(KeyFault::of(&["network", "egress", "allow"], fault));
    }
    let ports = single.iter().zip(1_u16..).map(|((name, port), number)| {
        let (sink, sink6) = sink(usize::from(number) + 1);
        json!({ "name": name.name, "port": port, "sink": sink, "sink6": sink6, "proxy": PROXY_PORT + number })
    });
    let ports: Vec<Value> = ports.collect();
    let (sink, sink6) = sink(1);
    Ok(json!({
        "exact": of(false), "below": of(true), "ports": ports, "local": local, "sink": sink, "sink6": sink6,
        "sink_net": SINK_NET, "sink_net6": SINK_NET6, "ct_mark": CT_MARK, "ct_unmask": CT_UNMASK,
        "resolver_addr": RESOLVER_ADDR, "resolver": RESOLVER_PORT, "proxy": PROXY_PORT,
        "sandbox": sandbox(settings),
        "helper_ports": format!("{}-{}", HELPER_PORTS.start(), HELPER_PORTS.end()),
    }))
}

/// The sandbox's own list, by sockets of the same proxy; none where it has no network.
fn sandbox(settings: &Settings) -> Option<Value> {
    let sandbox = settings.agent.sandbox.as_ref().filter(|sandbox| sandbox.network == SandboxNetwork::Names)?;
    let names: BTreeSet<&Allowed> = sandbox.allow.iter().collect();
    let of = |below: bool| -> Vec<&str> {
        names.iter().filter(|name| name.port.is_none() && name.below == below).map(|name| name.name.as_str()).collect()
    };
    let ports = names.iter().filter_map(|name| Some(json!({ "name": name.name, "port": name.port? })));
    Some(json!({ "exact": of(false), "below": of(true), "ports": ports.collect::<Vec<_>>() }))
}

/// All that the agent of these settings may reach, in order.
///
/// # Errors
/// As for [`vars`].
pub fn names(settings: &Settings, sources: &Sources) -> Result<Vec<Allowed>> {
    Ok(packs::read(sources)?.names(&packs::asked(settings))?.into_iter().collect())
}
