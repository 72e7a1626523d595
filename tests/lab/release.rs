//! Releases on a real host, from the lab's github.com: forward with the data kept, back by itself,
//! and refused when they are not what the lock says.

use super::harness::world::world;
use super::harness::{Desk, Host, Once, Said, Shared, ignored, lock_of, ready, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::path::PathBuf;
use std::process::Command;
use std::sync::MutexGuard;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("release::pin says what git says", pins),
        slow("release::0.18.2 to 0.19.0 keeps the data, and the agent answers", upgrades),
        slow("release::one that ends at its start is rolled back by itself", || taken_back("fails", ENDS)),
        ignored(
            trial("release::one that never answers is rolled back by itself", || taken_back("hangs", HANGS)),
            "it waits out the whole patience with a start; one that ends at its start is less slow",
        ),
        ignored(
            trial("release::one that works for two minutes before it answers is waited for", waited_for),
            "it takes two minutes and more",
        ),
        slow("release::a lock that was tampered with, and a moved tag, are refused", not_as_pinned),
    ]
}

const TAGS: [(&str, &str); 2] = [("0.18.2", "v2026.7.7.2"), ("0.19.0", "v2026.7.20")];

/// What the gateway of a sick release does in its unit: elsewhere it imports well, and `pin` finds
/// nothing in it.
const ENDS: &str = "\n\nif os.environ.get(\"HERMES_MANAGED\"):\n    raise SystemExit(3)\n";
const HANGS: &str = "\n\nif os.environ.get(\"HERMES_MANAGED\"):\n    time.sleep(3600)\n";

const WORKS: &str = "\n\nif os.environ.get(\"HERMES_MANAGED\"):\n    end = time.monotonic() + 120\n    while time.monotonic() < end:\n        pass\n";

/// The host of these tests, on which 0.18.2 came first.
fn host() -> Result<MutexGuard<'static, Shared>> {
    static HOST: Once<Shared> = Once::new();
    HOST.get(|| {
        let host = Host::from("release", ready()?)?;
        let desk = Desk::of(&[&host])?;
        desk.write("petasos.lock", &lock_of("0.18.2")?)?;
        desk.petasos(&["up"])?.ended(0)?;
        Ok(Shared { host, desk })
    })
}

/// The same with a release of the lab's github.com on it.
fn host_with(version: &str) -> Result<MutexGuard<'static, Shared>> {
    let shared = host()?;
    shared.desk.write("petasos.lock", &lock_of(version)?)?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    ensure!(current(&shared.host)?.contains(&format!("/{version}-")), "{version} is not the current release");
    Ok(shared)
}

fn current(host: &Host) -> Result<String> {
    Ok(host.sh("readlink /opt/hermes/current")?.trim().to_owned())
}

fn git(words: &[&str], repository: &std::path::Path, input: &str, index: Option<&std::path::Path>) -> Result<String> {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(repository).args(["-c", "user.name=Lab", "-c", "user.email=lab@example.com"]);
    command.args(words).envs(index.map(|index| ("GIT_INDEX_FILE", index)));
    Ok(Said::of(command, input)?.ended(0).with_context(|| words.join(" "))?.out.trim().to_owned())
}

fn pins() -> Result<()> {
    let repository = world().lab.git_dir().join("NousResearch/hermes-agent.git");
    for (version, tag) in TAGS {
        let text = lock_of(version)?;
        for (key, name) in [("commit", format!("{tag}^{{commit}}")), ("tree", format!("{tag}^{{tree}}"))] {
            let id = git(&["rev-parse", &name], &repository, "", None)?;
            ensure!(text.contains(&format!("{key}: {id}")), "{key} of {tag} is {id}:\n{text}");
        }
    }
    Ok(())
}

fn upgrades() -> Result<()> {
    let shared = host_with("0.18.2")?;
    let (host, desk) = (&shared.host, &shared.desk);
    // Another test may have come before, and left the release there.
    host.sh("rm -rf /opt/hermes/releases/0.19.0-* /etc/hermes/policies/0.19.0.json")?;
    ensure!(host.chat("hello from before")? == "STUB OK: hello from before");
    let data = "/home/hermes/.hermes";
    host.sh(&format!("echo kept >{data}/memories/planted.md; chown hermes: {data}/memories/planted.md"))?;
    let database = "sqlite3.connect('file:/home/hermes/.hermes/state.db?mode=ro', uri=True)";
    let count = format!("print({database}.execute('select count(*) from messages').fetchone()[0])");
    let sessions = &format!("python3 -c \"import sqlite3; {count}\"");
    let before: u32 = host.sh(sessions)?.trim().parse()?;
    ensure!(before > 0, "the chat left no message in the agent's database");
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["release 0.19.0: installed: absent", "current release: link: "])?;
    let up = desk.petasos(&["up"])?.ended(0)?;
    ensure!(up.out.contains(": 5 changes,"), "{}", up.all());
    ensure!(current(host)?.contains("/0.19.0-"));
    ensure!(host.sh(&format!("cat {data}/memories/planted.md"))? == "kept\n");
    ensure!(host.sh(sessions)?.trim().parse::<u32>()? >= before, "messages are lost");
    ensure!(host.chat("hello from after")? == "STUB OK: hello from after");
    let main = host.unit("hermes.service", "MainPID")?;
    ensure!(host.sh(&format!("tr '\\0' '\\n' </proc/{main}/environ"))?.contains("HERMES_HOME=/home/hermes/.hermes"));
    // The code that runs is the new release's.
    ensure!(
        host.sh(&format!("readlink /proc/{main}/cwd; grep -c /0.19.0- /proc/{main}/maps || :"))?.lines().count() == 2
    );
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes"])
}

/// A repository beside the agent's, with one release more; gone with the value.
struct Fork {
    repository: PathBuf,
    source: String,
}

impl Fork {
    fn new(name: &str) -> Result<Fork> {
        let home = world().lab.git_dir();
        let repository = home.join(format!("petasos-tests/{name}.git"));
        let fork = Fork { source: format!("https://github.com/petasos-tests/{name}"), repository };
        drop(std::fs::remove_dir_all(&fork.repository));
        std::fs::create_dir_all(home.join("petasos-tests"))?;
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(home.join("NousResearch/hermes-agent.git")).arg(&fork.repository);
        Said::of(copy, "")?.ended(0)?;
        Ok(fork)
    }

    /// A commit on top of 0.19.0 with another version, and with `more` at the end of the gateway.
    fn commit(&self, version: &str, more: &str) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let index = folder.path().join("index");
        let git = |words: &[&str], input: &str| self::git(words, &self.repository, input, Some(&index));
        let base = TAGS[1].1;
        git(&["read-tree", base], "")?;
        for (path, old, new) in [
            ("pyproject.toml", "version = \"0.19.0\"".to_owned(), format!("version = \"{version}\"")),
            (
                "uv.lock",
                "name = \"hermes-agent\"\nversion = \"0.19.0\"".to_owned(),
                format!("name = \"hermes-agent\"\nversion = \"{version}\""),
            ),
            ("gateway/run.py", String::new(), String::new()),
        ] {
            let text = git(&["cat-file", "blob", &format!("{base}:{path}")], "")?;
            ensure!(text.contains(&old), "{path} has no `{old}`");
            let text =
                if old.is_empty() { format!("{text}\n{more}") } else { format!("{}\n", text.replacen(&old, &new, 1)) };
            let blob = git(&["hash-object", "-w", "--stdin"], &text)?;
            git(&["update-index", "--cacheinfo", &format!("100644,{blob},{path}")], "")?;
        }
        let tree = git(&["write-tree"], "")?;
        git(&["commit-tree", &tree, "-p", &format!("{base}^{{commit}}"), "-m", version], "")
    }

    fn tag(&self, tag: &str, commit: &str) -> Result<()> {
        git(&["tag", "--force", "--annotate", "-m", tag, tag, commit], &self.repository, "", None).map(drop)
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.repository));
    }
}

/// What must be as before when nothing was switched.
#[derive(Debug, PartialEq)]
struct State {
    current: String,
    invocation: String,
    releases: String,
}

fn state(host: &Host) -> Result<State> {
    Ok(State {
        current: current(host)?,
        invocation: host.unit("hermes.service", "InvocationID")?,
        releases: host.sh("ls -A /opt/hermes/releases")?,
    })
}

fn taken_back(name: &str, gateway: &str) -> Result<()> {
    let shared = host_with("0.19.0")?;
    let (host, desk) = (&shared.host, &shared.desk);
    let fork = Fork::new(name)?;
    fork.tag("v2026.7.21", &fork.commit("0.19.1", gateway)?)?;
    let good = state(host)?;
    desk.petasos(&["pin", "0.19.1", "--source", &fork.source])?.ended(0)?;
    let up = desk.petasos(&["up"])?.ended(4)?;
    up.says(&["`current release` was rolled back", "is not healthy; switched back to", "which answers"])?;
    ensure!(current(host)? == good.current, "current is {}", current(host)?);
    ensure!(host.sh("ls -A /opt/hermes")?.lines().all(|name| name != ".switching"), "the switch left its mark");
    ensure!(host.chat("who answers?")? == "STUB OK: who answers?");
    // It is still wanted, so the next run says so; with the old lock the agent is to be started
    // once more, for what it had read was taken back under it.
    desk.petasos(&["plan"])?.ended(2)?.says(&["current release: link: "])?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    let healed = desk.petasos(&["up"])?.ended(0)?;
    ensure!(healed.out.contains(": 1 change,") && healed.out.contains("unit hermes.service: read"), "{}", healed.all());
    desk.petasos(&["plan"])?.ended(0).map(drop)
}

fn waited_for() -> Result<()> {
    let shared = host_with("0.19.0")?;
    let (host, desk) = (&shared.host, &shared.desk);
    let fork = Fork::new("works")?;
    fork.tag("v2026.7.23", &fork.commit("0.19.3", WORKS)?)?;
    desk.petasos(&["pin", "0.19.3", "--source", &fork.source])?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(current(host)?.contains("/0.19.3-"), "current is {}", current(host)?);
    ensure!(host.chat("who answers?")? == "STUB OK: who answers?");
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])
}

fn refused(shared: &Shared, good: &State, words: &[&str]) -> Result<()> {
    let up = shared.desk.petasos(&["up"])?.ended(1)?;
    up.says(words)?;
    up.says(&["refused", "the running release is unchanged"])?;
    let now = state(&shared.host)?;
    ensure!(now.current == good.current && now.invocation == good.invocation, "{now:?} after {good:?}");
    ensure!(!now.releases.contains(".staging"), "{now:?}");
    Ok(())
}

fn not_as_pinned() -> Result<()> {
    let shared = host_with("0.19.0")?;
    let fork = Fork::new("other")?;
    fork.tag("v2026.7.22", &fork.commit("0.19.2", "# good\n")?)?;
    shared.desk.petasos(&["pin", "0.19.2", "--source", &fork.source])?.ended(0)?;
    let good = state(&shared.host)?;
    tampered(&shared, &good)?;
    moved(&shared, &good, &fork)
}

fn tampered(shared: &Shared, good: &State) -> Result<()> {
    let sound = shared.desk.read("petasos.lock")?;
    let at = sound.find("\"0.19.2\":\n").context("no 0.19.2 in the lock")?;
    for (key, words) in [
        ("tree", "the tree"),
        ("archive_sha256", "the archive digest"),
        ("uv_lock_sha256", "the digest of uv.lock"),
        ("commit", "MOVED TAG"),
    ] {
        let (before, after) = sound.split_at(at);
        let value = after.split(&format!(" {key}: ")).nth(1).and_then(|rest| rest.lines().next()).context(key)?;
        let other: String = value.chars().rev().collect();
        shared.desk.write("petasos.lock", &format!("{before}{}", after.replacen(value, &other, 1)))?;
        refused(shared, good, &[words]).with_context(|| format!("another {key}"))?;
    }
    shared.desk.write("petasos.lock", &sound)
}

fn moved(shared: &Shared, good: &State, fork: &Fork) -> Result<()> {
    fork.tag("v2026.7.22", &fork.commit("0.19.2", "# not so good\n")?)?;
    refused(shared, good, &["MOVED TAG: v2026.7.22"])?;
    // Pinning it again is refused as well, and the lock stays.
    let lock = shared.desk.read("petasos.lock")?;
    let pin = shared.desk.petasos(&["pin", "0.19.2", "--source", &fork.source])?.ended(1)?;
    pin.says(&["v2026.7.22"])?;
    ensure!(shared.desk.read("petasos.lock")? == lock, "the lock was rewritten");
    Ok(())
}
