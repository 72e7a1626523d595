//! audit.denials: what was refused comes back, grouped, with a rule where a rule should allow it.

use super::answer::{Denial, Running};
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short, no_attacks, record};
use crate::audit::denials::all_groups;
use crate::audit::record::Record;
use crate::fault::Fault;
use serde_json::json;

pub const CONTROL: Control = Control {
    id: "audit.denials",
    group: "What is recorded",
    title: "Denials",
    claim: "What the agent is refused is on record with the reason, and `petasos denials` groups it and proposes the smallest rule.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved with what the self-test of the agent's start was refused",
    how: Some("`petasos up`"),
};

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    vec![
        record::in_force(evidence),
        inspection(
            "denials.grouped",
            "the refusals of its self-test are on record, and are grouped",
            evidence.inspected().policy.found().and_then(grouped),
        ),
    ]
}

fn grouped(running: &Running) -> Result<(bool, String), Fault> {
    let records: Vec<Record> = running.denials.iter().map(record_of).collect::<Result<_, _>>()?;
    let bare = running.denials.iter().find(|denial| denial.reason.is_empty());
    let groups = all_groups(&records);
    Ok(match (groups.first(), bare) {
        (None, _) => (false, "the running agent has no refusal on record, not even of its self-test".to_owned()),
        (_, Some(denial)) => (false, format!("line {} has no reason", denial.seq)),
        (Some(first), None) => {
            (true, format!("{} refusals, first {} of `{}`", records.len(), first.count, first.shape))
        }
    })
}

fn record_of(denial: &Denial) -> Result<Record, Fault> {
    let Denial { seq, time, tool, reason, rule } = denial;
    let line =
        json!({ "event": "command_denied", "seq": seq, "time": time, "tool": tool, "reason": reason, "rule": rule });
    serde_json::from_value(line).map_err(|error| Fault::new(error.to_string()))
}
