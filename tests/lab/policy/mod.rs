//! The policy inside the running agent: its model does what it is told, whoever tells it, and the
//! host's own files, the sandbox's and the audit log say what came of it.

mod faults;
mod told;

use super::harness::{Once, Shared, converged, ignored, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::sync::MutexGuard;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for suite in ["trixie", "bookworm"] {
        let here = [
            trial(&format!("policy::what the agent is told, by an allow list, {suite}"), move || told::judged(suite)),
            trial(&format!("policy::secrets stay out of requests and of the log, {suite}"), move || {
                told::redacted(suite)
            }),
            trial(&format!("policy::where anything of it fails, nothing runs, {suite}"), move || faults::closed(suite)),
            trial(&format!("policy::the chain holds, and shows what was done to it, {suite}"), move || {
                told::chained(suite)
            }),
        ];
        let second = |one| ignored(one, "the second suite takes as long again as the first");
        trials.extend(here.into_iter().map(|one| if suite == "trixie" { one } else { second(one) }));
    }
    trials.push(trial("policy::seen: without it, what it refuses is done", told::without_it));
    trials
}

/// What petasos.yaml says of the agent on these hosts.
const YAML: &str = r#"agent:
  approvals:
    mode: allowlist
    allow: ["touch *", "echo *", "cat *"]
    deny: ["touch mark-denied*"]
    tools: [terminal, delegate_task, read_file]
  redact: { patterns: ["corp-[0-9]{8}"], replacement: "[GONE]" }
"#;

/// The one host of a suite, for one test at a time.
fn ours(suite: &'static str) -> Result<MutexGuard<'static, Shared>> {
    static OURS: [Once<Shared>; 2] = [const { Once::new() }; 2];
    let [trixie, bookworm] = &OURS;
    let host = if suite == "trixie" { trixie } else { bookworm };
    host.get(|| with_the_list(&format!("policy-{suite}"), suite))
}

fn with_the_list(name: &str, suite: &str) -> Result<Shared> {
    let shared = converged(name, suite)?;
    let yaml = shared.desk.read("petasos.yaml")?;
    shared.desk.write("petasos.yaml", &format!("{yaml}{YAML}"))?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    Ok(shared)
}

/// The newest line of the audit log that is of this event and has these words.
fn on_record(shared: &Shared, event: &str, words: &str) -> Result<Value> {
    let log = shared.host.with_args(
        "grep -h -F -e \"$2\" /var/log/hermes/audit.jsonl | grep -F \"\\\"event\\\":\\\"$1\\\"\" | tail -n 1",
        &[event, words],
    )?;
    let line = log.out.trim();
    ensure!(!line.is_empty(), "no line of the audit log is `{event}` and has `{words}`");
    serde_json::from_str(line).with_context(|| line.to_owned())
}
