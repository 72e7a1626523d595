//! Kernel parameters, as /proc/sys has them now.

use super::{Facts, Family, Query, Seen};
use crate::fault::Fault;
use crate::shell::Frame;
use std::collections::BTreeSet;

pub const FAMILY: Family = Family { name: "sysctl", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/sysctl.sh");

/// The file of a parameter (sysctl(8): dots and slashes are exchanged).
pub fn file(key: &str) -> String {
    let swapped: String = key
        .chars()
        .map(|c| {
            if c == '.' {
                '/'
            } else if c == '/' {
                '.'
            } else {
                c
            }
        })
        .collect();
    format!("/proc/sys/{swapped}")
}

fn keys(queries: &BTreeSet<Query>) -> impl Iterator<Item = &String> {
    queries.iter().filter_map(|query| match query {
        Query::Sysctl(key) => Some(key),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = keys(queries).map(|key| file(key)).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    for key in keys(queries) {
        let prefix = format!("{}:", file(key));
        let value = text.lines().find_map(|line| line.strip_prefix(&prefix));
        // The kernel separates several numbers by tabs.
        let seen = value.map_or(Seen::Absent, |value| Seen::Is(value.split_whitespace().collect::<Vec<_>>().join(" ")));
        facts.sysctls.insert(key.clone(), seen);
    }
    Ok(())
}
