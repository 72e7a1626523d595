//! UFW: on, closed by default, with exactly the declared ports open, in its own files and in the kernel.

use super::env_file::Words;
use super::{Change, Resource, Scene};
use crate::act::Act;
use crate::fact::ufw::{Live, Ufw};
use crate::fact::{Ask, Facts, Seen};
use crate::name::Service;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What may come in from anywhere: `443/tcp`; a list, or one text of words.
    pub allow: Words,
}

impl super::Spec for Spec {
    fn asks(&self, asks: &mut BTreeSet<Ask>) {
        asks.insert(Ask::Ufw);
    }

    fn settle(&self, _: &Scene<'_>) -> Result<Vec<Box<dyn Resource>>, String> {
        let allow: Result<BTreeSet<Service>, String> = self.allow.list().into_iter().map(Service::new).collect();
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

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, String> {
        let nothing = Ufw::default();
        let ufw = match &facts.ufw {
            Some(Seen::Is(ufw)) => ufw,
            // It comes with a package of the same plan.
            Some(Seen::Absent) => &nothing,
            Some(Seen::Unreadable(why)) => return Err(why.clone()),
            None => return Err("ufw was not asked".into()),
        };
        // What lets people in comes before what shuts them out.
        let mut changes = self.missing(ufw);
        changes.extend(self.surplus(ufw)?);
        changes.extend(policies(ufw));
        if !ufw.enabled || !on(&ufw.v4) || !on(&ufw.v6) {
            let act = Act::run(["ufw", "--force", "enable"]);
            changes.push(Change::new("active", "no", "yes", vec![act]));
        } else if changes.is_empty() {
            changes.extend(self.live(ufw));
        }
        Ok(changes)
    }
}

fn on(live: &Live) -> bool {
    live.hooked && live.policy == "DROP"
}

impl Firewall {
    /// The tuples of ufw's own files for a declared port, one an address family.
    fn tuples(service: &Service) -> [String; 2] {
        let (port, protocol) = service.as_str().split_once('/').unwrap_or((service.as_str(), "any"));
        ["0.0.0.0/0", "::/0"].map(|any| format!("allow {protocol} {port} {any} any {any} in"))
    }

    fn missing(&self, ufw: &Ufw) -> Vec<Change> {
        let incomplete = |service: &&Service| Self::tuples(service).iter().any(|tuple| !ufw.tuples.contains(tuple));
        let add = |service: &Service| {
            let act = Act::run(["ufw", "allow", service.as_str()]);
            Change::new(&format!("allow {service}"), "absent", "present", vec![act])
        };
        self.allow.iter().filter(incomplete).map(add).collect()
    }

    fn surplus(&self, ufw: &Ufw) -> Result<Vec<Change>, String> {
        let declared: BTreeSet<String> = self.allow.iter().flat_map(Self::tuples).collect();
        let mut changes = Vec::new();
        for tuple in ufw.tuples.difference(&declared) {
            let mut argv = vec!["ufw".to_owned(), "--force".into(), "delete".into()];
            argv.extend(rule_words(tuple).ok_or_else(|| format!("cannot read ufw's rule `{tuple}`"))?);
            changes.push(Change::new(tuple, "present", "absent", vec![Act::run(argv)]));
        }
        Ok(changes)
    }

    /// The kernel's rules against what ufw was told.
    fn live(&self, ufw: &Ufw) -> Option<Change> {
        let rule = |service: &Service| {
            let (port, protocol) = service.as_str().split_once('/').unwrap_or_default();
            format!("-p {protocol} -m {protocol} --dport {port} -j ACCEPT")
        };
        let want: BTreeSet<String> = self.allow.iter().map(rule).collect();
        let (mut missing, mut extra) = (BTreeSet::new(), BTreeSet::new());
        for live in [&ufw.v4, &ufw.v6] {
            let is: BTreeSet<String> = live.input.iter().cloned().collect();
            missing.extend(want.difference(&is).cloned());
            extra.extend(is.difference(&want).cloned());
        }
        let words = |set: BTreeSet<String>, none: &str| {
            if set.is_empty() { none.to_owned() } else { set.into_iter().collect::<Vec<_>>().join("; ") }
        };
        (!missing.is_empty() || !extra.is_empty()).then(|| {
            let act = Act::run(["ufw", "reload"]);
            Change::new("kernel rules", words(extra, "some missing"), words(missing, "only the declared"), vec![act])
        })
    }
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

/// The words for `ufw delete` that name the rule of a tuple: `action protocol dport destination sport source direction`.
fn rule_words(tuple: &str) -> Option<Vec<String>> {
    let fields: Vec<&str> = tuple.split(' ').filter(|field| !field.starts_with("comment=")).collect();
    let [action, protocol, dport, destination, sport, source, direction] = fields[..] else { return None };
    let (route, action) = match action.strip_prefix("route:") {
        Some(action) => (true, action),
        None => (false, action),
    };
    let mut words: Vec<String> = Vec::new();
    if route {
        words.push("route".into());
    }
    words.push(action.replace('_', "-").split('-').next()?.to_owned());
    let (direction, interface) = direction.split_once('_').unwrap_or((direction, ""));
    words.push(direction.to_owned());
    if !interface.is_empty() {
        words.extend(["on".to_owned(), interface.to_owned()]);
    }
    if protocol != "any" {
        words.extend(["proto".to_owned(), protocol.to_owned()]);
    }
    for (word, address, port) in [("from", source, sport), ("to", destination, dport)] {
        let any = matches!(address, "0.0.0.0/0" | "::/0");
        words.extend([word.to_owned(), if any { "any".to_owned() } else { address.to_owned() }]);
        if port != "any" {
            words.extend(["port".to_owned(), port.to_owned()]);
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::rule_words;

    #[test]
    fn tuples_become_the_words_that_delete_them() {
        let words = |tuple| rule_words(tuple).map(|words| words.join(" "));
        assert_eq!(
            words("allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in").as_deref(),
            Some("allow in proto tcp from any to any port 8080")
        );
        assert_eq!(
            words("deny any any 10.0.0.1 any ::/0 in_eth0").as_deref(),
            Some("deny in on eth0 from any to 10.0.0.1")
        );
        assert_eq!(words("gibberish"), None);
    }
}
