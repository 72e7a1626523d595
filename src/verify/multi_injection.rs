//! multi.injection: planted instructions are looked for. Advisory: what is found is noted.

use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short, no_attacks, record};

pub const CONTROL: Control = Control {
    id: "multi.injection",
    group: "What the agent may do",
    title: "Injection filter",
    claim: "Messages and the results of tools are scanned for planted instructions, and what is found stands in the audit log as `flags`.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "advisory: a hit refuses nothing, and a scan by patterns finds only what it knows; the sandbox and the rules are what holds",
    how: Some("`petasos up`"),
};

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    vec![
        record::in_force(evidence),
        record::promised(
            evidence,
            "injection.tried",
            "a planted instruction is found, and plain text is not flagged, by its self-test",
            &["messages are scanned"],
        ),
    ]
}
