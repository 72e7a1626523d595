//! net.inbound: what listens, what is declared, and what answers from outside are the same.

use super::answer::Listener;
use super::attack::inspection;
use super::evidence::{Evidence, Scan};
use super::report::{AttackOutcome, Check, PositiveResult};
use super::{Claims, Control, never_short, no_attacks};
use crate::addresses::{AGENT_PORTS, API_PORT};
use crate::fault::Fault;
use std::collections::BTreeSet;

pub const CONTROL: Control = Control {
    id: "net.inbound",
    group: "The network",
    title: "Nothing undeclared comes in",
    claim: "The firewall is on and allows only SSH and the declared ports, and nothing else answers from outside.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "seen over TCP from the machine that ran this; ports that Docker forwards past UFW have no listener and were not tried",
    how: Some("`network.inbound`, then `petasos up`"),
};

/// What is worth a connection from outside, whoever listens there.
pub fn known_ports(claims: &Claims) -> BTreeSet<u16> {
    AGENT_PORTS.into_iter().chain([claims.ssh_port, claims.proxy]).chain(declared(claims, "tcp")).collect()
}

/// And those where somebody listens beyond loopback.
pub fn open_ports(listeners: &[Listener]) -> BTreeSet<u16> {
    let beyond = |listener: &&Listener| listener.protocol == "tcp" && !is_loopback(&listener.address);
    listeners.iter().filter(beyond).map(|listener| listener.port).collect()
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || address == "::1"
}

/// Whether who dials the agent's API may come to a listener there.
fn reaches_api(address: &str) -> bool {
    matches!(address.split('%').next(), Some("127.0.0.1" | "0.0.0.0" | "*" | "::" | "::ffff:127.0.0.1"))
}

fn declared(claims: &Claims, protocol: &str) -> BTreeSet<u16> {
    let inbound = claims.inbound.iter().filter_map(|service| {
        let (port, kind) = service.as_str().split_once('/').unwrap_or((service.as_str(), protocol));
        port.parse().ok().filter(|_| kind == protocol)
    });
    inbound.chain((protocol == "tcp").then_some(claims.ssh_port)).collect()
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let ufw = evidence.inspected().ufw.found().and_then(|text| firewall(text));
    let listeners = evidence.inspected().listeners.found();
    let foreign = listeners.clone().map(|listeners| {
        let undeclared = |listener: &&Listener| {
            // The clients of DHCP, of names and of the clock wait for answers there; the firewall
            // lets nothing else in.
            let dhcp = listener.user == "root" && matches!(listener.port, 68 | 546);
            let answers = listener.protocol == "udp" && (listener.user.starts_with("systemd-") || dhcp);
            !answers
                && !is_loopback(&listener.address)
                && !declared(claims, &listener.protocol).contains(&listener.port)
        };
        let bad: Vec<String> = listeners.iter().filter(undeclared).map(named).collect();
        let detail = if bad.is_empty() {
            format!("{} listeners, none undeclared beyond loopback", listeners.len())
        } else {
            bad.join(", ")
        };
        (bad.is_empty(), detail)
    });
    let agents = listeners.map(|listeners| {
        // Whoever else listens at its port is taken for it.
        let wrong = |listener: &&Listener| match listener.user == "hermes" {
            true => !is_loopback(&listener.address),
            false => listener.port == API_PORT && listener.protocol == "tcp" && reaches_api(&listener.address),
        };
        let bad: Vec<String> = listeners.iter().filter(wrong).map(named).collect();
        (bad.is_empty(), if bad.is_empty() { "on loopback only".to_owned() } else { bad.join(", ") })
    });
    vec![
        inspection("inbound.firewall", "UFW's own status", ufw),
        inspection("inbound.listeners", "no program listens on an undeclared port", foreign),
        inspection("inbound.agent", "the agent's own API and dashboard", agents),
        scanned(claims, evidence),
    ]
}

fn named(listener: &Listener) -> String {
    format!(
        "{} at {} {}/{}",
        if listener.program.is_empty() { "somebody" } else { &listener.program },
        listener.address,
        listener.port,
        listener.protocol
    )
}

fn firewall(text: &str) -> Result<(bool, String), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("ufw printed nothing"));
    }
    let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned();
    let (status, default) = (field("Status:"), field("Default:"));
    let closed = default.split(", ").any(|policy| matches!(policy, "deny (incoming)" | "reject (incoming)"));
    Ok((
        status == "active" && closed,
        format!("{status}; {}", if default.is_empty() { "no default" } else { &default }),
    ))
}

fn scanned(claims: &Claims, evidence: &Evidence) -> Check {
    let nothing = BTreeSet::new();
    let (open, closed, why) = match &evidence.scan {
        Scan::Made { open, closed } => (open, closed, None),
        Scan::NotMade(why) => (&nothing, &nothing, Some(why.as_str())),
    };
    let declared = declared(claims, "tcp");
    let bad: Vec<String> = open.difference(&declared).map(u16::to_string).collect();
    let seen = open.contains(&claims.ssh_port);
    let joined = |ports: &BTreeSet<u16>| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let silent = "not even SSH answers a direct connection: this host is reached through another one";
    let found = match (bad.is_empty(), seen) {
        (false, _) => Ok((false, format!("port {} answers", bad.join(", ")))),
        (true, true) => Ok((true, format!("{} answer, {} do not", joined(open), joined(closed)))),
        (true, false) => Err(Fault::new(why.unwrap_or(silent))),
    };
    let mut check = inspection(
        "inbound.scan",
        "a connection from the operator's machine to each port that listens beyond loopback, and to the agent's",
        found,
    );
    let answers = if seen { "answers" } else { "does not answer" };
    check.control = Some(PositiveResult {
        what: "SSH's own port".to_owned(),
        outcome: if seen { AttackOutcome::Allowed } else { AttackOutcome::Silent },
        detail: why.map_or_else(|| format!("port {} {answers}", claims.ssh_port), |_| "not dialled".to_owned()),
    });
    check
}
