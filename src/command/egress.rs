//! `petasos egress`: what the agent reached, what it was refused, and what to allow.

use super::each::{each, report};
use super::hosts::{HostArgs, Subject};
use super::since::checked;
use crate::config::egress::Allowed;
use crate::desired::claims;
use crate::run::egress::{EgressBy, EgressLog, EgressRecord, EgressState};
use crate::run::{Job, Watch};
use crate::ui::report::size;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct EgressArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// How far to look back: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = checked)]
    pub since: String,
}

/// What a host allows already, as petasos.yaml has it.
#[derive(Debug)]
struct Lists {
    agent: Vec<Allowed>,
    sandbox: Vec<Allowed>,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &EgressArgs) -> Result<ExitCode> {
    let jobs = args.hosts.agents_with(Subject::Host, |choice, read| {
        let settings = &choice.settings;
        let sandbox = settings.agent.sandbox.as_ref().map(|sandbox| sandbox.allow.clone());
        let lists = Lists { agent: settings.network.egress.allow.clone(), sandbox: sandbox.unwrap_or_default() };
        Ok((lists, claims::names(choice, read.config, read.lock, read.sources)))
    })?;
    // As journalctl(1) takes it, to which `m` is a minute too.
    let since = format!("-{}", args.since);
    let ask = move |job: Arc<Job>, about: Arc<(Lists, BTreeSet<String>)>, watch: Watch| {
        let since = since.clone();
        async move { job.egress(&since, &about.1, &watch).await }
    };
    let done = each(jobs, &args.hosts, ask).await;
    report(
        done,
        args.hosts.json,
        |(lists, _), egress| Ok(value(lists, egress)),
        |job, (lists, _), egress| text(&job.name, &args.since, lists, egress),
    )
}

fn value(lists: &Lists, egress: &EgressLog) -> Value {
    let allow = |by, allowed: &[Allowed]| {
        proposal(&egress.names, by, allowed).keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    let EgressLog { names, more, lost, refused } = egress;
    json!({
        "names": names, "more": more, "lost": lost, "refused": refused,
        "allow": allow(EgressBy::Agent, &lists.agent), "sandbox_allow": allow(EgressBy::Sandbox, &lists.sandbox),
    })
}

fn text(host: &str, since: &str, lists: &Lists, egress: &EgressLog) -> String {
    let mut text = format!("{host}: what the agent (user hermes) requested in the last {since}\n{}", table(egress));
    let mut heading = "\n# To allow what was refused, add these names (these are requests, not necessarily needs):\n";
    for (by, list, allowed) in [
        (EgressBy::Agent, "network:\n  egress:\n    allow:\n", &lists.agent),
        (EgressBy::Sandbox, "agent:\n  sandbox:\n    allow:\n", &lists.sandbox),
    ] {
        let proposal = proposal(&egress.names, by, allowed);
        if proposal.is_empty() {
            continue;
        }
        text += std::mem::take(&mut heading);
        text += list;
        text.extend(allowed.iter().map(|name| format!("      - {:?}\n", name.to_string())));
        for (name, (count, why)) in &proposal {
            text += &format!("      - {:<40} # {why} {}\n", format!("{:?}", name.to_string()), times(*count));
        }
    }
    text
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

fn table(egress: &EgressLog) -> String {
    let mut text = String::new();
    for record in &egress.names {
        let state = match record.state {
            EgressState::Allowed => "allowed",
            EgressState::Refused => "refused",
            EgressState::Failed => "not reached",
            EgressState::Learnt => "allowed while learning",
            EgressState::Unknown => "no such name",
        };
        let by = if record.by == EgressBy::Sandbox { "  (the sandbox)" } else { "" };
        let port = if record.port == 0 { String::new() } else { format!(":{}", record.port) };
        let name = if record.name.is_empty() { "(no name that can be read)".into() } else { shown(&record.name) };
        let (first, last) = (moment(record.first), moment(record.last));
        let carried = if record.sent + record.received == 0 {
            String::new()
        } else {
            format!("  {} out, {} in", size(record.sent), size(record.received))
        };
        text += &format!("  {state:<20} {:>7}  {first} to {last}  {name}{port}{by}{carried}\n", record.count);
    }
    if egress.names.is_empty() {
        text += "  nothing recorded\n";
    }
    if egress.more > 0 {
        text += &format!("  and {} rarer names\n", egress.more);
    }
    if egress.lost > 0 {
        text += &format!("  {} log lines were dropped because they arrived too fast\n", egress.lost);
    }
    let counted: Vec<String> = egress.refused.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if !counted.is_empty() {
        text += &format!("  packets refused since the filter was loaded: {}\n", counted.join(", "));
    }
    text
}

/// A name may hold what a terminal would obey.
fn shown(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_ascii_graphic() { vec![c] } else { c.escape_unicode().collect() }).collect()
}

/// `11-22 15:04` by UTC.
pub fn moment(seconds: u64) -> String {
    crate::calendar::calendar(seconds).get(5..16).unwrap_or_default().to_owned()
}

/// The smallest addition to the list of one: each name that was refused, if it is one that can be
/// allowed. A name below one that is allowed, which was asked for and never dialled, is shown and
/// not proposed: a name that does not exist may carry what somebody wanted out.
fn proposal(names: &[EgressRecord], by: EgressBy, allowed: &[Allowed]) -> BTreeMap<Allowed, (u64, &'static str)> {
    let below = |name: &str| {
        let name = name.to_ascii_lowercase();
        allowed.iter().any(|one| one.is_above(name.trim_end_matches('.')))
    };
    let mut proposal = BTreeMap::new();
    for record in names.iter().filter(|record| record.by == by) {
        let why = match record.state {
            EgressState::Allowed | EgressState::Failed => continue,
            EgressState::Unknown if below(&record.name) => continue,
            EgressState::Learnt => "allowed",
            EgressState::Refused => "refused",
            EgressState::Unknown => "asked for",
        };
        // A connection without a name, or to an address, can never be allowed.
        let Ok(name) = Allowed::try_from(record.name.clone()) else { continue };
        let entry = proposal.entry(name).or_insert((0, why));
        entry.0 += record.count;
    }
    proposal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, state: EgressState, count: u64) -> EgressRecord {
        let by = EgressBy::Agent;
        EgressRecord { by, name: name.into(), port: 443, state, count, first: 0, last: 60, sent: 0, received: 0 }
    }

    #[test]
    fn only_names_that_can_be_allowed_are_proposed() {
        let names = [
            record("openrouter.ai", EgressState::Allowed, 3),
            record("a.example.com", EgressState::Refused, 2),
            record("A.example.com", EgressState::Unknown, 1),
            record("", EgressState::Refused, 9),
            record("203.0.113.7", EgressState::Refused, 9),
            record("\u{1b}[31m.x", EgressState::Unknown, 1),
            record("736b2d6c656164.openrouter.ai", EgressState::Unknown, 1),
            record("deep.736b2d6c656164.wild.example.com.", EgressState::Unknown, 1),
            record("xopenrouter.ai", EgressState::Unknown, 1),
            record("status.openrouter.ai", EgressState::Refused, 1),
            EgressRecord { by: EgressBy::Sandbox, ..record("b.example.com", EgressState::Refused, 4) },
        ];
        let allowed = ["openrouter.ai", "*.wild.example.com"].map(|name| Allowed::try_from(name.to_owned()).unwrap());
        let proposed = |by| -> Vec<(String, u64)> {
            proposal(&names, by, &allowed).into_iter().map(|(name, (count, _))| (name.to_string(), count)).collect()
        };
        let expected = [("a.example.com", 3), ("status.openrouter.ai", 1), ("xopenrouter.ai", 1)];
        assert_eq!(proposed(EgressBy::Agent), expected.map(|(name, count)| (name.to_owned(), count)));
        assert_eq!(proposed(EgressBy::Sandbox), [("b.example.com".to_owned(), 4)]);
    }

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        let text =
            table(&EgressLog { names: vec![record("\u{1b}[31mx\n", EgressState::Refused, 1)], ..EgressLog::default() });
        assert!(!text.contains('\u{1b}') && text.lines().count() == 1, "{text}");
    }
}
