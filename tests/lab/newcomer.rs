//! A newcomer's first minutes: the doctor before the first run, the demo and the folder that it
//! leaves, and pinning from the lab's github.com.

use super::harness::world::{PETASOS, reap, world};
use super::harness::{Desk, Host, Said, slow, trial};
use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use std::path::Path;
use std::process::Command;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("newcomer::the doctor finds all that is in the way, and changes nothing", doctor),
        trial("newcomer::a first key stays out of known_hosts", first_key),
        trial("newcomer::lab env leads pin to the lab", lab_env),
        slow("newcomer::the demo leaves a folder in which every verb works", demo),
    ]
}

/// The one line of a level about this, of a host or of this machine; what to do is in it, where
/// there is something to do.
fn one(said: &Said, level: &str, place: &str, about: &str, part: &str) -> Result<()> {
    let of_it = |line: &&str| {
        let mut words = line.split_whitespace();
        (words.next(), words.next()) == (Some(level), Some(place)) && line.contains(&format!("  {about}: "))
    };
    let found: Vec<&str> = said.out.lines().filter(of_it).collect();
    ensure!(found.len() == 1, "not one `{level} {place} {about}`:\n{}", said.all());
    ensure!(found.iter().all(|line| line.contains(part)), "it does not say `{part}`: {found:?}");
    ensure!(level == "ok" || found.iter().all(|line| line.contains(" -> ")), "nothing to do: {found:?}");
    Ok(())
}

/// What a look may leave: marks of the login itself.
const CHANGED: &str = "find / -xdev -newer /root/mark -type f -not -path '/proc/*' -not -path '/sys/*' -not -path '/run/*' \
                       -not -path '/var/log/*' -not -path '/var/lib/systemd/*' -not -path '/root/mark'";

fn doctor() -> Result<()> {
    let host = Host::fresh("doctor", "trixie")?;
    let desk = Desk::of(&[&host])?;
    host.started()?;
    host.sh("touch /root/mark; sleep 1")?;
    let lock = desk.read("petasos.lock")?;
    let well = desk.petasos(&["doctor"])?.ended(0)?;
    for about in ["host key", "login", "system", "cloud-init", "apt", "clock", "disk", "plan", "secrets", "release"] {
        let level = if about == "host key" { "note" } else { "ok" };
        one(&well, level, "t-doctor", about, "")?;
    }
    ensure!(desk.read("petasos.lock")? == lock, "it wrote to petasos.lock");
    let changed = host.sh(CHANGED)?;
    ensure!(changed.is_empty(), "it changed the host:\n{changed}");
    // The control: a change would be found.
    host.sh("touch /etc/changed")?;
    ensure!(host.sh(CHANGED)? == "/etc/changed\n");

    // All at once, of which `up` names the first.
    host.sh("mkdir -p /usr/local/sbin; printf '#!/bin/sh\\n[ \"$1\" = +%%s ] && set -- +%%s -d \"2 hours ago\"\\nexec /usr/bin/date \"$@\"\\n' >/usr/local/sbin/date; chmod +x /usr/local/sbin/date")?;
    host.sh("mount --bind /opt /opt; mount -o remount,bind,ro /opt")?;
    let hold = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(120)";
    host.sh(&format!("setsid python3 -c \"{hold}\" </dev/null >/dev/null 2>&1 & sleep 1"))?;
    host.sh("useradd --system hermes; systemd-run -q --unit=other --uid=hermes sleep 300")?;
    host.sh("setsid sleep 300 </dev/null >/dev/null 2>&1 & pid=$!; start=$(awk '{ print $22 }' /proc/$pid/stat); mkdir -p /run/petasos; echo \"1-a $pid $start $pid $start ada on laptop, process 7\" >/run/petasos/holder")?;
    let yaml = desk.read("petasos.yaml")?;
    let sick = desk.petasos(&["doctor"])?.ended(2)?;
    one(&sick, "STOP", "t-doctor", "lock", "another run is in progress: ada on laptop, process 7")?;
    one(&sick, "STOP", "t-doctor", "user", "runs something else there already: other.service")?;
    one(&sick, "STOP", "t-doctor", "clock", "the host's clock says")?;
    one(&sick, "STOP", "t-doctor", "disk", "`/opt` cannot be written")?;
    one(&sick, "note", "t-doctor", "apt", "python3, process ")?;
    desk.write("petasos.yaml", &format!("{yaml}agent: {{ secrets: [WEATHER_API_KEY] }}\n"))?;
    let sick = desk.petasos(&["doctor"])?.ended(2)?;
    one(&sick, "STOP", "t-doctor", "clock", "the host's clock says")?;
    one(&sick, "STOP", "t-doctor", "plan", "the secret `WEATHER_API_KEY` is missing")?;
    one(&sick, "note", "t-doctor", "secrets", "`WEATHER_API_KEY`")?;
    desk.write("petasos.yaml", &yaml)?;
    // Without a lock file nobody knows what the host should be, but still what it is.
    std::fs::remove_file(desk.path("petasos.lock"))?;
    let sick = desk.petasos(&["doctor"])?.ended(2)?;
    one(&sick, "STOP", "here", "petasos.lock", "no lock file")?;
    one(&sick, "STOP", "t-doctor", "clock", "the host's clock says")?;
    ensure!(!desk.path("petasos.lock").exists(), "it wrote a lock file");
    host.sh("rm /etc/os-release; printf 'ID=fedora\\nVERSION_ID=42\\n' >/etc/os-release")?;
    one(&desk.petasos(&["doctor"])?.ended(2)?, "STOP", "t-doctor", "system", "this is fedora, not Debian or Ubuntu")
}

fn first_key() -> Result<()> {
    let host = Host::fresh("first-key", "bookworm")?;
    let desk = Desk::of(&[&host])?;
    let config = desk.read("ssh_config")?;
    let known = desk.path("known_hosts");
    let lines = config.lines().map(|line| match line.trim().split_once(' ') {
        Some(("UserKnownHostsFile", _)) => format!("  UserKnownHostsFile {}", known.display()),
        Some(("StrictHostKeyChecking", _)) => "  StrictHostKeyChecking accept-new".to_owned(),
        _ => line.to_owned(),
    });
    desk.write("ssh_config", &(lines.collect::<Vec<_>>().join("\n") + "\n"))?;
    one(&desk.petasos(&["doctor"])?.ended(0)?, "note", "t-first-key", "host key", "first contact")?;
    ensure!(!known.exists(), "it wrote to known_hosts");
    // The control: whoever is to keep the key does.
    desk.petasos(&["plan"])?.ended(2)?;
    ensure!(known.exists(), "nothing ever writes known_hosts here");
    one(&desk.petasos(&["doctor"])?.ended(0)?, "ok", "t-first-key", "host key", "as recorded")?;
    // A key that is not the known one is not taken for a first one.
    std::fs::remove_file(desk.path("petasos.lock"))?;
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh.service")?;
    one(&desk.petasos(&["doctor"])?.ended(2)?, "STOP", "t-first-key", "host key", "does not match")
}

/// `petasos` without anything of the tests' own environment.
fn plain(folder: &Path, script: &str) -> Result<Said> {
    let mut command = Command::new("timeout");
    command.args(["400", "sh", "-euc", script, PETASOS]).current_dir(folder).env_clear();
    command.envs(
        ["PATH", "HOME", "LANG", "SSL_CERT_FILE"].iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))),
    );
    Said::of(command, "")
}

fn lab_env() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let said = plain(folder.path(), "eval \"$(\"$0\" lab env)\"; \"$0\" pin 0.19.0")?.ended(0)?;
    said.says(&["https://github.com/NousResearch/hermes-agent"])?;
    let lock = std::fs::read_to_string(folder.path().join("petasos.lock"))?;
    ensure!(lock == super::harness::lock_of("0.19.0")?, "another release was pinned:\n{lock}");
    Ok(())
}

fn demo() -> Result<()> {
    reap("demo")?;
    let folder = tempfile::tempdir()?;
    world().runtime.block_on(world().lab.down("demo"))?;
    let first = plain(folder.path(), "exec \"$0\" demo")?.ended(0)?;
    first.says(&["$ petasos pin 0.19.0", "$ petasos up", "STUB OK: Hello", "petasos-demo"])?;
    let here = folder.path().join("petasos-demo");
    for verb in ["verify", "history", "changes", "egress", "render", "facts", "doctor", "policy test ls"] {
        let said = plain(&here, &format!("exec \"$0\" {verb}"))?;
        // Backups and others are not set up by this version, which `verify` says.
        ensure!(said.code != 1, "{verb} ended with {}:\n{}", said.code, said.all());
    }
    plain(&here, "exec \"$0\" plan")?.ended(0)?.says(&[": 0 changes to make"])?;
    plain(folder.path(), "exec \"$0\" demo")?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    plain(folder.path(), "exec \"$0\" demo --down")?.ended(0)?;
    ensure!(!here.exists(), "the folder is still there");
    let hosts = world().runtime.block_on(world().lab.list())?;
    ensure!(hosts.iter().all(|host| host.name != "demo"), "the host still runs");
    Ok(())
}
