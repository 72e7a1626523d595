//! What UFW's own rules say of SSH: who limits who comes in keeps that limit, at another port too.

use super::Change;
use super::ufw_rule::Rule;
use crate::fact::host::Host;
use crate::fact::ufw::Ufw;
use crate::fault::Fault;
use crate::name::Service;

pub struct Ssh {
    /// Where it is, or will be.
    service: Service,
    /// All rules, in UFW's order.
    pub rules: Vec<Rule>,
    /// Whether not everybody comes in.
    pub narrow: bool,
    /// What opens it to all, one an address family; nothing where it is not open to all.
    pub open: Option<[Rule; 2]>,
    /// The rules that limit who comes in, as they are at its new port.
    pub carried: Vec<Rule>,
}

impl Ssh {
    /// # Errors
    /// Names a rule that cannot be read.
    pub fn read(ufw: &Ufw, service: &Service, host: Option<&Host>) -> Result<Self, Fault> {
        let read =
            |tuple: &String| Rule::read(tuple).ok_or_else(|| Fault::new(format!("cannot read ufw's rule `{tuple}`")));
        let rules = ufw.tuples.iter().map(read).collect::<Result<Vec<Rule>, Fault>>()?;
        let now = host.and_then(|host| Service::new(format!("{}/tcp", host.ssh_port)).ok());
        let now = now.as_ref().unwrap_or(service);
        // Who has rules for the new port alone means these.
        let new = rules.iter().any(|rule| rule.lets_in(service) && !rule.lets_in(now));
        let counts = if new { service } else { now };
        let (narrow, wide): (Vec<&Rule>, Vec<&Rule>) =
            rules.iter().filter(|rule| rule.lets_in(counts)).partition(|rule| rule.is_narrow());
        let limited = wide.is_empty() && !narrow.is_empty();
        let action = if !wide.is_empty() && wide.iter().all(|rule| rule.limits()) { "limit" } else { "allow" };
        let carry = narrow.iter().filter(|rule| !rule.lets_in(service));
        Ok(Self {
            narrow: limited,
            open: (!limited).then(|| Rule::opening(service, action)),
            carried: carry.map(|rule| rule.carried_to(service)).collect(),
            service: service.clone(),
            rules,
        })
    }

    /// The rule that keeps whoever asks out, once UFW is on: the first that is about them refuses
    /// them, or none lets them in.
    pub fn keeps_out(&self, host: &Host) -> Option<&Rule> {
        host.ssh_client?;
        let opened = || self.open.iter().flatten();
        let stays =
            |rule: &&Rule| rule.shuts_one_out() || self.keeps(rule) || opened().any(|open| open.same_place(rule));
        let then = self.rules.iter().filter(stays).chain(&self.carried).chain(opened());
        let mut then = then.filter(|rule| rule.is_for(&self.service));
        // What cannot be told lets in, and refuses nobody.
        let is_about = |rule: &&Rule| rule.meets(host).unwrap_or(rule.lets_in(&self.service));
        match then.clone().find(is_about) {
            Some(rule) => rule.shuts_one_out().then_some(rule),
            None => then.find(|rule| rule.lets_in(&self.service)),
        }
    }

    /// What to say of that rule.
    pub fn kept_out(&self, rule: &Rule, host: &Host) -> Option<(Change, Fault)> {
        let client = host.ssh_client?;
        let (port, _) = self.service.as_str().split_once('/')?;
        let (shown, lets_in) = (rule.shown(), format!("allow from {client} to any port {port} proto tcp"));
        let (why, how) = if rule.shuts_one_out() {
            let open = if self.narrow { String::new() } else { format!("; ufw allow {}", self.service) };
            let how = format!(
                "`{}` on the host takes it away; `ufw prepend {lets_in}{open}` lets you in before it",
                rule.deletion().join(" ")
            );
            (format!("its rule `{shown}` would refuse you"), how)
        } else {
            (
                format!("no rule would let you in, as `{shown}` does others"),
                format!("`ufw {lets_in}` on the host lets you in, too; `ufw allow {}` everybody", self.service),
            )
        };
        Some((
            Change::new("SSH once UFW is on", shown, format!("{client} comes in"), Vec::new()),
            Fault::new(format!("UFW is off, and once it is on, {why} ({client})")).hint(how),
        ))
    }

    /// Whether a rule stays for SSH's sake. One that opens more than SSH does so only where not
    /// everybody comes in anyway.
    pub fn keeps(&self, rule: &Rule) -> bool {
        rule.lets_in(&self.service) && rule.is_narrow() && (self.narrow || rule.is_only_for(&self.service))
    }
}
