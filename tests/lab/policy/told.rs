//! What the agent is told, and what came of it. Everything that is refused was also seen done, on a
//! host where the agent runs without the policy.

use super::super::harness::world::world;
use super::super::harness::{Host, SECRET, Shared};
use super::{Kind, on_record, ours, outside, with_the_list, yolo};
use anyhow::{Context, Result, ensure};

/// One thing that the agent is told.
struct Told {
    /// Also in the name of what it leaves behind.
    name: &'static str,
    /// As the lab's model obeys it; `MARK` is the name of what it leaves behind.
    say: &'static str,
    runs: bool,
    /// The tool that the log has a refusal of, and of which rule or reason it speaks.
    refused: (&'static str, &'static str),
}

const RUNS: (&str, &str) = ("", "");

const TOLD: &[Told] = &[
    Told { name: "listed", say: "RUN: touch MARK", runs: true, refused: RUNS },
    Told { name: "unlisted", say: "RUN: mkdir MARK", runs: false, refused: ("terminal", "no rule allows") },
    Told { name: "compound", say: "RUN: echo a && touch MARK", runs: false, refused: ("terminal", "") },
    Told { name: "substituted", say: "RUN: echo $(touch MARK)", runs: false, refused: ("terminal", "") },
    Told { name: "denied", say: "RUN: touch MARK", runs: false, refused: ("terminal", "deny rule") },
    Told {
        name: "background",
        say: r#"TOOL: terminal {"command": "touch MARK", "background": true}"#,
        runs: false,
        refused: ("terminal", "background"),
    },
    Told {
        name: "code",
        say: r#"TOOL: execute_code {"code": "open('MARK', 'w').close()"}"#,
        runs: false,
        refused: ("execute_code", ""),
    },
    Told {
        name: "file",
        say: r#"TOOL: write_file {"path": "MARK", "content": "x"}"#,
        runs: false,
        refused: ("write_file", ""),
    },
    Told {
        name: "cron",
        say: r#"TOOL: cronjob {"action": "create", "schedule": "every 2h", "name": "MARK", "prompt": "MARK"}"#,
        runs: false,
        refused: ("cronjob", ""),
    },
    Told {
        name: "memory",
        say: r#"TOOL: memory {"action": "add", "target": "memory", "content": "MARK"}"#,
        runs: false,
        refused: ("memory", ""),
    },
    Told {
        name: "child",
        say: r#"TOOL: delegate_task {"goal": "RUN: mkdir MARK"}"#,
        runs: false,
        refused: ("terminal", "no rule allows"),
    },
];

/// Whether something of this name is in a home, in the sandbox, or in what the agent keeps.
const LEFT: &str = r#"
find /home/hermes /var/lib/petasos-sandbox /tmp /var/tmp -name "$1*" 2>/dev/null | grep -q . && exit
grep -rqF -e "$1" /home/hermes/.hermes/cron /home/hermes/.hermes/memories 2>/dev/null"#;

fn mark(told: &Told) -> String {
    format!("mark-{}", told.name)
}

/// What the agent answers, and whether it was done.
fn tried(host: &Host, told: &Told) -> Result<(String, bool)> {
    let mark = mark(told);
    let answer = host.chat(&told.say.replace("MARK", &mark))?;
    Ok((answer, host.with_args(LEFT, &[&mark])?.code == 0))
}

pub fn judged(kind: Kind) -> Result<()> {
    let shared = &*ours(kind)?;
    let mut wrong = Vec::new();
    for told in TOLD {
        let (answer, done) = tried(&shared.host, told)?;
        let (tool, why) = told.refused;
        if done != told.runs {
            wrong.push(format!("{}: done: {done}: {answer}", told.name));
        } else if told.runs {
            let line = on_record(shared, "tool_call", &mark(told))?;
            ensure!(line.get("uid").is_some() && line.get("prev").is_some(), "{line}");
        } else {
            let line = on_record(shared, "command_denied", &mark(told));
            let said = line.as_ref().map(ToString::to_string).unwrap_or_default();
            if !said.contains(&format!("\"tool\":\"{tool}\"")) || !said.contains(why) {
                wrong.push(format!("{}: on record is {line:?}, answered {answer}", told.name));
            }
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    // What was refused, and by whom it may be allowed.
    let denials = shared.desk.petasos(&["denials", "--since", "1h"])?.ended(0)?;
    denials.says(&["mkdir mark-unlisted", "execute_code"])
}

/// The unit without the policy's launcher, and the agent's own settings as they would be without
/// a sandbox and an approval.
const BARE: &str = include_str!("bare.sh");

pub fn without_it() -> Result<()> {
    let shared = with_the_list("bare", ("trixie", "0.19.0"))?;
    shared.host.sh(BARE)?;
    let mut not_done = Vec::new();
    for told in TOLD {
        let (answer, done) = tried(&shared.host, told)?;
        if !done {
            not_done.push(format!("{}: {answer}", told.name));
        }
    }
    ensure!(not_done.is_empty(), "{not_done:#?}");
    outside::done(&shared)?;
    yolo::done(&shared)?;
    shared.desk.petasos(&["plan"])?.ended(2)?.says(&["hermes.service", "/etc/hermes/config.yaml"])?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    let (answer, done) = tried(&shared.host, &Told { name: "healed", say: "RUN: mkdir MARK", ..TOLD[1] })?;
    ensure!(!done, "{answer}");
    Ok(())
}

/// Secrets of three kinds: the host's own, those of a family, those of a custom pattern.
pub fn redacted(kind: Kind) -> Result<()> {
    let shared = &*ours(kind)?;
    let family = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let custom = "corp-08154711";
    let place = "/usr/local/share/lab-secret";
    for secret in [SECRET, family, custom] {
        // By a command's output, by a file's contents, and in a message.
        shared.host.with_args("printf 'pieces %s pieces\n' \"$2\" >\"$1\"", &[place, secret])?.ended(0)?;
        for told in [format!("RUN: cat {place}"), format!("TOOL: read_file {{\"path\": \"{place}\"}}")] {
            let said = shared.host.chat(&told)?;
            ensure!(said.contains("pieces [GONE] pieces") && !said.contains(secret), "{told}: {said}");
        }
        let said = shared.host.chat(&format!("remember {secret} for me"))?;
        ensure!(said == "STUB OK: remember [GONE] for me", "{said}");
    }
    shared.host.sh(&format!("rm {place}"))?;
    let asked = std::fs::read_to_string(world().lab.internet_log())?;
    let ours = shared.host.address.to_string();
    let ours: Vec<&str> = asked.lines().filter(|line| line.contains(&ours)).collect();
    ensure!(ours.iter().any(|line| line.contains("remember")), "the model's log has nothing of this host");
    let log = shared.host.sh("cat /var/log/hermes/audit.jsonl")?;
    ensure!(log.contains("lab-secret"), "the audit log has nothing of it");
    for secret in [SECRET, family, custom] {
        ensure!(!ours.iter().any(|line| line.contains(secret)), "the model was told a secret");
        ensure!(!log.contains(secret), "the audit log has a secret");
    }
    Ok(())
}

/// Over a rotation and restarts; and an edited, a removed and a cut off line.
pub fn chained(kind: Kind) -> Result<()> {
    let Shared { host, desk } = &*ours(kind)?;
    host.chat("before")?;
    host.sh("systemctl restart petasos-audit.service; systemctl restart hermes.service")?;
    host.answers()?;
    ensure!(host.chat("after")? == "STUB OK: after");
    desk.petasos(&["audit", "verify", &host.name])?.ended(0)?;
    let log = host.sh("cat /var/log/hermes/audit.jsonl")?;
    let lines: Vec<&str> = log.lines().collect();
    ensure!(lines.len() > 10, "a short log:\n{log}");
    let (middle, last) = (lines.len() / 2, lines.len() - 1);
    let whole = |lines: &[&str]| lines.join("\n") + "\n";
    let mut edited: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let line = edited.get_mut(middle).context("no line")?;
    *line = line.replacen("\"time\":\"2", "\"time\":\"1", 1);
    let edited: Vec<&str> = edited.iter().map(String::as_str).collect();
    let removed: Vec<&str> = [&lines[..middle], &lines[middle + 1..]].concat();
    desk.write("whole.jsonl", &whole(&lines))?;
    desk.petasos(&["audit", "verify", "whole.jsonl"])?.ended(0)?;
    for (name, text) in [("edited.jsonl", whole(&edited)), ("removed.jsonl", whole(&removed))] {
        desk.write(name, &text)?;
        desk.petasos(&["audit", "verify", name])?.ended(2)?;
    }
    host.with_args(
        "cp -a /var/log/hermes/audit.jsonl /root/kept; head -n \"$1\" /root/kept >/var/log/hermes/audit.jsonl",
        &[&(last - 1).to_string()],
    )?
    .ended(0)?;
    // The writer goes on where it was, and its next line is not the one that is due.
    host.chat("after the cut")?;
    let cut = desk.petasos(&["audit", "verify", &host.name]);
    host.sh("cat /root/kept >/var/log/hermes/audit.jsonl; rm /root/kept; systemctl restart petasos-audit.service")?;
    // What was written after the cut is gone with it: from here on the log stays broken.
    cut?.ended(2).map(drop)
}
