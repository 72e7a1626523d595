//! approve.mode: a person decides on what is dangerous, and some commands never run.

use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::settings::Setting;
use super::{Claims, Control, never_short, no_attacks, settings};

pub const CONTROL: Control = Control {
    id: "approve.mode",
    group: "What the agent may do",
    title: "Approvals",
    claim: "A dangerous command waits for a person, silence is a no, denied patterns never run, and the agent cannot change that.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved for the settings in force; whether the agent obeys them was not tried",
    how: Some("`agent.approvals.mode: manual`, then `petasos up`"),
};

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    let mode = settings::of(evidence).map(|found| {
        let detail = format!("mode {}, in cron jobs {}, timeout {} s", found.mode, found.cron_mode, found.timeout);
        (found.mode.is("manual") && found.cron_mode.is("deny") && matches!(found.timeout, Setting::Count(_)), detail)
    });
    let deny = settings::of(evidence).map(|found| match found.deny {
        Some(count @ 1..) => (true, format!("{count} patterns")),
        Some(0) => (false, "the deny list is empty".to_owned()),
        _ => (false, "the agent has no deny list".to_owned()),
    });
    let always = settings::of(evidence)
        .map(|found| (found.always_allowed == 0, format!("{} commands run without asking", found.always_allowed)));
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        inspection("approve.asks", "a person is asked", mode),
        inspection("approve.deny", "commands that never run", deny),
        inspection("approve.always", "nothing was allowed permanently", always),
    ]
}
