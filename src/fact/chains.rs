//! The chains that a packet meets on its way in, as `iptables-save` and `nft list table` print
//! them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chain {
    /// Where the kernel calls it: `input`, `prerouting`; empty where only other chains do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hook: String,
    /// What becomes of a packet at its end: `accept`, `drop`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub policy: String,
    pub rules: Vec<String>,
}

/// The chains of each table: `iptables filter`, `nft inet mine`.
pub type Tables = BTreeMap<String, BTreeMap<String, Chain>>;

/// The tables of `iptables-save`.
pub fn iptables(program: &str, lines: &[&str]) -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in lines {
        if let Some(name) = line.strip_prefix('*') {
            table = format!("{program} {name}");
            continue;
        }
        let (declared, rest) = match (line.strip_prefix(':'), line.strip_prefix("-A ")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => continue,
        };
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        // UFW's own, which are looked at apart.
        if name.starts_with("ufw") {
            continue;
        }
        let chain = tables.entry(table.clone()).or_default().entry(name.to_owned()).or_default();
        if !declared {
            chain.rules.push(rest.to_owned());
        } else if matches!(name, "INPUT" | "PREROUTING") {
            chain.hook = name.to_ascii_lowercase();
            chain.policy = rest.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        }
    }
    // Those that keep nothing say nothing.
    tables.retain(|_, chains| chains.values().any(|chain| !chain.rules.is_empty() || chain.policy == "drop"));
    tables
}

/// The chains of one table of nft's.
pub fn nft(lines: &[&str]) -> BTreeMap<String, Chain> {
    let mut chains = BTreeMap::new();
    let mut open: Option<(String, Chain)> = None;
    let mut whole = String::new();
    for line in lines {
        let line = line.trim();
        if open.is_none() {
            let name = line.strip_prefix("chain ").and_then(|rest| rest.strip_suffix(" {"));
            open = name.map(|name| (name.to_owned(), Chain::default()));
            continue;
        }
        // A long set goes on in the next line.
        whole = if whole.is_empty() { line.to_owned() } else { format!("{whole} {line}") };
        if line == "}" && whole == "}" {
            chains.extend(open.take());
        } else if open_braces(&whole) {
            continue;
        } else if let Some((_, chain)) = &mut open {
            let word_after = |key: &str| {
                whole.split([' ', ';']).skip_while(|word| *word != key).nth(1).unwrap_or_default().to_owned()
            };
            if whole.starts_with("type ") {
                (chain.hook, chain.policy) = (word_after("hook"), word_after("policy"));
            } else if !whole.is_empty() {
                chain.rules.push(whole.clone());
            }
        }
        whole.clear();
    }
    // What only leaves is no matter.
    let comes_in = |chain: &Chain| matches!(chain.hook.as_str(), "" | "input" | "prerouting");
    chains.retain(|_, chain| comes_in(chain));
    chains
}

/// Whether a brace is still open, outside of quotes.
fn open_braces(text: &str) -> bool {
    let bare: String = text.split('"').step_by(2).collect();
    bare.matches('{').count() > bare.matches('}').count()
}
