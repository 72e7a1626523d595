//! Units, as systemd has them loaded.

use super::{Facts, Family, Query, Seen};
use crate::fault::Fault;
use crate::name::UnitName;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitState {
    /// `enabled`, `disabled`, `static`, `masked`, …
    pub file_state: String,
    /// `active`, `inactive`, `failed`, `activating`, …
    pub active: String,
    pub sub: String,
    /// Whether the file on disk is newer than what systemd has loaded.
    pub need_reload: bool,
    pub fragment: String,
    /// Drop-ins under /etc and /run, loaded or not.
    pub drop_ins: BTreeSet<String>,
    /// Changes with every start.
    pub invocation: String,
}

pub const FAMILY: Family = Family { name: "unit", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/unit.sh");

fn units(queries: &BTreeSet<Query>) -> impl Iterator<Item = &UnitName> {
    queries.iter().filter_map(|query| match query {
        Query::Unit(name) => Some(name),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = units(queries).map(ToString::to_string).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    if frame.rc != 0 {
        return Err(Fault::new(frame.error_text()));
    }
    let text = frame.text();
    let (shown, drop_ins) = text.split_once("\n== drop-ins\n").ok_or("it breaks off")?;
    let blocks: Vec<&str> = shown.trim_end().split("\n\n").collect();
    let names: Vec<&UnitName> = units(queries).collect();
    if blocks.len() != names.len() {
        return Err(Fault::new(format!("{} units were asked for, {} answered", names.len(), blocks.len())));
    }
    let on_disk: Vec<(&str, &str)> = drop_ins.lines().filter_map(|line| line.split_once('\t')).collect();
    for (name, block) in names.into_iter().zip(blocks) {
        let on_disk = on_disk.iter().filter(|(unit, _)| *unit == name.as_str()).map(|(_, file)| *file);
        facts.units.insert(name.clone(), unit(block, on_disk)?);
    }
    Ok(())
}

fn unit<'a>(block: &'a str, on_disk: impl Iterator<Item = &'a str>) -> Result<Seen<UnitState>, Fault> {
    let pairs: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once('=')).collect();
    let need =
        |key: &str| pairs.get(key).map(ToString::to_string).ok_or_else(|| Fault::new(format!("no `{key}` in it")));
    match need("LoadState")?.as_str() {
        "loaded" | "masked" => {}
        "not-found" => return Ok(Seen::Absent),
        other => return Ok(Seen::Unreadable(format!("systemd's load state is `{other}`"))),
    }
    let loaded = pairs.get("DropInPaths").copied().unwrap_or_default();
    let ours = |path: &&str| path.starts_with("/etc/") || path.starts_with("/run/");
    Ok(Seen::Is(UnitState {
        file_state: need("UnitFileState")?,
        active: need("ActiveState")?,
        sub: need("SubState")?,
        need_reload: need("NeedDaemonReload")? == "yes",
        fragment: need("FragmentPath").unwrap_or_default(),
        drop_ins: loaded.split(' ').filter(ours).chain(on_disk).map(str::to_owned).collect(),
        invocation: need("InvocationID").unwrap_or_default(),
    }))
}
