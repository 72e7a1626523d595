//! Who listens at a TCP port.

use super::{Facts, Family, Query, Seen, sections};
use crate::fault::Fault;
use crate::shell::Frame;
use std::collections::BTreeSet;

pub const FAMILY: Family = Family { name: "listener", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/listener.sh");

fn ports(queries: &BTreeSet<Query>) -> impl Iterator<Item = u16> {
    queries.iter().filter_map(|query| match query {
        Query::Listener(port) => Some(*port),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = ports(queries).map(|port| port.to_string()).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

/// The control groups of those who listen at each port (ss(8), `--extended`).
fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    let sections = sections(&text);
    for port in ports(queries) {
        let seen = match sections.get(port.to_string().as_str()) {
            _ if frame.rc != 0 => Seen::Unreadable(frame.error_text()),
            None => return Err(Fault::new(format!("nothing about port {port}"))),
            Some(groups) if groups.is_empty() => Seen::Absent,
            Some(groups) => Seen::Is(groups.iter().map(|group| (*group).to_owned()).collect()),
        };
        facts.listeners.insert(port, seen);
    }
    Ok(())
}
