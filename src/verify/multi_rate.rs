//! multi.rate: nobody gets more than a share.

use super::attack::inspection;
use super::claims::Rates;
use super::evidence::Evidence;
use super::report::{Check, ControlStatus};
use super::{Claims, Control, no_attacks, record};

pub const CONTROL: Control = Control {
    id: "multi.rate",
    group: "What the agent may do",
    title: "Rate limits",
    claim: "Each user of a platform and each route of the webhooks gets a limited number of answers, counted by the audit writer, over restarts.",
    attacks: no_attacks,
    inspections,
    short,
    limits: "proved with a share of its own that the self-test of the agent's start uses up; no user's message was sent",
    how: Some("`agent.platforms.<platform>.rate_limit: 30/hour`, then `petasos up`"),
};

fn short(claims: &Claims) -> Option<(ControlStatus, String)> {
    let Rates { platforms, webhook_route, .. } = &claims.policy.rate;
    let free = claims.platforms.iter().filter(|name| platforms.get(*name).is_some_and(Option::is_none));
    let mut off: Vec<String> = free.map(|name| format!("`agent.platforms.{name}.rate_limit: off`")).collect();
    if webhook_route.is_none() {
        off.push("`agent.rate_limits.webhook_route: off`".to_owned());
    }
    (!off.is_empty()).then(|| (ControlStatus::NotMet, format!("{}: nothing is limited there", off.join(", "))))
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let declared = evidence.inspected().policy.found().map(|running| {
        let (theirs, ours) = (&running.rate, &claims.policy.rate);
        let limited = theirs.platforms.values().flatten().count();
        if theirs == ours {
            let usual =
                ours.default.map_or("none".to_owned(), |limit| format!("{} in {} s", limit.count, limit.seconds));
            (true, format!("{limited} platforms are limited by name, others: {usual}"))
        } else {
            (false, "the host's policy has other limits than petasos.yaml".to_owned())
        }
    });
    vec![
        record::in_force(evidence),
        inspection("rate.declared", "the limits of the host's policy", declared),
        record::promised(
            evidence,
            "rate.tried",
            "the second message of a share of one is turned down, by its self-test",
            &["messages are counted"],
        ),
    ]
}
