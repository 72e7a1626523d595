//! A rule of nft's, as `nft list table` prints it.

use super::rule::{Match, Outcomes, Packet, THEIRS, Verdict, elsewhere, words};
use crate::resource::ufw_rule::in_ports;

pub fn read(rule: &str, packet: &Packet<'_>) -> Outcomes {
    let spaced: Vec<String> = words(rule)
        .into_iter()
        .flat_map(|word| if word.starts_with('"') { vec![word] } else { words(&word.replace(',', " , ")) })
        .collect();
    Rule { left: spaced.iter().map(String::as_str).collect(), packet, matches: Match::Yes }.outcomes()
}

struct Rule<'a> {
    left: Vec<&'a str>,
    packet: &'a Packet<'a>,
    matches: Match,
}

impl<'a> Rule<'a> {
    fn peek(&self) -> &'a str {
        self.left.first().copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        if self.left.is_empty() { "" } else { self.left.remove(0) }
    }

    fn maybe(&mut self) {
        self.matches = self.matches.min(Match::Maybe);
    }

    fn outcomes(mut self) -> Outcomes {
        while !self.left.is_empty() {
            if let Some(verdict) = verdict(&self.left) {
                return vec![(self.matches, verdict)];
            }
            match self.next() {
                "continue" | "masquerade" | "snat" => return Vec::new(),
                "notrack" => {}
                "comment" => drop(self.next()),
                "counter" if self.peek() == "packets" => drop(self.left.drain(..self.left.len().min(4))),
                "counter" if self.peek() == "name" => drop(self.left.drain(..self.left.len().min(2))),
                "counter" => {}
                "log" => self.log(),
                "add" | "update" | "delete" => {
                    self.next();
                    if self.block().iter().any(|word| matches!(*word, "limit" | "count" | "quota")) {
                        self.maybe();
                    }
                }
                "{" => {
                    self.left.insert(0, "{");
                    self.block();
                    self.maybe();
                }
                word => {
                    if let Some(outcomes) = self.condition(word) {
                        return outcomes;
                    }
                }
            }
        }
        Vec::new()
    }

    fn log(&mut self) {
        loop {
            match self.peek() {
                "prefix" | "level" | "group" | "snaplen" | "queue-threshold" => {
                    self.next();
                    self.next();
                }
                "flags" => {
                    self.next();
                    if matches!(self.next(), "tcp" | "ip") {
                        self.items();
                    }
                }
                _ => return,
            }
        }
    }

    /// What stands in braces, if they come next.
    fn block(&mut self) -> Vec<&'a str> {
        let mut depth = 0;
        let mut inside = Vec::new();
        while matches!(self.peek(), "{") || depth > 0 && !self.left.is_empty() {
            let word = self.next();
            depth += i32::from(word == "{") - i32::from(word == "}");
            inside.push(word);
            if depth == 0 {
                break;
            }
        }
        inside
    }

    /// The values of a condition: one, several with commas, or a set.
    fn items(&mut self) -> Vec<Vec<&'a str>> {
        if self.peek() == "{" {
            let block = self.block();
            let inside = block.get(1..block.len().saturating_sub(1)).unwrap_or_default();
            return inside.split(|word| *word == ",").map(<[&str]>::to_vec).collect();
        }
        let mut items = vec![vec![self.next()]];
        while matches!(self.peek(), "," | ".") {
            let comma = self.next() == ",";
            let word = self.next();
            match items.last_mut() {
                Some(last) if !comma => last.push(word),
                _ => items.push(vec![word]),
            }
        }
        items
    }

    /// What a condition looks at (`tcp dport`), which begins with this word; nothing where that is
    /// none.
    fn operand(&mut self, word: &str) -> Option<String> {
        Some(match word {
            "meta" => self.next().to_owned(),
            "iif" | "iifname" | "oif" | "oifname" => word.to_owned(),
            "fib" => {
                let mut key = "fib".to_owned();
                loop {
                    let next = self.next();
                    key = format!("{key} {next}");
                    if matches!(next, "type" | "oif" | "oifname" | "") {
                        return Some(key);
                    }
                }
            }
            "ip" | "ip6" | "tcp" | "udp" | "th" | "ct" | "icmp" | "icmpv6" | "igmp" | "ether" | "sctp" | "dccp"
            | "udplite" | "arp" | "esp" | "ah" => format!("{word} {}", self.next()),
            _ => return None,
        })
    }

    /// Reads a condition, or takes a word that is not known for one; what a verdict map makes of
    /// the packet.
    fn condition(&mut self, word: &str) -> Option<Outcomes> {
        let Some(first) = self.operand(word) else {
            self.maybe();
            return None;
        };
        let mut keys = vec![first];
        while self.peek() == "." {
            self.next();
            let word = self.next();
            keys.push(self.operand(word).unwrap_or_default());
        }
        match self.peek() {
            "set" => {
                self.next();
                if matches!(self.next(), "ct" | "meta" | "ip" | "ip6") {
                    self.next();
                }
                None
            }
            "vmap" => {
                self.next();
                Some(self.map(&keys))
            }
            "&" | "|" | "^" | "<" | ">" | "<=" | ">=" | "and" | "or" | "original" | "reply" => {
                self.maybe();
                None
            }
            operator => {
                if matches!(operator, "!=" | "==") {
                    self.next();
                }
                let items = self.items();
                let is = test(&keys, &items, operator == "!=", self.packet);
                self.matches = self.matches.min(is);
                // `tcp flags syn / fin,syn`.
                if self.peek() == "/" {
                    self.next();
                    self.items();
                }
                None
            }
        }
    }

    fn map(&mut self, keys: &[String]) -> Outcomes {
        if self.peek() != "{" {
            // A map with a name: what it holds may change.
            return vec![(self.matches.min(Match::Maybe), Verdict::Jump(String::new()))];
        }
        let entries = self.items();
        let entry = |entry: &Vec<&str>| {
            let at = entry.iter().position(|word| *word == ":")?;
            let (key, to) = entry.split_at(at);
            let is = if key == ["*"] { Match::Yes } else { test(keys, &[key.to_vec()], false, self.packet) };
            Some((self.matches.min(is), verdict(to.get(1..)?)?))
        };
        entries.iter().filter_map(entry).collect()
    }
}

fn verdict(words: &[&str]) -> Option<Verdict> {
    let target = || words.get(1).map(ToString::to_string);
    Some(match *words.first()? {
        "accept" => Verdict::Accept,
        "drop" | "reject" => Verdict::Refuse,
        "return" => Verdict::Return,
        "dnat" | "redirect" | "tproxy" => Verdict::Move,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        // Whoever takes it from the queue decides.
        "queue" | "synproxy" => Verdict::Jump(String::new()),
        _ => return None,
    })
}

/// Whether a packet has one of these values; `not`, none of them.
fn test(keys: &[String], items: &[Vec<&str>], not: bool, packet: &Packet<'_>) -> Match {
    if keys.iter().any(|key| never(key, packet)) {
        return Match::No;
    }
    let everybody = items.iter().any(|item| matches!(item[..], ["0.0.0.0/0" | "::/0"]));
    if keys.iter().any(|key| key.ends_with(" saddr")) && !everybody {
        return Match::stranger(not);
    }
    let ([key], false) = (keys, everybody) else { return Match::Maybe };
    // Several flags are all that a packet must have, or one of them, as the whole says.
    if key == "tcp flags" && items.len() > 1 {
        return Match::Maybe;
    }
    let is = items.iter().map(|item| match item[..] {
        [value] => value_is(key, value.trim_matches('"'), packet),
        _ => Match::Maybe,
    });
    is.max().unwrap_or(Match::Maybe).negated(not)
}

/// Whether such a condition is about other packets alone, whatever it asks.
fn never(key: &str, packet: &Packet<'_>) -> bool {
    match key.split(' ').next().unwrap_or_default() {
        "ip" => packet.six,
        "ip6" => !packet.six,
        "icmp" | "icmpv6" | "igmp" | "arp" | "esp" | "ah" => true,
        other @ ("tcp" | "udp" | "sctp" | "dccp" | "udplite") => other != packet.protocol,
        _ => false,
    }
}

fn value_is(key: &str, value: &str, packet: &Packet<'_>) -> Match {
    let ports = |port: &str| match value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        true => Match::when(in_ports(&value.replace('-', ":"), port)),
        false => Match::Maybe,
    };
    match (key, value) {
        (_, set) if set.starts_with(['@', '$', '(']) => Match::Maybe,
        ("tcp dport" | "udp dport" | "th dport", _) => ports(packet.port),
        ("tcp sport" | "udp sport" | "th sport", _) => ports(THEIRS),
        ("iif" | "iifname", "lo") => Match::No,
        ("l4proto" | "ip protocol" | "ip6 nexthdr", protocol) => Match::when(packet.is_of(protocol)),
        ("nfproto", family) => Match::when(family == if packet.six { "ipv6" } else { "ipv4" }),
        ("protocol", "ip" | "ip6" | "arp" | "vlan") => Match::when(value == if packet.six { "ip6" } else { "ip" }),
        ("pkttype", "host" | "unicast") | ("ct state", "new") | ("ct direction", "original") => Match::Yes,
        ("pkttype", "broadcast" | "multicast" | "other") | ("ct direction", "reply") => Match::No,
        ("ct state", "established" | "related" | "invalid" | "untracked") => Match::No,
        // It is new, and nothing moved it.
        ("ct status", "dnat" | "snat" | "seen-reply" | "assured" | "confirmed" | "expected") => Match::No,
        ("tcp flags", "syn") => Match::Yes,
        ("tcp flags", "fin" | "rst" | "psh" | "ack" | "urg") => Match::No,
        ("fib daddr type", kind) => Match::when(kind == "local"),
        ("ip daddr" | "ip6 daddr", address) if elsewhere(address) => Match::No,
        _ => Match::Maybe,
    }
}
