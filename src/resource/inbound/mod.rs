//! Whether a packet for a declared port gets past the filters of others, as far as can be told from
//! their rules: each chain is walked as the kernel does. What cannot be understood may match: where
//! it lets in, the port counts as open, and where it refuses, too.

mod iptables;
mod nft;
mod rule;
#[cfg(test)]
mod tests;

use crate::fact::chains::{Chain, Tables};
use crate::name::Service;
use rule::{Match, Outcomes, Packet, Verdict};
use std::collections::BTreeMap;

/// What shuts a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shut {
    /// `iptables filter`, `nft inet mine`.
    pub table: String,
    /// The chain that the kernel calls.
    pub base: String,
    /// The rule that refuses, and the chain it stands in; nothing where no rule does, and what is
    /// left is dropped.
    pub by: Option<(String, String)>,
}

/// What shuts a service's port, if anything does. `stands` is whether UFW's chains are at work,
/// which let it in.
pub fn shut(tables: &Tables, service: &Service, stands: bool) -> Option<Shut> {
    [false, true].into_iter().find_map(|six| shut_for(tables, service, six, stands))
}

fn shut_for(tables: &Tables, service: &Service, six: bool, stands: bool) -> Option<Shut> {
    let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
    let packet = Packet { port, protocol, six };
    let mut found = None;
    for (table, chains) in tables.iter().filter(|(table, _)| sees(table, six)) {
        let read = if table.starts_with("nft ") { nft::read } else { iptables::read };
        let walk = Walk { chains, packet, read, stands };
        for (base, chain) in chains.iter().filter(|(_, chain)| !chain.hook.is_empty()) {
            let way = walk.chain(base, chain, DEEPEST);
            if way.moved {
                return None;
            }
            // UFW's own rules come last there, and its policy is UFW's.
            let drops = chain.policy == "drop" && !matches!(table.as_str(), "iptables filter" | "ip6tables filter");
            if !way.accepted && (!way.through || drops) {
                let by = if way.through { None } else { way.by };
                found.get_or_insert(Shut { table: table.clone(), base: base.clone(), by });
            }
        }
    }
    found
}

/// Whether packets of a family come into a table.
fn sees(table: &str, six: bool) -> bool {
    match table.split(' ').collect::<Vec<_>>()[..] {
        ["iptables", _] | ["nft", "ip", _] => !six,
        ["ip6tables", _] | ["nft", "ip6", _] => six,
        ["nft", "inet", _] => true,
        _ => false,
    }
}

/// As deep as the kernel lets chains call each other.
const DEEPEST: u8 = 16;

struct Walk<'a> {
    chains: &'a BTreeMap<String, Chain>,
    packet: Packet<'a>,
    read: fn(&str, &Packet<'_>) -> Outcomes,
    stands: bool,
}

/// Where a packet may end.
#[derive(Default)]
struct Way {
    accepted: bool,
    /// At the chain's end, or back from it.
    through: bool,
    moved: bool,
    /// The rule that refuses it if nothing else happens, with its chain.
    by: Option<(String, String)>,
}

impl Walk<'_> {
    fn chain(&self, name: &str, chain: &Chain, deep: u8) -> Way {
        let mut way = Way::default();
        for rule in &chain.rules {
            for (matches, verdict) in (self.read)(rule, &self.packet) {
                if matches == Match::No {
                    continue;
                }
                let to = match &verdict {
                    Verdict::Accept => Way { accepted: true, ..Way::default() },
                    Verdict::Move => Way { accepted: true, moved: true, ..Way::default() },
                    Verdict::Refuse => Way { by: Some((name.to_owned(), rule.clone())), ..Way::default() },
                    Verdict::Return => Way { through: true, ..Way::default() },
                    Verdict::Jump(to) | Verdict::Goto(to) => self.into(to, deep),
                };
                way.accepted |= to.accepted;
                way.moved |= to.moved;
                if matches!(verdict, Verdict::Return | Verdict::Goto(_)) {
                    way.through |= to.through;
                }
                if matches == Match::Maybe {
                    continue;
                }
                way.by = to.by.or(way.by);
                if !(matches!(verdict, Verdict::Jump(_)) && to.through) {
                    return way;
                }
            }
        }
        way.through = true;
        way
    }

    fn into(&self, name: &str, deep: u8) -> Way {
        if name.starts_with("ufw") {
            let accepted = self.stands && name.ends_with("-before-input");
            return Way { accepted, through: !accepted, ..Way::default() };
        }
        match self.chains.get(name).zip(deep.checked_sub(1)) {
            Some((chain, deep)) => self.chain(name, chain, deep),
            None => Way { accepted: true, through: true, ..Way::default() },
        }
    }
}
