//! A rule of iptables', as `iptables-save` prints it.

use super::rule::{Match, Outcomes, Packet, THEIRS, Verdict, elsewhere, words};
use crate::resource::ufw_rule::in_ports;

pub fn read(rule: &str, packet: &Packet<'_>) -> Outcomes {
    let words = words(rule);
    let (mut matches, mut not) = (Match::Yes, false);
    let mut rest = words.iter().map(String::as_str).peekable();
    while let Some(word) = rest.next() {
        match word {
            "!" => not = true,
            "-j" => return rest.next().and_then(verdict).map(|verdict| (matches, verdict)).into_iter().collect(),
            "-g" => {
                return rest.next().map(|chain| (matches, Verdict::Goto(chain.to_owned()))).into_iter().collect();
            }
            option => {
                let mut args = Vec::new();
                while let Some(arg) = rest.next_if(|next| !next.starts_with('-') && *next != "!") {
                    args.push(arg);
                }
                matches = matches.min(condition(option, &args, not, packet));
                not = false;
            }
        }
    }
    Vec::new()
}

/// What is neither a verdict nor known to go on is taken for a chain.
fn verdict(target: &str) -> Option<Verdict> {
    Some(match target {
        "ACCEPT" => Verdict::Accept,
        "DROP" | "REJECT" => Verdict::Refuse,
        "RETURN" => Verdict::Return,
        "DNAT" | "REDIRECT" | "TPROXY" | "NETMAP" => Verdict::Move,
        "LOG" | "NFLOG" | "ULOG" | "AUDIT" | "TRACE" | "MARK" | "CONNMARK" | "SECMARK" | "CONNSECMARK" | "SET"
        | "CT" | "NOTRACK" | "TCPMSS" | "TCPOPTSTRIP" | "TOS" | "DSCP" | "TTL" | "HL" | "ECN" | "CLASSIFY"
        | "CHECKSUM" | "RATEEST" | "TEE" => return None,
        chain => Verdict::Jump(chain.to_owned()),
    })
}

fn condition(option: &str, args: &[&str], not: bool, packet: &Packet<'_>) -> Match {
    let first = args.first().copied().unwrap_or_default();
    let has = |any: &[&str]| first.split(',').any(|one| any.contains(&one));
    let is = match option {
        "-s" => return Match::stranger(not),
        "--match-set" if args.get(1).is_some_and(|by| by.contains("src")) => return Match::stranger(not),
        "--comment" => Match::Yes,
        "-m" => match first {
            "tcp" | "udp" | "multiport" | "comment" | "conntrack" | "state" | "addrtype" | "pkttype" | "set"
            | "icmp" | "icmp6" | "icmpv6" => Match::Yes,
            _ => Match::Maybe,
        },
        "-p" => Match::when(packet.is_of(first)),
        "-i" if first == "lo" => Match::No,
        "-d" if elsewhere(first) => Match::No,
        "--dport" | "--dports" => Match::when(in_ports(first, packet.port)),
        "--sport" | "--sports" => Match::when(in_ports(first, THEIRS)),
        "--ctstate" | "--state" => Match::when(has(&["NEW"])),
        "--tcp-flags" => {
            let set = |flags: &str| flags.split(',').any(|flag| flag == "SYN" || flag == "ALL");
            let wanted = args.get(1).copied().unwrap_or_default();
            Match::when(if set(first) { wanted == "SYN" } else { wanted == "NONE" })
        }
        "--dst-type" => Match::when(has(&["LOCAL"])),
        "--pkt-type" => Match::when(has(&["unicast", "host"])),
        "--icmp-type" | "--icmpv6-type" | "-f" => Match::No,
        _ => Match::Maybe,
    };
    is.negated(not)
}
