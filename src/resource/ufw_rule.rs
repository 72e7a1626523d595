//! A rule of UFW's, as its files keep it and as its command takes it; and one of iptables' that may
//! stand before.

use crate::name::Service;

/// Whether a rule of INPUT, as `iptables-save` prints it, refuses all that comes for a service. One
/// that looks at more than protocol, port and interface is taken for a narrower one.
pub fn shuts(rule: &str, service: &Service) -> bool {
    let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
    let args: Vec<&str> = rule.split(' ').collect();
    let mut refuses = false;
    for pair in args.windows(2) {
        match pair {
            ["-j", target] => refuses = matches!(*target, "DROP" | "REJECT"),
            ["-p", other] if *other != protocol && *other != "all" => return false,
            ["--dport", other] if *other != port => return false,
            ["-i", "lo"] => return false,
            ["-m", module] if !matches!(*module, "tcp" | "udp" | "comment") => return false,
            ["-s" | "-d" | "!" | "--sport" | "--tcp-flags" | "--syn", _] => return false,
            _ => {}
        }
    }
    refuses
}

/// Whether a rule of an nft table, as `nft list table` prints it, may let strangers reach a
/// service: what leads elsewhere, or to a set, is not followed.
pub fn may_let_in(rule: &str, service: &Service) -> bool {
    let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
    let words: Vec<&str> = rule.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
    let has = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let Some(at) = words.iter().position(|word| *word == "dport") else {
        let narrower = ["state", "iif", "iifname", "saddr", "daddr", "icmp", "icmpv6", "type", "sport", "nfproto"];
        return !has(&narrower) && !has(&[if protocol == "tcp" { "udp" } else { "tcp" }])
            || has(&["jump", "goto", "vmap"]);
    };
    let other = at
        .checked_sub(1)
        .and_then(|before| words.get(before))
        .is_some_and(|word| matches!(*word, "tcp" | "udp" | "sctp" | "dccp") && *word != protocol);
    let number = |text: &str| text.parse::<u16>().ok();
    let within = |word: &&str| match word.split_once('-') {
        Some((low, high)) => {
            number(port).zip(number(low)).zip(number(high)).is_some_and(|((is, low), high)| (low..=high).contains(&is))
        }
        None => *word == port || word.starts_with('@'),
    };
    !other && words.iter().skip(at + 1).any(within)
}

/// A rule as UFW's files keep it: `action protocol dport destination sport source [dapp sapp]
/// direction [comment=…]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Whether it is about what passes through.
    route: bool,
    action: String,
    /// `log`, `log-all` or nothing.
    log: String,
    protocol: String,
    destination: Side,
    pub source: Side,
    /// `in`, `out_eth0`, `in_eth0!out_eth1`.
    direction: String,
}

/// One end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    address: String,
    port: String,
    /// An application's name in UFW's own list, in place of a port; `-` is none.
    application: String,
}

impl Side {
    fn new(address: &str, port: &str, application: &str) -> Self {
        Self { address: address.to_owned(), port: port.to_owned(), application: application.replace("%20", " ") }
    }

    pub fn anybody(&self) -> bool {
        matches!(self.address.as_str(), "0.0.0.0/0" | "::/0")
    }

    fn args(&self, direction: &str) -> Vec<String> {
        let address = if self.anybody() { "any" } else { &self.address };
        let mut args = vec![direction.to_owned(), address.to_owned()];
        if self.application != "-" {
            args.extend(["app".to_owned(), self.application.clone()]);
        } else if self.port != "any" {
            args.extend(["port".to_owned(), self.port.clone()]);
        }
        args
    }
}

impl Rule {
    /// The rules for a declared port, one an address family.
    pub fn allowing(service: &Service) -> [Self; 2] {
        let (port, protocol) = service.as_str().split_once('/').unwrap_or((service.as_str(), "any"));
        ["0.0.0.0/0", "::/0"].map(|any| Self {
            route: false,
            action: "allow".into(),
            log: String::new(),
            protocol: protocol.into(),
            destination: Side::new(any, port, "-"),
            source: Side::new(any, "any", "-"),
            direction: "in".into(),
        })
    }

    pub fn read(tuple: &str) -> Option<Self> {
        // A comment changes nothing of what the rule does.
        let fields: Vec<&str> = tuple.split(' ').filter(|field| !field.starts_with("comment=")).collect();
        let (action, protocol, dport, destination, sport, source, dapp, sapp, direction) = match fields[..] {
            [action, protocol, dport, destination, sport, source, direction] => {
                (action, protocol, dport, destination, sport, source, "-", "-", direction)
            }
            [action, protocol, dport, destination, sport, source, dapp, sapp, direction] => {
                (action, protocol, dport, destination, sport, source, dapp, sapp, direction)
            }
            _ => return None,
        };
        let (route, action) = action.strip_prefix("route:").map_or((false, action), |action| (true, action));
        let (action, log) = action.split_once('_').unwrap_or((action, ""));
        matches!(action, "allow" | "deny" | "reject" | "limit").then(|| Self {
            route,
            action: action.to_owned(),
            log: log.to_owned(),
            protocol: protocol.to_owned(),
            destination: Side::new(destination, dport, dapp),
            source: Side::new(source, sport, sapp),
            direction: direction.to_owned(),
        })
    }

    /// Whether it refuses single senders: a block that somebody set opens nothing, and is left
    /// alone.
    pub fn shuts_one_out(&self) -> bool {
        matches!(self.action.as_str(), "deny" | "reject") && !self.route && !self.source.anybody()
    }

    /// Whether it is about what this host sends: it opens nothing.
    pub fn goes_out(&self) -> bool {
        !self.route && (self.direction == "out" || self.direction.starts_with("out_"))
    }

    /// Whether it lets anybody in to SSH.
    pub fn lets_in(&self, ssh: &Service) -> bool {
        let (port, protocol) = ssh.as_str().split_once('/').unwrap_or_default();
        let for_ssh = match self.destination.application.as_str() {
            "-" => self.destination.port.split(',').any(|one| one == port),
            application => application == "OpenSSH" && port == "22",
        };
        let incoming = !self.route && !self.goes_out();
        matches!(self.action.as_str(), "allow" | "limit")
            && incoming
            && for_ssh
            && (self.protocol == protocol || self.protocol == "any")
    }

    /// As `ufw` takes it: `allow in proto tcp from 198.51.100.1 to any port 22`.
    pub fn shown(&self) -> String {
        self.deletion()
            .into_iter()
            .filter(|word| !matches!(word.as_str(), "ufw" | "--force" | "delete"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Whether UFW takes the two for the same rule, up to what they do.
    pub fn same_place(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self { action: String::new(), log: String::new(), ..rule.clone() };
        bare(self) == bare(other)
    }

    /// The command that takes it away.
    pub fn deletion(&self) -> Vec<String> {
        let mut argv: Vec<String> = vec!["ufw".into(), "--force".into()];
        if self.route {
            argv.push("route".into());
        }
        argv.extend(["delete".to_owned(), self.action.clone()]);
        for part in self.direction.split('!') {
            let (direction, interface) = part.split_once('_').unwrap_or((part, ""));
            // Of what passes through, a direction is one of an interface.
            if self.route && interface.is_empty() {
                continue;
            }
            argv.push(direction.to_owned());
            if !interface.is_empty() {
                argv.extend(["on".to_owned(), interface.to_owned()]);
            }
        }
        if !self.log.is_empty() {
            argv.push(self.log.clone());
        }
        let named = self.destination.application != "-" || self.source.application != "-";
        // An application brings its protocol along.
        if self.protocol != "any" && !named {
            argv.extend(["proto".to_owned(), self.protocol.clone()]);
        }
        argv.extend(self.source.args("from"));
        argv.extend(self.destination.args("to"));
        argv
    }
}
