//! UFW: on, closed by default, with exactly the declared ports open, in its own files and in the
//! kernel.

use super::env_file::StringList;
use super::inbound::{Shut, shut};
use super::ufw_rule::{Rule, in_ports};
use super::ufw_ssh::Ssh;
use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::host::Host;
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
        let ssh = Ssh::read(ufw, &self.ssh, facts.host.as_ref())?;
        let mut changes: Vec<Change> = ipv6(ufw).into_iter().collect();
        changes.extend(self.in_the_way(ufw, &ssh, facts.host.as_ref()));
        // What lets people in comes before what shuts them out.
        changes.extend(self.missing(&ssh));
        changes.extend(self.surplus(&ssh));
        changes.extend(policies(ufw));
        if !ufw.enabled || !on(&ufw.v4) || !on(&ufw.v6) {
            // Without its hooks in INPUT, neither `ufw enable` nor `ufw reload` puts them back
            // while its chains are there.
            let act = Act::sh("set up ufw's chains again", START, Vec::<String>::new());
            changes.push(Change::new("active", "no", "yes", vec![act]));
        } else if changes.is_empty() {
            changes.extend(self.live(ufw, &ssh));
        }
        Ok(changes)
    }
}

/// What is said of a filter that shuts a declared port.
fn shut_by(shut: &Shut, service: &Service) -> (Change, Fault) {
    let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
    let stays = format!("`{service}` is declared open, and stays shut");
    let (program, table) = shut.table.split_once(' ').unwrap_or_default();
    let base = &shut.base;
    if let ("iptables" | "ip6tables", Some((chain, rule))) = (program, &shut.by) {
        let program = if table == "filter" { program.to_owned() } else { format!("{program} -t {table}") };
        let from = if (table, chain.as_str()) == ("filter", "INPUT") {
            rule.clone()
        } else {
            format!("{table} {chain}: {rule}")
        };
        let fault = Fault::new(format!("{stays}: `{program} -A {chain} {rule}` comes before UFW's rules"));
        return (
            Change::new("rule before UFW's", from, "none", Vec::new()),
            fault.hint(format!(
                "`{program} -D {chain} {rule}` on the host takes it away, and `{program} -I {base} -p {protocol} --dport {port} \
                 -j ACCEPT` lets this port in; do the same to what sets it at a start (`/etc/iptables`, a script of the provider's)"
            )),
        );
    }
    let (what, why, verb) = match &shut.by {
        Some((chain, rule)) => {
            (format!("{chain}: {rule}"), format!("the chain `{table} {chain}` has the rule `{rule}`"), "insert")
        }
        None => (
            format!("{base}: policy drop"),
            format!("the chain `{table} {base}` drops what none of its rules lets in"),
            "add",
        ),
    };
    let (how, kept) = match program {
        "nft" if table == "inet firewalld" => (format!("`firewall-cmd --add-port={service}`"), "with `--permanent`"),
        "nft" => (
            format!("`nft {verb} rule {table} {base} {protocol} dport {port} accept`"),
            "where the table is kept (`/etc/nftables.conf`)",
        ),
        _ => (format!("`{program} -t {table} -P {base} ACCEPT`"), "what sets it at a start"),
    };
    (
        Change::new("another firewall", format!("{table} {what}"), format!("{service} open"), Vec::new()),
        Fault::new(format!("{stays}: {why}")).hint(format!("{how} on the host, and the same {kept}")),
    )
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
    /// What nobody but the host's administrator can decide: nothing is changed before.
    fn in_the_way(&self, ufw: &Ufw, ssh: &Ssh, host: Option<&Host>) -> Vec<Change> {
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
        let stands = ufw.enabled && on(&ufw.v4) && on(&ufw.v6);
        let shown_out = host.filter(|_| !stands).and_then(|host| ssh.kept_out(ssh.keeps_out(host)?, host));
        if let Some((change, fault)) = shown_out {
            blocked(change, fault);
        }
        let mut told = BTreeSet::new();
        for service in &self.allow {
            if let Some(shut) = shut(&ufw.others, service, stands).filter(|shut| told.insert(shut.clone())) {
                let (change, fault) = shut_by(&shut, service);
                blocked(change, fault);
            }
        }
        changes
    }

    /// What a declared port is opened by, and SSH, which may be a declared port itself.
    fn wanted(&self, ssh: &Ssh) -> Vec<[Rule; 2]> {
        let others = self.allow.iter().filter(|service| ssh.open.is_none() || **service != self.ssh);
        ssh.open.iter().cloned().chain(others.map(|service| Rule::opening(service, "allow"))).collect()
    }

    fn missing(&self, ssh: &Ssh) -> Vec<Change> {
        let incomplete = |rules: &&[Rule; 2]| rules.iter().any(|rule| !ssh.rules.contains(rule));
        let add = |field: String, argv| Change::new(&field, "absent", "present", vec![Act::run(argv)]);
        let wanted = self.wanted(ssh);
        let open = wanted.iter().filter(incomplete).filter_map(|[rule, _]| {
            let (action, service) = rule.opens()?;
            Some(add(format!("{action} {service}"), vec!["ufw".to_owned(), action, service]))
        });
        // One command makes a rule for both address families.
        let carried: BTreeMap<Vec<String>, String> = ssh
            .carried
            .iter()
            .filter(|rule| !ssh.rules.contains(rule))
            .map(|rule| (rule.addition(), rule.shown()))
            .collect();
        open.chain(carried.into_iter().map(|(argv, rule)| add(rule, argv))).collect()
    }

    /// Rules that nobody declared. One command takes a rule away for both address families.
    fn surplus(&self, ssh: &Ssh) -> Vec<Change> {
        let declared: Vec<Rule> = self.wanted(ssh).into_iter().flatten().collect();
        let mut deletions: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for rule in &ssh.rules {
            // A rule that differs from a declared one in its action alone is replaced by `ufw
            // allow`.
            let stays = rule.shuts_one_out() || rule.goes_out() || ssh.keeps(rule);
            if !stays && !declared.iter().any(|declared| declared.same_place(rule)) {
                deletions.entry(rule.deletion()).or_insert_with(|| rule.shown());
            }
        }
        let delete =
            |(argv, rule): (Vec<String>, String)| Change::new(&rule, "present", "absent", vec![Act::run(argv)]);
        deletions.into_iter().map(delete).collect()
    }

    /// Whether a rule of the kernel's lets in to SSH not everybody, as [`Rule::is_narrow`].
    fn is_of_ssh(&self, line: &str, ssh: &Ssh) -> bool {
        let port = self.ssh.as_str().split('/').next().unwrap_or_default();
        let args: Vec<&str> = line.split(' ').collect();
        let ports = args.windows(2).find_map(|pair| match pair {
            ["--dport" | "--dports", ports] => Some(*ports),
            _ => None,
        });
        let narrow = matches!(args.first(), Some(&"-s" | &"-d" | &"-i"));
        narrow && ports.map_or(ssh.narrow, |ports| if ssh.narrow { in_ports(ports, port) } else { ports == port })
    }

    /// The kernel's rules against ufw's configuration.
    fn live(&self, ufw: &Ufw, ssh: &Ssh) -> Option<Change> {
        let wanted = self.wanted(ssh);
        let open: Vec<(String, String)> = wanted.iter().filter_map(|[rule, _]| rule.opens()).collect();
        let place = |service: &str| {
            let (port, protocol) = service.split_once('/').unwrap_or_default();
            format!("-p {protocol} -m {protocol} --dport {port} ")
        };
        let target = |action: &str| if action == "limit" { "ufw-user-limit-accept" } else { "ACCEPT" };
        let want: BTreeSet<String> =
            open.iter().map(|(action, service)| format!("{}-j {}", place(service), target(action))).collect();
        let counts = |line: &str| {
            open.iter().any(|(action, service)| {
                action == "limit" && line.starts_with(&format!("{}-m conntrack", place(service)))
            })
        };
        let (mut missing, mut extra) = (BTreeSet::new(), BTreeSet::new());
        for live in [&ufw.v4, &ufw.v6] {
            let input = live.input.iter().map(|line| line.replace("-j ufw6-", "-j ufw-"));
            let is: BTreeSet<String> = input
                .filter(|line| !drops_one(line) && !logs(line) && !counts(line) && !self.is_of_ssh(line, ssh))
                .collect();
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
    line.starts_with("-s ") && matches!(target(line), Some("DROP" | "REJECT"))
}

/// Whether a rule of the kernel's is there for the log alone: UFW sets one before a rule with
/// `log`.
fn logs(line: &str) -> bool {
    target(line).is_some_and(|target| target.starts_with("ufw-user-logging-"))
}

fn target(line: &str) -> Option<&str> {
    line.split(' ').skip_while(|arg| *arg != "-j").nth(1)
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
