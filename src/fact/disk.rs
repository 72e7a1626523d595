//! File systems of a fixed size: a file that holds one, and what is mounted.

use super::{Facts, Family, Query, Seen, sections};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disk {
    /// Whether the host can mount a file: containers often cannot.
    pub loops: bool,
    /// The size of the file, in bytes.
    pub image: Option<u64>,
    pub mounted: Option<Mounted>,
}

/// What is mounted there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mounted {
    /// A device, mostly.
    pub source: String,
    /// The room that files can have, in bytes.
    pub bytes: u64,
}

pub const FAMILY: Family = Family { name: "disk", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/disk.sh");

fn disks(queries: &BTreeSet<Query>) -> impl Iterator<Item = (&AbsPath, &AbsPath)> {
    queries.iter().filter_map(|query| match query {
        Query::Disk { image, mount } => Some((image, mount)),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = disks(queries).flat_map(|(image, mount)| [image.to_string(), mount.to_string()]).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    let sections = sections(&text);
    let loops = sections.get("").is_some_and(|lines| lines.contains(&"loops yes"));
    for (_, mount) in disks(queries) {
        let seen = match sections.get(mount.as_str()) {
            Some(lines) if frame.rc == 0 => Seen::Is(disk(lines, loops)?),
            _ => Seen::Unreadable(frame.error_text()),
        };
        facts.disks.insert(mount.clone(), seen);
    }
    Ok(())
}

fn disk(lines: &[&str], loops: bool) -> Result<Disk, Fault> {
    let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let number = |text: &str| text.parse::<u64>().map_err(|_| Fault::new(format!("`{text}` is no number")));
    let mounted = match (value("source"), value("blocks").and_then(|blocks| blocks.split_once(' '))) {
        (Some(source), Some((blocks, size))) => {
            Some(Mounted { source: source.to_owned(), bytes: number(blocks)?.saturating_mul(number(size)?) })
        }
        (None, None) => None,
        _ => return Err(Fault::new("half of what is mounted is missing")),
    };
    Ok(Disk { loops, image: value("image").map(number).transpose()?, mounted })
}
