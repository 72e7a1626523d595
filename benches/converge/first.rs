//! The first run, against a script that a careful person would write for the same packages, files,
//! release and agent.

use crate::hosts::{Bench, RELEASE, Way, timed};
use crate::table::{self, Samples};
use anyhow::{Context, Result, ensure};
use petasos::lab::LabHost;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;

pub const HOST: &str = "b-first";
const BY_HAND: &str = include_str!("by-hand.sh");
const HEALTH: &str = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8642/health').status)";

/// How long each phase took, over all samples.
type Phases = BTreeMap<String, Samples>;

pub async fn compare(bench: &Bench, hosts: &[LabHost], pairs: usize) -> Result<()> {
    let model = hosts.first().context("there is no converged host")?;
    let kit = kit(bench, &bench.way(model, Duration::ZERO).await?).await?;
    let (mut hand, mut ours) = (Samples::new(), Samples::new());
    let (mut hand_phases, mut our_phases) = (Phases::new(), Phases::new());
    for pair in 0..pairs {
        // Alternating, so that neither always has the warmer machine.
        for by_hand in [pair % 2 == 0, pair % 2 != 0] {
            bench.lab.down(HOST).await?;
            let host = bench.host(HOST).await?;
            let way = bench.way(&host, Duration::ZERO).await?;
            let began = Instant::now();
            let (name, samples) = if by_hand {
                run_by_hand(&way, &kit, &mut hand_phases).await?;
                ("the script by hand", &mut hand)
            } else {
                phases(bench.up(&[&way], "root")?, &mut our_phases, step).await?;
                ("petasos up", &mut ours)
            };
            let time = began.elapsed();
            let (_, output) = timed(way.ssh("ops", &["python3", "-c", &format!("\"{HEALTH}\"")])).await?;
            ensure!(output.stdout == b"200\n", "the agent of {name} is not healthy");
            eprintln!("first run, {name}: {:.1} s", time.as_secs_f64());
            samples.add(time);
        }
    }
    table::pair("the first run of a fresh host", ("the script by hand", &hand), ("petasos up", &ours), Some(1.25));
    println!("  where it goes, by hand:  {}", longest(&hand_phases));
    println!("  where it goes, petasos:  {}", longest(&our_phases));
    Ok(())
}

/// What the person has beside the script: the files that Petasos would write, with owner, group and
/// mode of each.
async fn kit(bench: &Bench, model: &Way) -> Result<PathBuf> {
    let kit = bench.path("kit");
    let config = model.ssh_config.to_string_lossy();
    let target = format!("root@{}", model.address);
    let (_, output) = timed(bench.petasos(&["render", "--json", "--ssh-config", &config, &target])).await?;
    let rendered: Value = serde_json::from_slice(&output.stdout).context("cannot read what `render` said")?;
    let mut list = String::new();
    for put in rendered.as_object().into_iter().flat_map(|hosts| hosts.values()).filter_map(Value::as_array).flatten() {
        let word = |key: &str| put.get(key).and_then(Value::as_str).with_context(|| format!("a file has no `{key}`"));
        let path = word("path")?;
        // Its values are secret; the script makes its own.
        if !["/etc/hermes/.env", "/etc/hermes/secrets.env"].contains(&path) {
            write(&kit.join("files").join(path.trim_start_matches('/')), word("content")?)?;
            list.push_str(&format!("{} {} {} {path}\n", word("owner")?, word("group")?, word("mode")?));
        }
    }
    write(&kit.join("files.txt"), &list)?;
    write(&kit.join("set-up.sh"), BY_HAND)?;
    let lock: Value = serde_yaml::from_str(&std::fs::read_to_string(bench.path("petasos.lock"))?)?;
    let release = lock.pointer(&format!("/releases/{RELEASE}")).context("the lock has no such release")?;
    let fact = |key: &str| release.get(key).and_then(Value::as_str).unwrap_or_default();
    let (uv, digests) = (petasos::release::steps::UV_VERSION, petasos::release::steps::UV_SHA256.join(" "));
    let facts = format!(
        "version={RELEASE}\nsource={}\ntag={}\ncommit={}\nuv_version={uv}\nuv_digests='{digests}'\n",
        fact("source"),
        fact("tag"),
        fact("commit")
    );
    write(&kit.join("facts.sh"), &facts)?;
    Ok(kit)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

async fn run_by_hand(way: &Way, kit: &Path, into: &mut Phases) -> Result<()> {
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C").arg(kit).args(["-c", "."]).stdout(Stdio::piped());
    let tar = tar.spawn().context("cannot start tar")?;
    let mut copy = way.ssh("root", &["mkdir -p kit && tar -xC kit"]);
    copy.stdin(tar.stdout.context("tar has no output")?);
    timed(copy).await?;
    phases(way.ssh("root", &["OPENROUTER_API_KEY=for-the-lab-only sh -eu kit/set-up.sh 2>&1"]), into, by_hand).await
}

/// `[31/44] release 0.19.0: …` begins a step of its kind.
fn step(line: &str) -> Option<String> {
    let (_, after) = line.split_once(": ")?;
    let Some((_, step)) = after.strip_prefix('[').and_then(|step| step.split_once("] ")) else {
        return Some(after.split([',', ':']).next()?.trim_start_matches(|c: char| c.is_numeric()).trim().to_owned());
    };
    let words: Vec<&str> = step.split(' ').take(if step.starts_with("unit ") { 2 } else { 1 }).collect();
    Some(words.join(" ").trim_end_matches(':').to_owned())
}

fn by_hand(line: &str) -> Option<String> {
    line.strip_prefix("== ").map(str::to_owned)
}

/// Runs a command that must succeed, and takes the time from each line that names a phase to the
/// next.
async fn phases(
    mut command: tokio::process::Command,
    into: &mut Phases,
    name: fn(&str) -> Option<String>,
) -> Result<()> {
    let (lines, both) = std::io::pipe()?;
    let mut child = command.stdout(both.try_clone()?).stderr(both).spawn().context("cannot start a program")?;
    // Its ends of the pipe, which would keep the reader waiting.
    drop(command);
    let mut lines = BufReader::new(pipe::Receiver::from_owned_fd(lines.into())?).lines();
    let (mut current, mut since, mut all) = ("start".to_owned(), Instant::now(), String::new());
    let mut times: BTreeMap<String, Duration> = BTreeMap::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(next) = name(&line) {
            *times.entry(std::mem::replace(&mut current, next)).or_default() += since.elapsed();
            since = Instant::now();
        }
        all.push_str(&line);
        all.push('\n');
    }
    *times.entry(current).or_default() += since.elapsed();
    ensure!(child.wait().await?.success(), "a first run failed:\n{all}");
    times.into_iter().for_each(|(phase, time)| into.entry(phase).or_default().add(time));
    Ok(())
}

fn longest(phases: &Phases) -> String {
    let mut list: Vec<(&String, f64)> = phases.iter().map(|(name, samples)| (name, samples.median())).collect();
    list.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let shown = list.iter().take(8).map(|(name, time)| format!("{name} {time:.1} s"));
    shown.collect::<Vec<_>>().join(", ")
}
