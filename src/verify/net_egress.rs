//! net.egress: the agent reaches the names that it needs, by HTTPS, and nothing else.
//!
//! Where an attack leads out of the host it goes to addresses for documentation, where nobody is,
//! or knocks at a public resolver. Its positive control is the same probe against a listener of its
//! own on loopback; in full mode it is the very same attack, as root.

mod direct;
mod dns;
mod proxy;

use super::answer::Proxied;
use super::attack::{Attack, inspection};
use super::call::Call;
use super::data;
use super::evidence::Evidence;
use super::report::{Check, ControlStatus};
use super::{Claims, Control, limits, record};
use crate::config::network::EgressMode;
use crate::fault::Fault;
use core::net::Ipv4Addr;
use std::collections::BTreeSet;

/// For documentation (RFC 5737): nobody is there. The lab has a host there that answers.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 25);

pub const CONTROL: Control = Control {
    id: "net.egress",
    group: "The network",
    title: "Egress by name",
    claim: "The agent's user reaches the names that it needs, by HTTPS through the proxy, and nothing else: no other name, address, port or protocol, and no DNS.",
    attacks,
    inspections,
    short,
    limits: "a name says who is contacted, not what is sent: data that goes to an allowed name is not stopped. Abstract unix sockets are open to all users of a host. On Ubuntu 22.04 a second, encrypted name behind an allowed one is not seen. Without --full it is not tried whether an allowed name answers",
    how: Some("`network.egress: { mode: names, enforce: true }`, then `petasos up`"),
};

fn attacks(claims: &Claims) -> Vec<Attack> {
    if !claims.filtered() {
        return Vec::new();
    }
    let mut attacks = direct::attacks(claims);
    if claims.by_name() {
        attacks.extend(dns::attacks(claims));
        attacks.extend(proxy::attacks(claims));
    }
    attacks
}

/// In full mode, the same as root in place of a call on loopback.
fn outward(claims: &Claims, id: &str, what: &str, call: Call, on_loopback: Call) -> Attack {
    use super::attack::PositiveControl::{ByRoot, SameByRoot};
    let control =
        if claims.full { SameByRoot } else { ByRoot("the same probe as root, to a listener on loopback", on_loopback) };
    super::attack::attack(id, what, call, control)
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    if !claims.filtered() {
        return Vec::new();
    }
    let helpers = evidence.inspected().helpers.found().map(|helpers| {
        let detail = helpers.iter().map(|(unit, state)| format!("{unit} {state}")).collect::<Vec<_>>().join(", ");
        (helpers.values().all(|state| state == "active"), detail)
    });
    let mut inspections = vec![
        inspection("egress.helpers", "the filter and its helpers run", helpers),
        limits::records(evidence),
        data::logins(evidence),
        record::promised(
            evidence,
            "egress.models",
            "conversations go to the provider alone, by its self-test",
            &["conversations go to the provider alone"],
        ),
    ];
    if claims.by_name() {
        inspections.push(inspection(
            "proxy.log",
            "by the proxy's own log, only allowed names were connected",
            proxied(claims, evidence),
        ));
    }
    inspections
}

/// The proxy's log of each connection of the attacks: names that lead nowhere look refused,
/// whatever it does with them.
fn proxied(claims: &Claims, evidence: &Evidence) -> Result<(bool, String), Fault> {
    let seen = evidence.answer.proxied.found()?;
    let foreign = claims.foreign_name();
    if !seen.iter().any(|connection| connection.name == foreign) {
        return Err(Fault::new(format!(
            "of {} connections in its log none is for {foreign}, which was tried",
            seen.len()
        )));
    }
    // Who says nothing and goes again is led nowhere; a name that has no address was let out all
    // the same.
    let refused = |connection: &&Proxied| {
        connection.to == "unix:/run/petasos-proxy/refused" || (connection.to.is_empty() && connection.name.is_empty())
    };
    let bad: BTreeSet<String> = seen
        .iter()
        .filter(|connection| !refused(connection) && !claims.lets_out(&connection.name))
        .map(|connection| format!("{:?} to {}", connection.name, connection.to))
        .collect();
    let sound = bad.is_empty();
    let detail = if sound {
        format!("{} connections; every name that is not allowed was refused", seen.len())
    } else {
        bad.into_iter().collect::<Vec<_>>().join(", ")
    };
    Ok((sound, detail))
}

fn short(claims: &Claims) -> Option<(ControlStatus, String)> {
    let why = match (claims.mode, claims.enforce) {
        (EgressMode::Names, true) => return None,
        (EgressMode::Names, false) => "`enforce: false`: every name is allowed and logged",
        (EgressMode::Ports, _) => "`mode: ports`: HTTPS and DNS to anywhere are allowed; names are not restricted",
        (EgressMode::Open, _) => "`mode: open`: nothing is restricted",
    };
    Some((ControlStatus::NotMet, why.to_owned()))
}
