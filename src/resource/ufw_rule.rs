//! A rule of UFW's, as its files keep it and as its command takes it.

use crate::fact::host::Host;
use crate::name::Service;
use core::net::IpAddr;

/// Whether a port is one of `22`, `80,443`, `20:30`.
pub fn in_ports(ports: &str, port: &str) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    ports.split(',').any(|one| match one.split_once(':') {
        Some((low, high)) => {
            number(port).zip(number(low)).zip(number(high)).is_some_and(|((is, low), high)| (low..=high).contains(&is))
        }
        None => one == port,
    })
}

/// Whether an address is one of a network's (`10.0.0.0/8`, `::/0`, `10.0.0.1`).
fn contains(network: &str, address: IpAddr) -> Option<bool> {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()?),
        None => (network, u32::MAX),
    };
    Some(match (base.parse().ok()?, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let differ = u32::from(base) ^ u32::from(address);
            differ.checked_shr(u32::BITS.saturating_sub(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let differ = u128::from(base) ^ u128::from(address);
            differ.checked_shr(u128::BITS.saturating_sub(bits)).unwrap_or(0) == 0
        }
        _ => false,
    })
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
    source: Side,
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

    fn anybody(&self) -> bool {
        matches!(self.address.as_str(), "0.0.0.0/0" | "::/0")
    }

    /// Whether a port is one of its ports: `any`, `22`, `80,443`, `20:30`.
    fn has_port(&self, port: &str) -> bool {
        self.port == "any" || in_ports(&self.port, port)
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
    /// The rules for a declared port, one an address family: `allow`, or `limit`.
    pub fn opening(service: &Service, action: &str) -> [Self; 2] {
        let (port, protocol) = service.as_str().split_once('/').unwrap_or((service.as_str(), "any"));
        ["0.0.0.0/0", "::/0"].map(|any| Self {
            route: false,
            action: action.to_owned(),
            log: String::new(),
            protocol: protocol.into(),
            destination: Side::new(any, port, "-"),
            source: Side::new(any, "any", "-"),
            direction: "in".into(),
        })
    }

    /// What it opens to all, as `ufw allow` takes it: the action, and `22/tcp`.
    pub fn opens(&self) -> Option<(String, String)> {
        let service = format!("{}/{}", self.destination.port, self.protocol);
        (!self.is_narrow()).then(|| (self.action.clone(), service))
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

    /// Whether it is about a login as the one by which the host is asked; nothing where that cannot
    /// be told.
    pub fn meets(&self, host: &Host) -> Option<bool> {
        if !contains(&self.source.address, host.ssh_client?)? {
            return Some(false);
        }
        let interface = match self.direction.strip_prefix("in_") {
            None => true,
            Some(_) if host.ssh_interface.is_empty() => return None,
            Some(name) => match name.strip_suffix('+') {
                Some(start) => host.ssh_interface.starts_with(start),
                None => name == host.ssh_interface,
            },
        };
        Some(interface && (self.destination.anybody() || contains(&self.destination.address, host.ssh_address?)?))
    }

    /// Whether it is about what comes in from other machines for a service. An application's ports
    /// stand in the rule; one of the sender's is for answers.
    pub fn is_for(&self, service: &Service) -> bool {
        let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
        !self.route
            && !self.goes_out()
            && self.direction != "in_lo"
            && self.source.port == "any"
            && self.destination.has_port(port)
            && (self.protocol == protocol || self.protocol == "any")
    }

    /// Whether it lets anybody in to a service.
    pub fn lets_in(&self, service: &Service) -> bool {
        matches!(self.action.as_str(), "allow" | "limit") && self.is_for(service)
    }

    /// Whether it is not for all: for some senders, at one interface or at one address of the
    /// host's.
    pub fn is_narrow(&self) -> bool {
        !self.source.anybody() || !self.destination.anybody() || self.direction != "in"
    }

    /// Whether it lets everybody in so many times a while.
    pub fn limits(&self) -> bool {
        self.action == "limit"
    }

    /// Whether it is about this one port.
    pub fn is_only_for(&self, service: &Service) -> bool {
        service.as_str().split_once('/').is_some_and(|(port, _)| self.destination.port == port)
    }

    /// The same for another service.
    pub fn carried_to(&self, service: &Service) -> Self {
        let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
        let destination = Side::new(&self.destination.address, port, "-");
        Self { protocol: protocol.to_owned(), destination, ..self.clone() }
    }

    /// As `ufw` takes it: `allow in proto tcp from 198.51.100.1 to any port 22`.
    pub fn shown(&self) -> String {
        self.argv(&[]).into_iter().skip(1).collect::<Vec<_>>().join(" ")
    }

    /// Whether UFW takes the two for the same rule, up to what they do.
    pub fn same_place(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self { action: String::new(), log: String::new(), ..rule.clone() };
        bare(self) == bare(other)
    }

    /// The command that takes it away.
    pub fn deletion(&self) -> Vec<String> {
        self.argv(&["delete"])
    }

    /// The command that makes it.
    pub fn addition(&self) -> Vec<String> {
        self.argv(&[])
    }

    fn argv(&self, verb: &[&str]) -> Vec<String> {
        let mut argv: Vec<String> = vec!["ufw".into()];
        if !verb.is_empty() {
            argv.push("--force".into());
        }
        if self.route {
            argv.push("route".into());
        }
        argv.extend(verb.iter().map(ToString::to_string));
        argv.push(self.action.clone());
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
