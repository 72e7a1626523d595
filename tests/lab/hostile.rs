//! A hostile host against the operator: whatever it answers, each verb ends in bounded time and
//! memory with an error, and nothing that acts on a terminal comes through.

use super::harness::{Desk, Host, Said, ignored, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

const ANSWERS: &str = include_str!("hostile.py");
/// Runs the rest of its arguments, and writes its peak of resident memory, in KiB, to the first.
const PEAK: &str = "import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open(sys.argv[1], 'w'))
sys.exit(code)";
/// What an answer may add to that of one `petasos`, or of the `ssh` that it starts, whichever is
/// larger: seven times the 8 MiB that it may have.
const ADDED_KIB: u64 = 56 << 10;

/// Every verb that dials.
const VERBS: &[&[&str]] = &[
    &["up"],
    &["plan"],
    &["plan", "--diff"],
    &["verify"],
    &["facts"],
    &["egress"],
    &["changes"],
    &["history"],
    &["undo"],
    &["audit"],
    &["audit", "verify"],
    &["denials"],
    &["policy", "test"],
];

/// What ends at once.
const QUICK: &[&str] = &[
    "noise",
    "frames",
    "large",
    "header",
    "twice",
    "other",
    "more",
    "escaped name",
    "broken",
    "locked",
    "escapes",
    "long",
    "history",
    "egress",
    "audit",
];
/// What ends with petasos's patience.
const SLOW: &[&str] = &["complaints", "silence", "trickle", "random"];

pub fn trials() -> Vec<Trial> {
    let long = "the patience with a host that says nothing is two minutes";
    vec![
        slow("hostile::no answer costs memory, time or the terminal", || all(QUICK, Duration::from_secs(40))),
        ignored(trial("hostile::nor does an answer without end", || all(SLOW, Duration::from_secs(180))), long),
    ]
}

fn all(modes: &[&str], most: Duration) -> Result<()> {
    let host = Host::fresh(if modes == QUICK { "hostile" } else { "hostile-slow" }, "trixie")?;
    host.with_args("printf %s \"$1\" >/hostile.py", &[ANSWERS])?.ended(0)?;
    host.sh("printf 'ForceCommand /usr/bin/python3 /hostile.py\\n' >/etc/ssh/sshd_config.d/00-hostile.conf
        printf 'MaxSessions 100\\nMaxStartups 100\\n' >>/etc/ssh/sshd_config.d/00-hostile.conf; systemctl reload ssh")?;
    let mut wrong = Vec::new();
    for mode in modes {
        host.with_args("printf %s \"$1\" >/etc/hostile-mode", &[mode])?.ended(0)?;
        let found = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for verb in VERBS {
                let (host, found) = (&host, &found);
                scope.spawn(move || {
                    if let Err(why) = one(host, verb, mode, most) {
                        found.lock().expect("no thread panics").push(format!("{mode}: {}: {why:#}", verb.join(" ")));
                    }
                });
            }
        });
        wrong.extend(found.into_inner()?);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn one(host: &Host, verb: &[&str], mode: &str, most: Duration) -> Result<()> {
    let desk = Desk::of(&[host])?;
    let words: Vec<&str> = if verb.first() == Some(&"policy") {
        vec!["policy", "test", &host.name, "true"]
    } else if verb.first() == Some(&"undo") || verb.first() == Some(&"audit") {
        verb.iter().copied().chain([host.name.as_str()]).collect()
    } else {
        verb.to_vec()
    };
    // Without any answer: of a debugging build the program alone is a quarter of it.
    let mut alone = Command::new("python3");
    alone.args(["-c", PEAK]).arg(desk.path("alone")).arg(desk.command(&[]).get_program()).arg("--version");
    Said::of(alone, "")?.ended(0)?;
    let alone: u64 = desk.read("alone")?.trim().parse().context("no peak")?;
    let reads = ["history", "egress", "audit"].contains(&mode) && verb != ["up"];
    let dressed = desk.command(&words);
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", &(most.as_secs() + 60).to_string(), "python3", "-c", PEAK]).arg(desk.path("peak"));
    command.arg(dressed.get_program()).args(dressed.get_args()).env_clear().current_dir(desk.path(""));
    command.envs(dressed.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = Said::of(command, "")?;
    // What only reads shows what it was told.
    ensure!((if reads { 0..=4 } else { 1..=4 }).contains(&said.code), "it ended with {}:\n{}", said.code, said.all());
    ensure!(said.took < most, "it took {:?}", said.took);
    ensure!(!said.err.contains("panicked"), "{}", said.err);
    ensure!(said.code != 1 || said.err.contains("error: ") || said.out.contains("error"), "no error:\n{}", said.all());
    let peak: u64 = desk.read("peak")?.trim().parse().context("no peak")?;
    ensure!(peak < alone + ADDED_KIB, "it had {peak} KiB of memory, and {alone} without an answer");
    let acts = |c: char| c != '\n' && c != '\t' && c.is_control();
    ensure!(!said.all().contains(acts), "something acts on the terminal: {:?}", said.all());
    Ok(())
}
