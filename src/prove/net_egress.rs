//! net.egress: the agent reaches the names that it needs, by HTTPS, and nothing else.
//!
//! Where an attack leads out of the host it goes to addresses for documentation, where nobody is, or knocks at a public resolver. Its
//! positive control is the same probe against a listener of its own on loopback; in full mode it is the very same attack, as root.

mod doors;
mod names;
mod ways;

use super::attack::{Attack, look};
use super::evidence::{Evidence, Proxied};
use super::report::{Check, Verdict};
use super::{Control, Scene};
use crate::config::settings::EgressMode;
use serde_json::Value;
use std::collections::BTreeSet;

pub const CONTROL: Control = Control {
    id: "net.egress",
    group: "The network",
    title: "Egress by name",
    claim: "The agent's user reaches the names that it needs, by HTTPS through the proxy, and nothing else: no other name, address, port or protocol, and no DNS.",
    made_by: &[
        "nft ",
        "file /etc/petasos/",
        "file /etc/systemd/system/petasos-",
        "unit petasos-",
        "unit nginx.service",
        "user petasos-",
        "group petasos-",
    ],
    attacks,
    looks,
    short,
    limits: "a name says who is called, not what is said: what an allowed name's owner relays or stores is not stopped. Sockets without a path (abstract ones) are open to all users of a host. Without --full it is not tried whether an allowed name answers",
    how: Some("`network.egress: { mode: names, enforce: true }`, then `petasos up`"),
};

fn attacks(scene: &Scene) -> Vec<Attack> {
    if !scene.filtered() {
        return Vec::new();
    }
    let mut attacks = ways::attacks(scene);
    if scene.by_name() {
        attacks.extend(names::attacks(scene));
        attacks.extend(doors::attacks(scene));
    }
    attacks
}

/// In full mode, the same as root in place of a call on loopback.
fn outward(scene: &Scene, id: &str, what: &str, call: Value, on_loopback: Value) -> Attack {
    use super::attack::Control::{ByRoot, SameByRoot};
    let control =
        if scene.full { SameByRoot } else { ByRoot("the same probe as root, to a listener on loopback", on_loopback) };
    super::attack::attack(id, what, call, control)
}

fn looks(scene: &Scene, evidence: &Evidence) -> Vec<Check> {
    if !scene.filtered() {
        return Vec::new();
    }
    let helpers = evidence.look("helpers", |found| &found.helpers).map(|helpers| {
        let words = helpers.iter().map(|(unit, state)| format!("{unit} {state}")).collect::<Vec<_>>().join(", ");
        (helpers.values().all(|state| state == "active"), words)
    });
    let mut looks = vec![look("egress.helpers", "the filter and its helpers run", helpers)];
    if scene.by_name() {
        looks.push(look(
            "proxy.log",
            "by the proxy's own log, it let out nobody but allowed names",
            proxied(scene, evidence),
        ));
    }
    looks
}

/// The proxy's word on each connection of the attacks: names that lead nowhere look refused, whatever it does with them.
fn proxied(scene: &Scene, evidence: &Evidence) -> Result<(bool, String), String> {
    let seen = &evidence.answer.proxied;
    let foreign = scene.foreign_name();
    if !seen.iter().any(|it| it.name == foreign) {
        return Err(format!("of {} connections in its log none is for {foreign}, which was tried", seen.len()));
    }
    // Who says nothing and goes again is led nowhere; a name that has no address was let out all the same.
    let refused =
        |it: &&Proxied| it.to == "unix:/run/petasos-proxy/refused" || (it.to.is_empty() && it.name.is_empty());
    let bad: BTreeSet<String> = seen
        .iter()
        .filter(|it| !refused(it) && !scene.lets_out(&it.name))
        .map(|it| format!("{:?} to {}", it.name, it.to))
        .collect();
    let sound = bad.is_empty();
    let words = if sound {
        format!("{} connections; every name that is not allowed was refused", seen.len())
    } else {
        bad.into_iter().collect::<Vec<_>>().join(", ")
    };
    Ok((sound, words))
}

fn short(scene: &Scene) -> Option<(Verdict, String)> {
    let why = match (scene.mode, scene.enforce) {
        (EgressMode::Names, true) => return None,
        (EgressMode::Names, false) => "`enforce: false`: every name is let out and noted",
        (EgressMode::Ports, _) => "`mode: ports`: HTTPS and DNS are let out to anybody; names are not restricted",
        (EgressMode::Open, _) => "`mode: open`: nothing is restricted",
    };
    Some((Verdict::NotMet, why.to_owned()))
}
