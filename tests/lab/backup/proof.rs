//! `petasos verify` of a host with a backup, and of a vault: met, and not met where it is broken.

use super::{World, world};
use crate::breaks::backup::{BROKEN, Broken};
use crate::harness::{Said, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

pub fn trials() -> Vec<Trial> {
    let alone = |broken: &'static Broken| {
        let name = format!("backup::verify, seen: {}", broken.name);
        slow(&name, move || seen(&[broken]).and_then(|()| met(&*world()?)))
    };
    let (long, short): (Vec<_>, Vec<_>) = BROKEN.iter().partition(|one| one.long);
    let met = trial("backup::verify of host and vault", || met(&*world()?));
    // Each that shows another control to fail, in one run.
    let at_once = trial("backup::verify, seen: one of each control", move || seen(&short));
    [met, at_once].into_iter().chain(long.into_iter().map(alone)).collect()
}

fn met(world: &World) -> Result<()> {
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.vault.sh("systemctl start petasos-vault-watch.service petasos-vault-scrub.service")?;
    let said = world.desk.petasos(&["verify", "--json"])?;
    for (host, id) in [
        ("web", "backup.nightly"),
        ("box", "backup.nightly"),
        ("web", "backup.drill"),
        ("web", "backup.retention"),
        ("box", "backup.retention"),
    ] {
        let control = control(&said, host, id)?;
        ensure!(control["verdict"] == "met", "{host}: {control:#}");
    }
    said.ended(0).map(drop)
}

fn control(said: &Said, host: &str, id: &str) -> Result<Value> {
    let report: Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
    let hosts = report["hosts"].as_array().context("no hosts")?;
    let host = hosts.iter().find(|one| one["host"] == host).context("no such host")?;
    let mut controls = host["controls"].as_array().context("no controls")?.iter();
    controls.find(|control| control["id"] == id).cloned().context("no such control")
}

fn seen(broken: &[&Broken]) -> Result<()> {
    let world = &*world()?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.web.sh("cp -a /var/lib/petasos-backup/state /root/state.kept")?;
    for one in broken {
        world.vault.sh(one.vault)?;
        world.web.sh(one.web)?;
    }
    let said = world.desk.petasos(&["verify", "--json"])?;
    world.web.sh("cp -a /root/state.kept/. /var/lib/petasos-backup/state/; rm -r /root/state.kept")?;
    for one in broken {
        world.vault.sh(one.vault_after)?;
    }
    world.desk.petasos(&["up"])?.ended(0)?;
    ensure!(said.code == 2, "it ended with {}:\n{}", said.code, said.err);
    for one in broken {
        let control = control(&said, one.host, one.control)?;
        let checks = control["checks"].as_array().context("no checks")?;
        let check = checks.iter().find(|check| check["id"] == one.check).with_context(|| format!("{control:#}"))?;
        ensure!(control["verdict"] == "not_met" && check["result"] == "not_met", "not seen: {}\n{control:#}", one.name);
    }
    Ok(())
}
