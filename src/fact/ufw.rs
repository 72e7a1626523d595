//! UFW: what is configured (its own rule files), and what the kernel has of it (`iptables-save`).

use super::chains::{self, Tables};
use super::{Facts, Family, Query, Seen, sections};
use crate::fault::Fault;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The kernel's side, for one address family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelRules {
    /// The policy of the INPUT chain: `DROP`, `ACCEPT`.
    pub policy: String,
    /// Whether INPUT hands packets to UFW's chains.
    pub hooked: bool,
    /// The rules of the user's input chain, as `iptables-save` prints them, without the leading `-A
    /// chain`.
    pub input: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ufw {
    /// Whether UFW starts with the host.
    pub enabled: bool,
    /// `DEFAULT_INPUT_POLICY` and the like, from /etc/default/ufw.
    pub defaults: BTreeMap<String, String>,
    /// The configured rules in their order, as its files keep them: `allow tcp 22 0.0.0.0/0 any
    /// 0.0.0.0/0 in`.
    pub tuples: Vec<String>,
    pub v4: KernelRules,
    pub v6: KernelRules,
    /// What filters beside its chains.
    #[serde(default)]
    pub others: Tables,
}

pub const FAMILY: Family = Family { name: "ufw", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/ufw.sh");

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    queries.contains(&Query::Ufw).then(|| (FRAGMENT, Vec::new()))
}

fn parse(_: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    facts.ufw = Some(match frame.rc {
        // 3: it is not installed, but others' rules may be there.
        0 | 3 => Seen::Is(read(&frame.text(), frame.rc == 0)?),
        _ => Seen::Unreadable(frame.error_text()),
    });
    Ok(())
}

fn read(text: &str, installed: bool) -> Result<Ufw, Fault> {
    let sections = sections(text);
    let section = |name: &str| match sections.get(name) {
        Some(lines) => Ok(lines.clone()),
        None if !installed => Ok(Vec::new()),
        None => Err(Fault::new(format!("no section `{name}`"))),
    };
    let (v4, v6) = (section("v4")?, section("v6")?);
    let kept = [chains::iptables("iptables", &v4), chains::iptables("ip6tables", &v6)].into_iter().flatten();
    let others: Tables = kept
        .chain(
            sections
                .iter()
                .filter(|(name, _)| name.starts_with("nft "))
                .map(|(name, lines)| ((*name).to_owned(), chains::nft(lines))),
        )
        .collect();
    let assignment = |line: &&str| {
        line.split_once('=').map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_ascii_lowercase()))
    };
    Ok(Ufw {
        enabled: section("enabled")?.iter().filter_map(assignment).any(|(_, value)| value == "yes"),
        defaults: section("defaults")?.iter().filter_map(assignment).collect(),
        tuples: section("tuples")?.into_iter().map(str::to_owned).collect(),
        v4: live(&v4, "ufw"),
        v6: live(&v6, "ufw6"),
        others,
    })
}

fn live(lines: &[&str], prefix: &str) -> KernelRules {
    let filter = lines.iter().skip_while(|line| **line != "*filter").skip(1).take_while(|line| !line.starts_with('*'));
    let filter: Vec<&str> = filter.copied().collect();
    let policy = filter.iter().find_map(|line| line.strip_prefix(":INPUT ")).and_then(|rest| rest.split(' ').next());
    let hook = format!("-A INPUT -j {prefix}-before-input");
    let chain = format!("-A {prefix}-user-input ");
    KernelRules {
        policy: policy.unwrap_or("ACCEPT").to_owned(),
        hooked: filter.iter().any(|line| *line == hook),
        input: filter.iter().filter_map(|line| line.strip_prefix(&chain)).map(str::to_owned).collect(),
    }
}
