//! redact.secrets: what looks like a secret does not reach the model.

use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::settings::Setting;
use super::{Claims, Control, never_short, no_attacks, settings};

pub const CONTROL: Control = Control {
    id: "redact.secrets",
    group: "What the agent may do",
    title: "Secrets are filtered",
    claim: "The agent's filter for secrets in tool output is on, and the agent cannot switch it off.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved for the settings in force; no secret was planted, and custom patterns are not in this version",
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
    vec![settings::in_force(evidence), settings::locked(evidence), inspection("redact.on", "the filter is on", on)]
}
