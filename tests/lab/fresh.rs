//! From nothing to converged, and then nothing more to do, in one round trip.

use super::harness::{First, Host, Shared, first, shared, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("fresh::one up converges both suites at once", converges),
        trial("fresh::up again makes no change on either", again),
    ];
    for suite in ["trixie", "bookworm"] {
        trials.push(trial(&format!("fresh::a converged host costs one command, {suite}"), move || one_command(suite)));
    }
    trials
}

fn converges() -> Result<()> {
    let first = first()?;
    first.up.says(&["t-trixie", "t-bookworm", "Debian 13", "Debian 12"])?;
    eprintln!("the first up, both suites at once: {:.1} s", first.up.took.as_secs_f64());
    for units in &first.units {
        let (enabled, failed) = units.split_once('\n').context("no word of the agent's unit")?;
        ensure!(enabled == "enabled", "{units}");
        ensure!(!failed.contains("hermes") && !failed.contains("petasos"), "{failed}");
    }
    Ok(())
}

fn again() -> Result<()> {
    let First { again, plan, .. } = first()?;
    ensure!(again.code == 0 && plan.code == 0, "{}\n{}", again.all(), plan.all());
    ensure!(again.out.matches(": 0 changes,").count() == 2, "{}", again.all());
    ensure!(again.out.matches("1 round trip\n").count() == 2, "{}", again.all());
    Ok(())
}

/// The commands that sshd started for somebody during `work`, by its own log.
fn commands(host: &Host, work: impl FnOnce() -> Result<()>) -> Result<usize> {
    const MARK: &str = "journalctl --sync; journalctl -q -n 1 -o export | sed -n 's/^__CURSOR=//p'";
    let cursor = host.sh(MARK)?;
    work()?;
    let log =
        format!("journalctl --sync; journalctl -q -o cat -t sshd -t sshd-session --after-cursor='{}'", cursor.trim());
    Ok(host.sh(&log)?.lines().filter(|line| line.starts_with("Starting session:")).count())
}

fn one_command(suite: &str) -> Result<()> {
    let Shared { host, desk } = &*shared(suite)?;
    let two = || {
        host.login("ops", &[], "true")?.ended(0)?;
        host.login("ops", &[], "true")?.ended(0).map(drop)
    };
    ensure!(commands(host, two)? == 2, "sshd's log does not count as it should");
    for verb in ["up", "plan"] {
        let run = || desk.petasos(&[verb])?.ended(0)?.says(&[": 0 changes", "1 round trip"]);
        let count = commands(host, run)?;
        ensure!(count == 1, "`{verb}` on a converged host ran {count} commands over SSH");
    }
    Ok(())
}
