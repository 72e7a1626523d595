//! incident.ready: what a bad day takes is there before it comes.

use super::answer::FoundIncident;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use super::{Claims, Control, no_attacks};
use crate::config::settings::Role;
use crate::incident::{MARKER, QUARANTINE};

pub const CONTROL: Control = Control {
    id: "incident.ready",
    group: "Backups and incidents",
    title: "Incident commands",
    claim: "One command lets nothing leave the host, stops the agent, and seals the evidence; the host opens again once each credential is made anew.",
    attacks: no_attacks,
    inspections,
    short: |_| None,
    limits: "the quarantine's rules were tried in a network of their own; `petasos incident open HOST --drill` tries all of it",
    how: Some("`petasos up` lays the quarantine down; read docs/incident.md before you need it"),
};

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    if claims.role == Role::Vault {
        return Vec::new();
    }
    vec![filter(evidence), conditions(evidence)]
}

/// What has to get through, and what must not.
const KEPT: [&str; 1] = ["ssh in"];
const REFUSED: [&str; 4] = ["root out", "agent out", "agent to port 22", "other in"];

fn filter(evidence: &Evidence) -> Check {
    let found = || evidence.inspected().incident.found();
    let judged = found().map(|found| {
        let through = |name: &&&str| found.trial.closed.get(**name) == Some(&true);
        let leaks: Vec<&str> = REFUSED.iter().filter(through).copied().collect();
        let shut: Vec<&str> = KEPT.iter().filter(|name| !through(name)).copied().collect();
        match (leaks.is_empty(), shut.is_empty()) {
            (true, true) => (true, format!("refused: {}; still works: {}", REFUSED.join(", "), KEPT.join(", "))),
            (false, _) => (false, format!("it lets through: {}", leaks.join(", "))),
            (true, false) => (false, "it shuts SSH out too".to_owned()),
        }
    });
    let mut check = inspection("incident.filter", "the quarantine lets nothing out, and SSH in", judged);
    // In the same network without the rules.
    let open = |found: &FoundIncident| {
        KEPT.iter()
            .chain(&REFUSED)
            .filter(|name| found.trial.open.get(**name) != Some(&true))
            .copied()
            .collect::<Vec<_>>()
    };
    let missing = found().map(open);
    let sees = missing.as_ref().is_ok_and(Vec::is_empty);
    check.control = Some(PositiveResult {
        what: "the same, without its rules".to_owned(),
        outcome: if sees { AttackOutcome::Allowed } else { AttackOutcome::Error },
        detail: match missing {
            Ok(missing) if missing.is_empty() => "all of it gets through".to_owned(),
            Ok(missing) => format!("even then: no {}", missing.join(", ")),
            Err(why) => why.to_string(),
        },
    });
    if !sees && check.result == ControlStatus::Met {
        check.result = ControlStatus::Unobserved;
    }
    check
}

/// As systemd has the units loaded: the agent does not start while one is open, the quarantine
/// does.
fn conditions(evidence: &Evidence) -> Check {
    let found = evidence.inspected().incident.found().map(|found| {
        let of = |unit: &str| found.conditions.get(unit).map_or(&[][..], Vec::as_slice);
        let (agent, quarantine) = (of("hermes.service"), of(QUARANTINE));
        let stays = agent.iter().any(|one| one.strip_prefix('!') == Some(MARKER));
        let stands = quarantine.iter().any(|one| one == MARKER);
        let why = format!("the agent: {}; the quarantine: {}", agent.join(" "), quarantine.join(" "));
        (stays && stands && !found.open, if found.open { "an incident is open".to_owned() } else { why })
    });
    inspection(
        "incident.conditions",
        "while an incident is open the agent does not start, and the quarantine does",
        found,
    )
}
