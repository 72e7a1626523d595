//! UFW: on, closed by default, with exactly the declared ports open, in its own files and in the
//! kernel.

use super::env_file::StringList;
use super::ufw_rule::{Rule, may_let_in, shuts};
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
        let ssh = Service::new(format!("{}/tcp", (context.text)(&self.ssh_port)?))?;
        let allow: Result<BTreeSet<Service>, Fault> = self.allow.list().into_iter().map(Service::new).collect();
        Ok(vec![Box::new(Firewall { allow: allow?, ssh })])
    }
}

struct Firewall {
    /// Beside SSH.
    allow: BTreeSet<Service>,
    ssh: Service,
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
        changes.extend(self.in_the_way(ufw));
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
    /// What comes in from anywhere. Where somebody lets only some senders in to SSH, that stays so.
    fn open(&self, ufw: &Ufw) -> BTreeSet<Service> {
        let rules: Vec<Rule> = ufw.tuples.iter().filter_map(|tuple| Rule::read(tuple)).collect();
        let to_ssh: Vec<&Rule> = rules.iter().filter(|rule| rule.lets_in(&self.ssh)).collect();
        let narrow = !to_ssh.is_empty() && !to_ssh.iter().any(|rule| rule.source.anybody());
        self.allow.iter().chain((!narrow).then_some(&self.ssh)).cloned().collect()
    }

    /// What nobody but the host's administrator can decide: nothing is changed before.
    fn in_the_way(&self, ufw: &Ufw) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut blocked = |change: Change, fault: Fault| changes.push(Change { blocked: Some(fault), ..change });
        let outgoing = ufw.defaults.get("DEFAULT_OUTPUT_POLICY").map_or("", String::as_str);
        if matches!(outgoing, "drop" | "reject") {
            blocked(
                Change::new("default outgoing", outgoing, "accept", Vec::new()),
                Fault::new("UFW denies on this host what goes out by default, and the agent would reach nothing").hint(
                    "`ufw default allow outgoing` on the host: what the agent may reach is limited by Petasos's own \
                     filter; rules such as `ufw reject out 25/tcp` stay",
                ),
            );
        }
        for (program, rules) in [("iptables", &ufw.v4), ("ip6tables", &ufw.v6)] {
            let pairs = self.allow.iter().flat_map(|service| rules.before.iter().map(move |rule| (service, rule)));
            if let Some((service, rule)) = pairs.into_iter().find(|(service, rule)| shuts(rule, service)) {
                blocked(
                    Change::new("rule before UFW's", rule, "none", Vec::new()),
                    Fault::new(format!(
                        "`{service}` is declared open, and stays shut: `{program} -A INPUT {rule}` comes before UFW's rules"
                    ))
                    .hint(format!(
                        "`{program} -D INPUT {rule}` on the host takes it away; what sets it at a start does too \
                         (`/etc/iptables`, a script of the provider's)"
                    )),
                );
            }
        }
        for (chain, rules) in &ufw.closed {
            let open = |service: &&Service| rules.iter().any(|rule| may_let_in(rule, service));
            if let Some(service) = self.allow.iter().find(|service| !open(service)) {
                let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
                blocked(
                    Change::new("another firewall", format!("{chain}: policy drop"), format!("{service} open"), Vec::new()),
                    Fault::new(format!(
                        "`{service}` is declared open, and stays shut: the chain `{chain}` of nft drops what none of its rules lets in"
                    ))
                    .hint(format!(
                        "`nft add rule {chain} {protocol} dport {port} accept` on the host, and the same where the table \
                         is kept (`/etc/nftables.conf`)"
                    )),
                );
            }
        }
        changes
    }

    fn missing(&self, ufw: &Ufw) -> Vec<Change> {
        let rules: BTreeSet<Rule> = ufw.tuples.iter().filter_map(|tuple| Rule::read(tuple)).collect();
        let incomplete = |service: &&Service| Rule::allowing(service).iter().any(|rule| !rules.contains(rule));
        let add = |service: &Service| {
            let act = Act::run(["ufw", "allow", service.as_str()]);
            Change::new(&format!("allow {service}"), "absent", "present", vec![act])
        };
        self.open(ufw).iter().filter(incomplete).map(add).collect()
    }

    /// Rules that nobody declared. One command takes a rule away for both address families.
    fn surplus(&self, ufw: &Ufw) -> Result<Vec<Change>, Fault> {
        let declared: Vec<Rule> = self.open(ufw).iter().flat_map(Rule::allowing).collect();
        let stays =
            |rule: &Rule| rule.shuts_one_out() || rule.goes_out() || rule.lets_in(&self.ssh) && !rule.source.anybody();
        let mut deletions: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for tuple in &ufw.tuples {
            let rule = Rule::read(tuple).ok_or_else(|| Fault::new(format!("cannot read ufw's rule `{tuple}`")))?;
            // A rule that differs from a declared one in its action alone is replaced by `ufw
            // allow`.
            if !stays(&rule) && !declared.iter().any(|declared| declared.same_place(&rule)) {
                deletions.entry(rule.deletion()).or_insert_with(|| rule.shown());
            }
        }
        let delete =
            |(argv, rule): (Vec<String>, String)| Change::new(&rule, "present", "absent", vec![Act::run(argv)]);
        Ok(deletions.into_iter().map(delete).collect())
    }

    /// Whether a rule of the kernel's lets one sender in to SSH, as [`Rule::lets_in`].
    fn is_of_ssh(&self, line: &str) -> bool {
        let port = self.ssh.as_str().split('/').next().unwrap_or_default();
        let args: Vec<&str> = line.split(' ').collect();
        args.first() == Some(&"-s")
            && args
                .windows(2)
                .any(|pair| matches!(pair, ["--dport" | "--dports", ports] if ports.split(',').any(|one| one == port)))
    }

    /// The kernel's rules against ufw's configuration.
    fn live(&self, ufw: &Ufw) -> Option<Change> {
        let rule = |service: &Service| {
            let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
            format!("-p {protocol} -m {protocol} --dport {port} -j ACCEPT")
        };
        let want: BTreeSet<String> = self.open(ufw).iter().map(rule).collect();
        let (mut missing, mut extra) = (BTreeSet::new(), BTreeSet::new());
        for live in [&ufw.v4, &ufw.v6] {
            let is: BTreeSet<String> =
                live.input.iter().filter(|line| !drops_one(line) && !self.is_of_ssh(line)).cloned().collect();
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
    for (key, direction, want, verb) in
        [("DEFAULT_INPUT_POLICY", "incoming", "drop", "deny"), ("DEFAULT_FORWARD_POLICY", "routed", "drop", "deny")]
    {
        let is = ufw.defaults.get(key).map_or("", String::as_str);
        // What was never installed has these defaults.
        if !is.is_empty() && is != want {
            let act = Act::run(["ufw", "default", verb, direction]);
            changes.push(Change::new(&format!("default {direction}"), is, want, vec![act]));
        }
    }
    changes
}
