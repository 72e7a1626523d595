//! redact.secrets: what looks like a secret does not reach the model.

use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::settings::Setting;
use super::{Claims, Control, never_short, no_attacks, record, settings};

pub const CONTROL: Control = Control {
    id: "redact.secrets",
    group: "What the agent may do",
    title: "Secrets are filtered",
    claim: "Secrets do not reach the model: the host's own, those of the known formats and those of the declared patterns are taken out of results, messages and the log, and the agent cannot switch that off.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved by the settings in force and by the self-test of the agent's start, which plants one secret of a known format; a secret that is split, compressed or encrypted passes",
    how: Some("`petasos up`"),
};

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    let on = settings::of(evidence).map(|found| {
        let env = found.redact_env.as_deref().unwrap_or("unset");
        (
            matches!(found.redact, Setting::Switch(true)) && env == "true",
            format!("security.redact_secrets is {}, HERMES_REDACT_SECRETS is {env}", found.redact),
        )
    });
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        inspection("redact.on", "the filter is on", on),
        record::in_force(evidence),
        record::promised(
            evidence,
            "redact.tried",
            "a planted secret is taken out, and without the filter nothing runs, by its self-test",
            &["secrets are redacted", "nothing runs without redactor"],
        ),
    ]
}
