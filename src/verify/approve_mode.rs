//! approve.mode: what runs is what the rules say, a person decides on the rest, and some commands
//! never run.

use super::answer::Verdict;
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, Endpoint};
use super::evidence::Evidence;
use super::report::Check;
use super::settings::Setting;
use super::tool_calls::table;
use super::{Claims, Control, never_short, record, settings};
use crate::addresses::API_PORT;
use crate::fault::Fault;
use core::net::Ipv4Addr;

pub const CONTROL: Control = Control {
    id: "approve.mode",
    group: "What the agent may do",
    title: "Approvals",
    claim: "Commands run as the declared mode says: listed ones only, or a person decides on dangerous ones. Silence is a no, denied patterns never run, and the agent can neither change that nor approve its own commands.",
    attacks,
    inspections,
    short: never_short,
    limits: "proved by the record of the agent's start and by asking the host's rules; no conversation was had. In the modes manual and smart, what the agent takes for harmless runs unasked",
    how: Some("`agent.approvals`, then `petasos up`"),
};

/// As the agent's user: who reaches the API may have the key from elsewhere, and approve with it.
fn attacks(_: &Claims) -> Vec<Attack> {
    let api = Call::Tcp(Endpoint::new(Ipv4Addr::LOCALHOST, API_PORT));
    vec![attack("approve.api", "the agent's own API, where its commands are approved", api, By::SameByRoot)]
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let approve = &claims.policy.approve;
    // The agent knows no list: what is not on it, its own rules ask about.
    let own = if approve.mode == "smart" { "smart" } else { "manual" };
    let mode = settings::of(evidence).map(|found| {
        let detail = format!("mode {}, in cron jobs {}, timeout {} s", found.mode, found.cron_mode, found.timeout);
        (found.mode.is(own) && found.cron_mode.is("deny") && matches!(found.timeout, Setting::Count(_)), detail)
    });
    let deny = settings::of(evidence).map(|found| match found.deny {
        Some(count @ 1..) => (true, format!("{count} patterns")),
        Some(0) => (false, "the deny list is empty".to_owned()),
        _ => (false, "the agent has no deny list".to_owned()),
    });
    let always = settings::of(evidence)
        .map(|found| (found.always_allowed == 0, format!("{} commands run without asking", found.always_allowed)));
    let promises = [
        "choke points in place",
        "approvals cannot be switched off",
        "arguments of a wrong type are refused",
        "nothing runs without policy",
        if approve.mode == "allowlist" { "an unlisted tool is refused" } else { "a tool's result is redacted" },
    ];
    let scripts = evidence.inspected().scripts.found().map(|count| match count {
        0 => (true, "no job has one".to_owned()),
        count => (false, format!("{count} in cron/jobs.json; the policy runs none of them")),
    });
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        inspection("approve.asks", "a person is asked", mode),
        inspection("approve.deny", "commands that never run", deny),
        inspection("approve.jobs", "timed jobs of the agent that would run a script, unasked", scripts),
        inspection("approve.always", "nothing was allowed permanently", always),
        record::in_force(evidence),
        record::promised(
            evidence,
            "approve.tried",
            "no way to a tool leads past the rules, by its self-test",
            &promises,
        ),
        inspection("approve.rules", "the host's rules, asked about each sort of command", rules(claims, evidence)),
    ]
}

fn rules(claims: &Claims, evidence: &Evidence) -> Result<(bool, String), Fault> {
    let (rows, said) = (table(claims), evidence.inspected().verdicts.found()?);
    if rows.len() != said.len() || rows.is_empty() {
        return Err(Fault::new(format!("{} answers to {} questions", said.len(), rows.len())));
    }
    let wrong = rows
        .iter()
        .zip(said)
        .find(|(row, Verdict { verdict, rule })| verdict != row.verdict || !rule.starts_with(row.rule));
    Ok(match wrong {
        None => (true, format!("{} questions, mode {}", rows.len(), claims.policy.approve.mode)),
        Some((row, said)) => {
            let due = format!("{} by `{}…`", row.verdict, row.rule);
            (false, format!("{}: {} by `{}`, not {due}", row.what, said.verdict, said.rule))
        }
    })
}
