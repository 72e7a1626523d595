//! redact.secrets: what looks like a secret does not reach the model.

use super::answer::Beside;
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, PathCall};
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use super::settings::Setting;
use super::{Claims, Control, never_short, record, settings};
use crate::fault::Fault;

pub const CONTROL: Control = Control {
    id: "redact.secrets",
    group: "What the agent may do",
    title: "Secrets are filtered",
    claim: "Secrets do not reach the model: the host's own, those of the known formats and those of the declared patterns are taken out of results, messages and the log, and the agent cannot switch that off. Whatever runs beside the agent's own process, as its user, reads no secret.",
    attacks,
    inspections,
    short: never_short,
    limits: "proved by the settings in force and by the self-test of the agent's start, which plants one secret of a known format; a secret that is split, compressed or encrypted passes",
    how: Some("`petasos up`"),
};

/// As the agent's user, in a process beside the agent's.
fn attacks(_: &Claims) -> Vec<Attack> {
    let secrets = Call::AnyOf { name: PathCall::Read, paths: &["/etc/hermes/secrets.env"] };
    vec![attack("redact.file", "the file of the host's secrets", secrets, By::SameByRoot)]
}

/// From beside the agent's own process. Another unit's processes, such as the attacks', are kept
/// out by their user namespace already.
fn memory(evidence: &Evidence) -> Check {
    let beside = evidence.inspected().beside.found();
    let found = beside.clone().map(|Beside { agent, .. }| match agent.as_slice() {
        [] => (true, "the kernel refuses each".to_owned()),
        parts => (false, format!("could open its {}", parts.join(", "))),
    });
    let mut check = inspection(
        "redact.memory",
        "the memory, the environment and the open files of the agent's own process, from beside it",
        found,
    );
    let sees = beside.as_ref().is_ok_and(|found| !found.neighbour.is_empty());
    check.control = Some(PositiveResult {
        what: "the same of a process that hides nothing".to_owned(),
        outcome: if sees { AttackOutcome::Allowed } else { AttackOutcome::Error },
        detail: beside
            .map_or_else(|why| why.to_string(), |found| format!("could open its {}", found.neighbour.join(", "))),
    });
    if !sees && check.result == ControlStatus::Met {
        check.result = ControlStatus::Unobserved;
    }
    check
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let on = settings::of(evidence).map(|found| {
        let env = found.redact_env.as_deref().unwrap_or("unset");
        (
            matches!(found.redact, Setting::Switch(true)) && env == "true",
            format!("security.redact_secrets is {}, HERMES_REDACT_SECRETS is {env}", found.redact),
        )
    });
    let elsewhere = evidence.inspected().secrets.found().and_then(|found| match found.elsewhere.as_slice() {
        // One at least there always is: the key of the agent's API.
        [] if found.known == 0 => Err(Fault::new("there is no secret to look for")),
        [] => Ok((true, format!("{} secrets are in their own file alone", found.known))),
        places => Ok((false, places.join(", "))),
    });
    // In the sandbox no program is this process's child.
    let handed = if claims.policy.sandbox.enabled { "no execve" } else { "no secret is handed down" };
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        memory(evidence),
        inspection("redact.on", "the filter is on", on),
        inspection(
            "redact.elsewhere",
            "secrets where the agent's user, or a program of its unit, finds them",
            elsewhere,
        ),
        record::in_force(evidence),
        record::promised(
            evidence,
            "redact.tried",
            "a planted secret is taken out, without the filter nothing runs, nobody looks in, and no program is handed a secret, by its self-test",
            &["secrets are redacted", "nothing runs without redactor", "its memory is hidden", handed],
        ),
    ]
}
