//! UFW: what is configured (its own rule files), and what the kernel has of it (`iptables-save`).

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
    /// The rules of INPUT that stand before that, and are others', as `iptables-save` prints them,
    /// without the leading `-A INPUT`.
    #[serde(default)]
    pub before: Vec<String>,
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
    /// The configured rules, as its files keep them: `allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`.
    pub tuples: BTreeSet<String>,
    pub v4: KernelRules,
    pub v6: KernelRules,
    /// Chains of others' nft tables that refuse what none of their rules lets in (`inet mine
    /// input`), each with the rules of its table that let something in, or may.
    #[serde(default)]
    pub closed: BTreeMap<String, Vec<String>>,
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
    let closed = sections.iter().filter_map(|(name, lines)| {
        let rules = lines.iter().map(|line| line.trim().to_owned()).collect();
        Some((name.strip_prefix("nft ")?.to_owned(), rules))
    });
    let assignment = |line: &&str| {
        line.split_once('=').map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_ascii_lowercase()))
    };
    Ok(Ufw {
        enabled: section("enabled")?.iter().filter_map(assignment).any(|(_, value)| value == "yes"),
        defaults: section("defaults")?.iter().filter_map(assignment).collect(),
        tuples: section("tuples")?.into_iter().map(str::to_owned).collect(),
        v4: live(&section("v4")?, "ufw"),
        v6: live(&section("v6")?, "ufw6"),
        closed: closed.collect(),
    })
}

fn live(lines: &[&str], prefix: &str) -> KernelRules {
    let policy = lines.iter().find_map(|line| line.strip_prefix(":INPUT ")).and_then(|rest| rest.split(' ').next());
    let hook = format!("-A INPUT -j {prefix}-before-input");
    let chain = format!("-A {prefix}-user-input ");
    let ours = format!("-j {prefix}-");
    let input = lines.iter().filter_map(|line| line.strip_prefix("-A INPUT "));
    let before = input.take_while(|rule| !rule.starts_with(&format!("{ours}before-input")));
    KernelRules {
        before: before.filter(|rule| !rule.starts_with(&ours)).map(str::to_owned).collect(),
        policy: policy.unwrap_or("ACCEPT").to_owned(),
        hooked: lines.iter().any(|line| *line == hook),
        input: lines.iter().filter_map(|line| line.strip_prefix(&chain)).map(str::to_owned).collect(),
    }
}
