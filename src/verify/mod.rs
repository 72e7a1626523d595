//! The controls that a hardened host has, and the attacks that prove them. Pure: what is tried is
//! data, and what came of it is judged here; `run::verify` makes the round trips.
//!
//! How to add a control is in ARCHITECTURE.md.

mod answer;
mod approve_mode;
mod attack;
mod audit_denials;
mod audit_log;
mod backup_drill;
mod backup_nightly;
mod backup_retention;
mod call;
pub mod claims;
mod data;
pub mod driver;
pub mod evidence;
mod found;
mod fs_strict;
mod incident_ready;
mod inspection;
mod limits;
mod msg_allow;
mod multi_injection;
mod multi_rate;
mod net_egress;
pub mod net_inbound;
mod nullable;
mod os_patched;
mod planned;
mod record;
mod redact_secrets;
pub mod report;
mod sandbox_exec;
mod settings;
mod spec;
mod ssh_algorithms;
mod ssh_keyonly;
mod supply_pin;
mod system_call;
mod tool_calls;
mod user_nonroot;

pub use answer::Answer;
pub use attack::Attack;
pub use claims::Claims;
pub use evidence::{Evidence, Scan};
pub use spec::AttackSpec;

use crate::config::settings::Role;
use crate::fault::Fault;
use report::{AttackOutcome, Check, ControlReport, ControlStatus, HostReport};
use std::collections::BTreeSet;

/// A claim, and how it is proved.
pub struct Control {
    pub id: &'static str,
    pub group: &'static str,
    pub title: &'static str,
    pub claim: &'static str,
    pub attacks: fn(&Claims) -> Vec<Attack>,
    pub inspections: fn(&Claims, &Evidence) -> Vec<Check>,
    /// Why it falls short whatever the attacks say: what the user chose, or what this version does
    /// not do; and the verdict then.
    pub short: fn(&Claims) -> Option<(ControlStatus, String)>,
    /// What a control that is met still does not cover.
    pub limits: &'static str,
    /// How to turn it on.
    pub how: Option<&'static str>,
}

/// All controls, in the order of the checklist; those of one group stand together.
const REGISTRY: &[Control] = &[
    user_nonroot::CONTROL,
    fs_strict::CONTROL,
    approve_mode::CONTROL,
    sandbox_exec::CONTROL,
    redact_secrets::CONTROL,
    planned::WEBHOOK_AUTH,
    msg_allow::CONTROL,
    multi_rate::CONTROL,
    multi_injection::CONTROL,
    audit_log::CONTROL,
    audit_denials::CONTROL,
    supply_pin::CONTROL,
    planned::SUPPLY_NOTICE,
    planned::SUPPLY_PROMOTE,
    net_egress::CONTROL,
    net_inbound::CONTROL,
    ssh_keyonly::CONTROL,
    os_patched::CONTROL,
    backup_nightly::CONTROL,
    backup_drill::CONTROL,
    backup_retention::CONTROL,
    incident_ready::CONTROL,
];

/// See [`REGISTRY`].
pub fn registry() -> &'static [Control] {
    REGISTRY
}

/// What a host has that runs no agent.
const OF_VAULT: [&str; 5] = ["net.inbound", "ssh.keyonly", "os.patched", "backup.nightly", "backup.retention"];

/// Those that a host of this role has.
fn of_role(role: Role) -> impl Iterator<Item = &'static Control> {
    registry().iter().filter(move |control| role == Role::Agent || OF_VAULT.contains(&control.id))
}

/// All attacks on a host, in the order of their controls.
fn attacks(claims: &Claims) -> Vec<Attack> {
    of_role(claims.role).flat_map(|control| (control.attacks)(claims)).collect()
}

/// The names that the attacks speak of, as the host's logs have them: what is asked for then is not
/// the agent's wish.
pub fn names(claims: &Claims) -> BTreeSet<String> {
    attacks(claims).iter().filter_map(Attack::name).collect()
}

/// What the driver on the host is told to try, beside what it looks at.
pub fn spec(claims: &Claims) -> AttackSpec {
    spec_of(claims, &attacks(claims))
}

fn spec_of(claims: &Claims, attacks: &[Attack]) -> AttackSpec {
    // What the agent itself is asked, where there is one.
    let own = (claims.role == Role::Agent).then(settings::attempt);
    let attempts = attacks.iter().map(Attack::attempt).chain(own).collect();
    AttackSpec::new(claims, attempts, attacks.iter().filter_map(Attack::proof).collect())
}

/// The judgement of a host.
pub fn judge(claims: &Claims, evidence: &Evidence) -> Vec<ControlReport> {
    of_role(claims.role).map(|control| report_of(control, claims, evidence)).collect()
}

fn report_of(control: &Control, claims: &Claims, evidence: &Evidence) -> ControlReport {
    let short = (control.short)(claims);
    let mut checks: Vec<Check> = (control.attacks)(claims).iter().map(|attack| attack.check(evidence)).collect();
    checks.extend((control.inspections)(claims, evidence));
    checks.extend(declared(control, evidence));
    let proved = ControlReport::judged(&checks);
    let (verdict, why) = match short {
        // A control that is not set up proves nothing, and its failed attacks are no surprise.
        Some((verdict, why)) => (verdict, why),
        None => (proved, reason(proved, &checks).unwrap_or_else(|| control.limits.to_owned())),
    };
    let drifts = checks.iter().any(|check| check.id == "declared" && check.outcome == AttackOutcome::Differs);
    let how = match verdict {
        ControlStatus::Met => None,
        _ if drifts => Some("run `petasos up` to restore it".to_owned()),
        ControlStatus::Planned | ControlStatus::Unobserved | ControlStatus::NotMet => control.how.map(str::to_owned),
    };
    ControlReport {
        id: control.id.to_owned(),
        group: control.group.to_owned(),
        title: control.title.to_owned(),
        claim: control.claim.to_owned(),
        verdict,
        why,
        how,
        checks,
    }
}

/// The first fault, in words.
fn reason(verdict: ControlStatus, checks: &[Check]) -> Option<String> {
    let worst: Vec<&Check> = checks.iter().filter(|check| check.result == verdict).collect();
    let first = worst.first().filter(|_| verdict != ControlStatus::Met)?;
    let more = match worst.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let blind = match (&first.control, first.result) {
        (Some(proof), ControlStatus::Unobserved) if first.outcome != AttackOutcome::Error => {
            format!("; its positive control did not succeed: {}", proof.detail)
        }
        _ => String::new(),
    };
    Some(format!("{}: {}{blind}{more}", first.what, first.detail))
}

/// Whether what makes a control is as declared, by the same judgement as that of `petasos plan`:
/// the entries of the playbooks that name it.
fn declared(control: &Control, evidence: &Evidence) -> Option<Check> {
    let ours = |controls: &BTreeSet<String>| controls.contains(control.id);
    if !ours(&evidence.plan.controls) {
        return None;
    }
    let unknown = evidence.plan.unknown.iter().filter(|resource| ours(&resource.controls));
    let unknown: Vec<String> = unknown.map(|resource| format!("{}: {}", resource.id, resource.why)).collect();
    let drifting = evidence.plan.steps.iter().filter(|step| ours(&step.controls));
    let drifts: Vec<String> = drifting.map(|step| format!("{}: {}", step.id, step.change.field)).collect();
    let found = match (drifts.is_empty(), unknown.is_empty()) {
        (false, _) => Ok((false, drifts.join("; "))),
        (true, false) => Err(Fault::new(unknown.join("; "))),
        (true, true) => Ok((true, "`petasos plan` would change none of them".to_owned())),
    };
    Some(attack::inspection("declared", "the resources that make it are as declared", found))
}

/// Fills in the verdict and the counts of a host.
pub fn sum_up(host: &mut HostReport) {
    let counted =
        host.controls.iter().map(|control| control.verdict).filter(|verdict| *verdict != ControlStatus::Planned);
    host.verdict = counted.max().unwrap_or(ControlStatus::Unobserved);
    let checks = || host.controls.iter().flat_map(|control| &control.checks);
    let attacks = checks().filter(|check| check.control.is_some()).count();
    let proved =
        checks().filter(|check| check.control.as_ref().is_some_and(|proof| proof.outcome == AttackOutcome::Allowed));
    (host.attacks, host.positive_controls) = (attacks, proved.count());
}

/// For a control without attacks, looks or shortcomings.
fn no_attacks(_: &Claims) -> Vec<Attack> {
    Vec::new()
}
fn never_short(_: &Claims) -> Option<(ControlStatus, String)> {
    None
}

#[cfg(test)]
mod tests;
