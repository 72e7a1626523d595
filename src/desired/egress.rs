//! The names that an agent may reach, for the templates.

use crate::config::Settings;
use crate::config::egress::{Allowed, Asked, Packs};
use crate::config::settings::EgressMode;
use crate::playbook::Sources;
use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

/// Where the packs lie among the playbooks.
const PACKS: &str = "data/packs.yaml";
/// What our resolver answers for every allowed name: addresses for documentation (RFC 5737) and for
/// nothing (RFC 6666), where nobody is. From the second on they stand for single ports of single
/// hosts.
const SINK_ADDR: (&str, &str) = ("192.0.2.", "100::");
/// Where resolver and proxy listen on loopback; from the third on, the proxy for single ports.
const LISTEN: u16 = 10053;
const MOST_PORTS: usize = 200;
/// Whom the agent asks for names: an address of loopback that nobody else has or asks.
const RESOLVER_ADDR: &str = "127.0.2.53";
/// The bit of a connection's mark that says: the agent asked for it, on loopback. And all other
/// bits.
const CT_MARK: (&str, &str) = ("0x01000000", "0xfeffffff");

/// Where an allowed name leads, on every host.
pub struct SinkAddresses {
    pub here: [String; 2],
    pub proxy: u16,
    /// Whom the agent asks for names.
    pub ask: &'static str,
}

pub fn place() -> SinkAddresses {
    SinkAddresses {
        here: [format!("{}1", SINK_ADDR.0), format!("{}1", SINK_ADDR.1)],
        proxy: LISTEN + 1,
        ask: RESOLVER_ADDR,
    }
}

/// # Errors
/// When the packs are not sound, or contradict what is enabled.
pub fn vars(settings: &Settings, sources: &Sources) -> Result<Value> {
    let names = match settings.network.egress.mode {
        EgressMode::Names => names(settings, sources)?,
        EgressMode::Ports | EgressMode::Open => Vec::new(),
    };
    let here = |number: usize| (format!("{}{number}", SINK_ADDR.0), format!("{}{number:x}", SINK_ADDR.1));
    let of = |below: bool| -> Vec<&str> {
        names.iter().filter(|name| name.port.is_none() && name.below == below).map(|name| name.name.as_str()).collect()
    };
    let (local, single): (Vec<_>, Vec<_>) =
        names.iter().filter_map(|name| Some((name, name.port?))).partition(|(name, _)| name.is_local());
    let local: Vec<u16> = local.into_iter().map(|(_, port)| port).collect();
    if single.len() > MOST_PORTS {
        bail!("network.egress.allow has more than {MOST_PORTS} names with a port");
    }
    let ports = single.iter().zip(1_u16..).map(|((name, port), number)| {
        let (here, here6) = here(usize::from(number) + 1);
        json!({ "name": name.name, "port": port, "here": here, "here6": here6, "proxy": LISTEN + 1 + number })
    });
    let ports: Vec<Value> = ports.collect();
    let (first, first6) = here(1);
    Ok(json!({
        "exact": of(false), "below": of(true), "ports": ports, "local": local, "mark": CT_MARK.0, "unmark": CT_MARK.1, "ask": RESOLVER_ADDR,
        "here": first, "here6": first6, "resolver": LISTEN, "proxy": LISTEN + 1,
    }))
}

/// All that the agent of these settings may reach, in order.
///
/// # Errors
/// As for [`vars`].
pub fn names(settings: &Settings, sources: &Sources) -> Result<Vec<Allowed>> {
    let text = sources.playbooks.get(PACKS).ok_or_else(|| anyhow!("playbooks/{PACKS} is missing"))?;
    let packs = Packs::read(&format!("playbooks/{PACKS}"), text)?;
    let agent = &settings.agent;
    let platforms = agent.platforms.keys().map(|name| name.as_str()).collect();
    let asked = Asked {
        provider: &agent.provider,
        base_url: agent.base_url.as_deref(),
        platforms,
        allow: &settings.network.egress.allow,
    };
    Ok(packs.names(&asked)?.into_iter().collect())
}
