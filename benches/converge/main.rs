//! `cargo bench`: how long Petasos takes, next to what cannot be avoided. It prints ratios of
//! medians and asserts nothing.
//!
//! 1. `petasos up` on a converged host against bare `ssh HOST true`, interleaved, at 0 ms and at 50
//!    ms of round trip.
//! 2. `petasos up` on eight converged hosts against one.
//! 3. the first `petasos up` of a fresh host against a script that somebody wrote by hand for the
//!    same end.
//!
//! 4. the agent's way out, through resolver and proxy, against the straight one.
//! 5. a chat and a command with the policy inside the agent, against the same agent without it.
//! 6. a first backup of 5 GB, against restic by itself with the same store.
//!
//! `cargo bench -- [--quick] [--keep] [one] [eight] [first] [egress] [policy] [backup]`: fewer
//! samples; leave the lab's hosts; only these parts.

mod backup;
mod egress;
mod first;
mod hosts;
mod policy;
mod proxy;
mod table;

use anyhow::{Context, Result, bail};
use hosts::{Bench, timed};
use petasos::lab::LabHost;
use std::time::{Duration, Instant};
use table::Samples;
use tokio::task::JoinSet;

const PARTS: [&str; 6] = ["one", "eight", "first", "egress", "policy", "backup"];
const MANY: usize = 8;

struct Options {
    quick: bool,
    keep: bool,
    parts: Vec<String>,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { quick: false, keep: false, parts: Vec::new() };
        for word in words {
            match word.as_str() {
                // cargo says so to every benchmark.
                "--bench" => {}
                "--quick" => options.quick = true,
                "--keep" => options.keep = true,
                part if PARTS.contains(&part) => options.parts.push(word),
                _ => bail!(
                    "unknown word `{word}`\nhint: cargo bench -- [--quick] [--keep] [one] [eight] [first] [egress] [policy] [backup]"
                ),
            }
        }
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let bench = Bench::open().await?;
    let count = if options.wants("eight") { MANY } else { 1 };
    let names: Vec<String> = (1..=count).map(|number| format!("b-{number}")).collect();
    let done = measure(&bench, &options, &names).await;
    if !options.keep {
        for name in names
            .iter()
            .map(String::as_str)
            .chain([first::HOST])
            .chain(egress::HOSTS)
            .chain(policy::HOSTS)
            .chain(backup::HOSTS)
        {
            bench.lab.down(name).await?;
        }
    }
    done
}

async fn measure(bench: &Bench, options: &Options, names: &[String]) -> Result<()> {
    let hosts = converged(bench, names).await?;
    table::head();
    if options.wants("one") {
        for (round_trip, target) in [(0, 2.5), (50, 1.5)] {
            one(bench, &hosts, Duration::from_millis(round_trip), target, if options.quick { 7 } else { 25 }).await?;
        }
    }
    if options.wants("eight") {
        for round_trip in [0, 50] {
            eight(bench, &hosts, Duration::from_millis(round_trip), if options.quick { 5 } else { 15 }).await?;
        }
    }
    if options.wants("first") {
        first::compare(bench, &hosts, if options.quick { 1 } else { 3 }).await?;
    }
    if options.wants("egress") {
        egress::compare(bench, if options.quick { 1 } else { 3 }).await?;
    }
    if options.wants("policy") {
        policy::compare(bench, if options.quick { 9 } else { 25 }).await?;
    }
    if options.wants("backup") {
        let (pairs, megabytes) = if options.quick { (1, 500) } else { (3, 5000) };
        backup::compare(bench, pairs, megabytes).await?;
    }
    Ok(())
}

/// Lab hosts on which `up` has nothing left to do.
async fn converged(bench: &Bench, names: &[String]) -> Result<Vec<LabHost>> {
    let mut hosts = Vec::new();
    for name in names {
        hosts.push(bench.host(name).await?);
    }
    bench.pin().await?;
    eprintln!("bringing {} lab hosts to what is wanted", hosts.len());
    // Two at a time: these are the machine's own cores.
    let ways = ways(bench, &hosts, Duration::ZERO).await?;
    let mut command = bench.up(&ways.iter().collect::<Vec<_>>(), "root")?;
    command.args(["--parallel", "2"]);
    timed(command).await?;
    Ok(hosts)
}

async fn ways(bench: &Bench, hosts: &[LabHost], round_trip: Duration) -> Result<Vec<hosts::Way>> {
    let mut ways = Vec::new();
    for host in hosts {
        ways.push(bench.way(host, round_trip).await?);
    }
    Ok(ways)
}

async fn one(bench: &Bench, hosts: &[LabHost], round_trip: Duration, target: f64, samples: usize) -> Result<()> {
    let (mut bare, mut ours) = (Samples::new(), Samples::new());
    let way = bench.way(hosts.first().context("there is no host")?, round_trip).await?;
    for sample in 0..=samples {
        let ssh = timed(way.ssh("ops", &["true"])).await?.0;
        let up = bench.idle_up(&[&way]).await?;
        // The first pair warms caches.
        if sample > 0 {
            bare.add(ssh);
            ours.add(up);
        }
    }
    let title = format!("a converged host, {} ms of round trip", round_trip.as_millis());
    table::pair(&title, ("ssh HOST true", &bare), ("petasos up", &ours), Some(target));
    Ok(())
}

async fn eight(bench: &Bench, hosts: &[LabHost], round_trip: Duration, samples: usize) -> Result<()> {
    let [mut alone, mut all, mut bare_alone, mut bare_all] = [const { Samples::new() }; 4];
    let ways = ways(bench, hosts, round_trip).await?;
    let together: Vec<&hosts::Way> = ways.iter().collect();
    let first = together.get(..1).unwrap_or_default();
    for sample in 0..=samples {
        let times =
            [bare(first).await?, bench.idle_up(first).await?, bare(&together).await?, bench.idle_up(&together).await?];
        if sample > 0 {
            let samples = [&mut bare_alone, &mut alone, &mut bare_all, &mut all];
            samples.into_iter().zip(times).for_each(|(samples, time)| samples.add(time));
        }
    }
    let title = format!("{MANY} converged hosts, {} ms of round trip", round_trip.as_millis());
    table::pair(&title, ("petasos up, one of them", &alone), ("petasos up, all of them", &all), Some(3.0));
    // The lab's hosts share this machine's cores: so much of it is the machine's, and no program's.
    table::pair(
        "  for scale",
        ("ssh HOST true, one of them", &bare_alone),
        ("ssh HOST true, all at once", &bare_all),
        None,
    );
    Ok(())
}

/// `ssh HOST true` on all of them at once.
async fn bare(ways: &[&hosts::Way]) -> Result<Duration> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for way in ways {
        tasks.spawn(timed(way.ssh("ops", &["true"])));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}
