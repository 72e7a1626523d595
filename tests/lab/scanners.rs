//! Scanners of others, Lynis and ssh-audit as Debian has them, on a host as a provider hands it
//! over and on a converged one: the first is the control. No test of Lynis's is left out; which
//! points it does not give, and why, is in docs/hardening.md.

use super::harness::{Host, Shared, converged, ignored, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let row = |suite: &'static str| {
        trial(&format!("scanners::find less on a converged host, {suite}"), move || scanned(suite))
    };
    ["trixie", "bookworm"].map(|suite| ignored(row(suite), "Lynis runs for minutes, on two hosts")).into()
}

/// What Lynis must give a converged host in a container.
const INDEX: u32 = 74;
/// Waits as long as the console does.
const ENDED: &str = "timeout 100 sh -c 'while systemctl is-active --quiet lab-lynis.service; do sleep 1; done'";

fn scanned(suite: &'static str) -> Result<()> {
    let work = std::thread::spawn(move || -> Result<(Host, Lynis)> {
        let host = Host::fresh(&format!("scanned-{suite}"), suite)?;
        install(&host, "lynis")?;
        let found = lynis(&host)?;
        Ok((host, found))
    });
    let Shared { host, desk } = &converged(&format!("scanned-too-{suite}"), suite)?;
    install(host, "lynis")?;
    let found = lynis(host)?;
    let (fresh, before) = work.join().ok().context("the fresh host's scan panicked")??;
    eprintln!("{suite}: Lynis {}: {} on a fresh host, {} on a converged one", found.version, before.index, found.index);
    ensure!(before.version == found.version, "two versions: {} and {}", before.version, found.version);
    ensure!(before.index < found.index && found.index >= INDEX, "{} is not {INDEX} or more", found.index);

    // An older ssh-audit knows nothing of key exchanges that withstand quantum computers.
    let auditor = if suite == "trixie" { None } else { Some(Host::fresh("auditor", "trixie")?) };
    let auditor = auditor.as_ref().unwrap_or(&fresh);
    install(auditor, "ssh-audit")?;
    let audit = |of: &Host| ssh_audit(auditor, &of.address.to_string());
    let (before, after) = (audit(&fresh)?, audit(host)?);
    eprintln!("{suite}: ssh-audit {}: {before} on a fresh host, {after} on a converged one", after.version);
    ensure!(before.fail > 0 && before.warn > 0, "it finds nothing on a fresh host: no test of the other");
    ensure!(after.fail == 0 && after.warn == 0, "{after}:\n{}", after.said);

    // A scan leaves nothing that the next run would have to put right.
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip\n"])
}

fn install(host: &Host, packages: &str) -> Result<()> {
    let apt = "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update";
    host.sh(&format!("{apt} && apt-get -qq -y --no-install-recommends install {packages} >/dev/null 2>&1")).map(drop)
}

struct Lynis {
    version: String,
    index: u32,
}

/// An audit by root, with the settings that Lynis comes with.
fn lynis(host: &Host) -> Result<Lynis> {
    // A unit of its own: on a machine that is busy it takes minutes.
    host.sh("test ! -e /etc/lynis/custom.prf; systemd-run --quiet --unit=lab-lynis lynis audit system --quiet")?;
    let mut waits = 4;
    while !host.holds(ENDED)? {
        waits -= 1;
        ensure!(waits > 0, "Lynis does not come to an end on {}", host.name);
    }
    let report = host.sh("cat /var/log/lynis-report.dat")?;
    let value = |name: &str| {
        let line = report.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(str::to_owned).with_context(|| format!("Lynis's report has no {name}"))
    };
    ensure!(value("finish")? == "true", "Lynis was broken off on {}:\n{report}", host.name);
    let left_out = host.sh("grep -i 'skipped by configuration' /var/log/lynis.log || :")?;
    ensure!(left_out.is_empty(), "tests are left out:\n{left_out}");
    Ok(Lynis { version: value("lynis_version")?, index: value("hardening_index")?.parse()? })
}

struct Found {
    version: String,
    fail: usize,
    warn: usize,
    said: String,
}

impl std::fmt::Display for Found {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} failures and {} warnings", self.fail, self.warn)
    }
}

/// What one host finds of another's port 22.
fn ssh_audit(from: &Host, address: &str) -> Result<Found> {
    let said = from.run(&format!("ssh-audit --no-colors {address}"))?.all();
    ensure!(said.contains("(kex) ") && said.contains("(enc) "), "ssh-audit saw no algorithms:\n{said}");
    let count = |word: &str| said.lines().filter(|line| line.contains(word)).count();
    let version = from.sh("dpkg-query -W -f '${Version}' ssh-audit")?;
    Ok(Found { version, fail: count("[fail]"), warn: count("[warn]"), said })
}
