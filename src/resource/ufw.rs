//! UFW: on, closed by default, with exactly the declared ports open, in its own files and in the
//! kernel.

use super::env_file::StringList;
use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::ufw::{KernelRules, Ufw};
use crate::fact::{Facts, Query, Seen};
use crate::fault::Fault;
use crate::name::Service;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The port of SSH, which may come in from anywhere too.
    pub ssh_port: String,
    /// What may come in from anywhere: `443/tcp`; a list, or one text with spaces between them.
    pub allow: StringList,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Ufw);
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let ssh = format!("{}/tcp", (context.text)(&self.ssh_port)?);
        let services = self.allow.list().into_iter().chain([ssh]);
        let allow: Result<BTreeSet<Service>, Fault> = services.map(Service::new).collect();
        Ok(vec![Box::new(Firewall { allow: allow? })])
    }
}

struct Firewall {
    allow: BTreeSet<Service>,
}

impl Resource for Firewall {
    fn id(&self) -> String {
        "ufw firewall".into()
    }

    fn kind(&self) -> &'static str {
        "ufw"
    }

    /// With the kernel's own rules, which are kept whole with every run.
    fn touches(&self) -> Touches {
        Touches::nothing().tree("/etc/ufw").path("/etc/default/ufw").unit("ufw.service")
    }

    fn least_risk(&self) -> Risk {
        Risk::Lockout
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let nothing = Ufw::default();
        let ufw = match &facts.ufw {
            Some(Seen::Is(ufw)) => ufw,
            // It comes with a package of the same plan.
            Some(Seen::Absent) => &nothing,
            Some(Seen::Unreadable(why)) => return Err(Fault::new(why)),
            None => return Err(Fault::new("ufw was not asked")),
        };
        let mut changes: Vec<Change> = ipv6(ufw).into_iter().collect();
        // What lets people in comes before what shuts them out.
        changes.extend(self.missing(ufw));
        changes.extend(self.surplus(ufw)?);
        changes.extend(policies(ufw));
        if !ufw.enabled || !on(&ufw.v4) || !on(&ufw.v6) {
            // Without its hooks in INPUT, neither `ufw enable` nor `ufw reload` puts them back
            // while its chains are there.
            let act = Act::sh("set up ufw's chains again", START, Vec::<String>::new());
            changes.push(Change::new("active", "no", "yes", vec![act]));
        } else if changes.is_empty() {
            changes.extend(self.live(ufw));
        }
        Ok(changes)
    }
}

const START: &str = include_str!("../../remote/ufw/start.sh");

fn on(live: &KernelRules) -> bool {
    live.hooked && live.policy == "DROP"
}

/// UFW that leaves IPv6 alone shuts it altogether, and keeps no rules for it.
fn ipv6(ufw: &Ufw) -> Option<Change> {
    let off = ufw.defaults.get("IPV6").is_some_and(|value| value != "yes");
    off.then(|| {
        let acts = vec![
            Act::run(["sed", "-i", "s/^IPV6=.*/IPV6=yes/", "/etc/default/ufw"]),
            // Says so and does nothing while UFW is off.
            Act::run(["ufw", "reload"]),
        ];
        Change::new("ipv6", "no", "yes", acts)
    })
}

impl Firewall {
    fn missing(&self, ufw: &Ufw) -> Vec<Change> {
        let rules: BTreeSet<Rule> = ufw.tuples.iter().filter_map(|tuple| Rule::read(tuple)).collect();
        let incomplete = |service: &&Service| Rule::allowing(service).iter().any(|rule| !rules.contains(rule));
        let add = |service: &Service| {
            let act = Act::run(["ufw", "allow", service.as_str()]);
            Change::new(&format!("allow {service}"), "absent", "present", vec![act])
        };
        self.allow.iter().filter(incomplete).map(add).collect()
    }

    /// Rules that nobody declared. One command takes a rule away for both address families.
    fn surplus(&self, ufw: &Ufw) -> Result<Vec<Change>, Fault> {
        let declared: Vec<Rule> = self.allow.iter().flat_map(Rule::allowing).collect();
        let mut deletions: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for tuple in &ufw.tuples {
            let rule = Rule::read(tuple).ok_or_else(|| Fault::new(format!("cannot read ufw's rule `{tuple}`")))?;
            // A rule that differs from a declared one in its action alone is replaced by `ufw
            // allow`.
            if !rule.shuts_one_out() && !declared.iter().any(|declared| declared.same_place(&rule)) {
                deletions.entry(rule.deletion()).or_insert_with(|| tuple.clone());
            }
        }
        let delete =
            |(argv, tuple): (Vec<String>, String)| Change::new(&tuple, "present", "absent", vec![Act::run(argv)]);
        Ok(deletions.into_iter().map(delete).collect())
    }

    /// The kernel's rules against ufw's configuration.
    fn live(&self, ufw: &Ufw) -> Option<Change> {
        let rule = |service: &Service| {
            let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
            format!("-p {protocol} -m {protocol} --dport {port} -j ACCEPT")
        };
        let want: BTreeSet<String> = self.allow.iter().map(rule).collect();
        let (mut missing, mut extra) = (BTreeSet::new(), BTreeSet::new());
        for live in [&ufw.v4, &ufw.v6] {
            let is: BTreeSet<String> = live.input.iter().filter(|line| !drops_one(line)).cloned().collect();
            missing.extend(want.difference(&is).cloned());
            extra.extend(is.difference(&want).cloned());
        }
        let joined = |set: BTreeSet<String>, none: &str| {
            if set.is_empty() { none.to_owned() } else { set.into_iter().collect::<Vec<_>>().join("; ") }
        };
        (!missing.is_empty() || !extra.is_empty()).then(|| {
            let act = Act::run(["ufw", "reload"]);
            Change::new("kernel rules", joined(extra, "some missing"), joined(missing, "only the declared"), vec![act])
        })
    }
}

/// Whether a rule of the kernel's refuses one sender, as [`Rule::shuts_one_out`].
fn drops_one(line: &str) -> bool {
    let args: Vec<&str> = line.split(' ').collect();
    let target = args.iter().position(|arg| *arg == "-j").and_then(|at| args.get(at + 1));
    args.first() == Some(&"-s") && matches!(target, Some(&"DROP" | &"REJECT"))
}

fn policies(ufw: &Ufw) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, direction, want, verb) in [
        ("DEFAULT_INPUT_POLICY", "incoming", "drop", "deny"),
        ("DEFAULT_OUTPUT_POLICY", "outgoing", "accept", "allow"),
        ("DEFAULT_FORWARD_POLICY", "routed", "drop", "deny"),
    ] {
        let is = ufw.defaults.get(key).map_or("", String::as_str);
        // What was never installed has these defaults.
        if !is.is_empty() && is != want {
            let act = Act::run(["ufw", "default", verb, direction]);
            changes.push(Change::new(&format!("default {direction}"), is, want, vec![act]));
        }
    }
    changes
}

/// A rule as UFW's files keep it: `action protocol dport destination sport source [dapp sapp]
/// direction [comment=…]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
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
struct Side {
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
    fn allowing(service: &Service) -> [Self; 2] {
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

    fn read(tuple: &str) -> Option<Self> {
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
    fn shuts_one_out(&self) -> bool {
        matches!(self.action.as_str(), "deny" | "reject") && !self.route && !self.source.anybody()
    }

    /// Whether UFW takes the two for the same rule, up to what they do.
    fn same_place(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self { action: String::new(), log: String::new(), ..rule.clone() };
        bare(self) == bare(other)
    }

    /// The command that takes it away.
    fn deletion(&self) -> Vec<String> {
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
