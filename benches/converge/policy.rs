//! What the policy costs: the same agent with it and without it, one after the other.

use crate::hosts::{Bench, Way, timed};
use crate::table::{self, Samples};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

pub const HOSTS: [&str; 2] = ["b-policy", "b-bare"];

const BARE: &str = include_str!("../../tests/lab/policy/bare.sh");
/// One message to the agent; prints the answer's status and how long it took.
const TALK: &str = include_str!("talk.py");
/// Of the agent's process and of the audit writer's, in KiB, by what they share counted in parts.
const MEMORY: &str = "for u in hermes petasos-audit; do p=$(systemctl show --value -p MainPID $u.service); \
sed -n 's/^Pss: *\\([0-9]*\\).*/\\1/p' /proc/$p/smaps_rollup; done | paste -sd' '";

pub async fn compare(bench: &Bench, rounds: usize) -> Result<()> {
    let [with, without] = HOSTS;
    let with = bench.way(&bench.host(with).await?, Duration::ZERO).await?;
    let without = bench.way(&bench.host(without).await?, Duration::ZERO).await?;
    timed(bench.up(&[&with, &without], "root")?).await?;
    as_root(&without, BARE).await?;
    for (title, message, target) in
        [("a chat", "hello", Some(1.1)), ("a chat with a command (target: at most 0.120 s more)", "RUN: true", None)]
    {
        let (mut bare, mut ours) = (Samples::new(), Samples::new());
        for round in 0..=rounds {
            for first in [round % 2 == 0, round % 2 != 0] {
                let (way, samples) = if first { (&with, &mut ours) } else { (&without, &mut bare) };
                let time = as_root(way, &format!("python3 -I - '{message}' <<'END'\n{TALK}\nEND")).await?;
                let (status, time) = time.trim().split_once(' ').with_context(|| time.clone())?;
                ensure!(status == "200", "a chat ended with {status}");
                // The first pair warms caches.
                if round > 0 {
                    samples.add(Duration::from_secs_f64(time.parse()?));
                }
            }
        }
        table::pair(title, ("without the policy", &bare), ("with it", &ours), target);
        println!("  {:+.3} s", ours.median() - bare.median());
    }
    let (with, without) = (as_root(&with, MEMORY).await?, as_root(&without, MEMORY).await?);
    println!("  memory of agent and audit writer in KiB: {} with it, {} without it", with.trim(), without.trim());
    Ok(())
}

async fn as_root(way: &Way, script: &str) -> Result<String> {
    let (_, output) = timed(way.ssh("ops", &[&format!("sudo bash -e -s <<'SCRIPT'\n{script}\nSCRIPT")])).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
