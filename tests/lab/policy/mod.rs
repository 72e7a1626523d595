//! The policy inside the running agent: its model does what it is told, whoever tells it, and the
//! host's own files, the sandbox's and the audit log say what came of it.

mod faults;
mod knocks;
mod off;
mod outside;
mod told;
mod works;
mod yolo;

use super::harness::{Host, Once, Shared, converged, ignored, lock_of, trial};
use super::telegram::bot::LISTED;
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::sync::MutexGuard;

/// A suite of the host and a release of the agent.
type Kind = (&'static str, &'static str);

const KINDS: [Kind; 4] = [("trixie", "0.19.0"), ("bookworm", "0.19.0"), ("trixie", "0.18.2"), ("bookworm", "0.18.2")];

type Test = fn(Kind) -> Result<()>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 7] = [
        ("chats, tools and timed jobs work", works::all),
        ("what the agent is told, by an allow list", told::judged),
        ("nothing that it would start by itself runs", outside::refused),
        ("approvals cannot be switched off by a chat", yolo::refused),
        ("secrets stay out of requests and of the log", told::redacted),
        ("where anything of it fails, nothing runs", faults::closed),
        ("the chain holds, and shows what was done to it", told::chained),
    ];
    let without = trial("policy::seen: without it, what it refuses is done", told::without_it);
    let mut trials = vec![ignored(without, "what each row of the policy would see without it; some minutes")];
    for suite in ["trixie", "bookworm"] {
        let one = trial(&format!("policy::the sandbox withstands, {suite}"), move || sandbox(suite));
        trials.push(if suite == "trixie" { one } else { ignored(one, "the first suite runs the same") });
        let one = trial(&format!("policy::knocks at the sandbox wash nothing out, {suite}"), move || {
            knocks::wash_nothing(suite)
        });
        trials.push(ignored(one, "a flood, and the wait for what it leaves in the journal"));
        // Both by default: the versions of Python start programs in other ways.
        let name = format!("policy::with the sandbox off, commands are handed no secret, {suite}");
        trials.push(trial(&name, move || off::no_secret(suite)));
    }
    for (number, kind) in KINDS.into_iter().enumerate() {
        for (name, test) in tests {
            let (suite, release) = kind;
            let one = trial(&format!("policy::{name}, {release} on {suite}"), move || test(kind));
            let again = "the first suite and release run the same";
            trials.push(if number == 0 { one } else { ignored(one, again) });
        }
    }
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

/// The hosts of these tests: a bot can be had by one only.
const HOSTS: [&str; 5] = ["policy-0", "policy-1", "policy-2", "policy-3", "bare"];

fn bot_of(host: &Host) -> Result<u64> {
    let number = HOSTS.iter().position(|name| host.name.ends_with(name)).context("a host without a bot")?;
    Ok(7020 + u64::try_from(number)?)
}

/// The one host of a kind, for one test at a time.
fn ours(kind: Kind) -> Result<MutexGuard<'static, Shared>> {
    static OURS: [Once<Shared>; 4] = [const { Once::new() }; 4];
    let number = KINDS.iter().position(|known| *known == kind).context("no such kind")?;
    let ours = OURS.get(number).context("no such host")?;
    ours.get(|| with_the_list(HOSTS.get(number).context("no such host")?, kind))
}

fn with_the_list(name: &str, (suite, release): Kind) -> Result<Shared> {
    let mut shared = converged(name, suite)?;
    let token = format!("{}:AAlabT0ken-of-n0-bot_at-all-0123456789", bot_of(&shared.host)?);
    shared.desk.set("TELEGRAM_BOT_TOKEN", Some(&token));
    let yaml = shared.desk.read("petasos.yaml")?;
    let telegram = format!("  platforms: {{ telegram: {{ allowed_users: [{LISTED}] }} }}\n");
    shared.desk.write("petasos.yaml", &format!("{yaml}{YAML}{telegram}"))?;
    shared.desk.write("petasos.lock", &lock_of(release)?)?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    Ok(shared)
}

/// The attacks of tests/sandbox, each of which gets through as root, and its cases.
fn sandbox(suite: &'static str) -> Result<()> {
    const FILES: [(&str, &str); 5] = [
        ("attacks", include_str!("../../sandbox/attacks.py")),
        ("behaviour", include_str!("../../sandbox/behaviour.py")),
        ("client", include_str!("../../sandbox/client.py")),
        ("hostile", include_str!("../../sandbox/hostile.py")),
        ("main", include_str!("../../sandbox/main.py")),
    ];
    let kind = KINDS.into_iter().find(|kind| kind.0 == suite).context("no such suite")?;
    let host = &ours(kind)?.host;
    for (name, text) in FILES {
        host.with_args("mkdir -p /root/cases; printf '%s' \"$2\" >/root/cases/\"$1\".py", &[name, text])?.ended(0)?;
    }
    // On its own: a console's command has two minutes.
    host.sh("systemd-run -q --unit=lab-cases --property=Type=exec sh -c 'cd /root/cases && exec python3 -B main.py >said 2>&1'")?;
    for _ in 0..300 {
        std::thread::sleep(std::time::Duration::from_secs(1));
        if !host.holds("systemctl -q is-active lab-cases.service")? {
            break;
        }
    }
    let said = host.sh("systemctl stop lab-cases.service 2>/dev/null || :; cat /root/cases/said")?;
    let (met, not_met): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.contains("\"met\": true"));
    ensure!(not_met.is_empty() && met.len() > 80, "{} met; not met: {not_met:#?}", met.len());
    Ok(())
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
