//! `petasos verify` of a host with a backup, and of a vault: met, and not met where it is broken.

use super::{World, world};
use crate::harness::{Said, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

struct Broken {
    name: &'static str,
    /// On the host, and on the vault.
    web: &'static str,
    vault: &'static str,
    /// Whose control is not met then, and by which check.
    host: &'static str,
    check: &'static str,
}

const PLAIN: Broken = Broken { name: "", web: "", vault: "", host: "web", check: "" };

const BROKEN: &[Broken] = &[
    Broken {
        name: "the vault lets things go",
        vault: "sed -i '/\"--append-only\",/d' /usr/lib/petasos/vault/serve.py",
        check: "backup.kept",
        ..PLAIN
    },
    Broken {
        name: "there is no next one",
        web: "systemctl disable --now petasos-backup.timer",
        check: "backup.timer",
        ..PLAIN
    },
    Broken {
        name: "the last good one is old",
        web: "sed -i -E \"s/(\\\"ended\\\": )[0-9]+/\\1$(date -d '2 days ago' +%s)/\" /var/lib/petasos-backup/state/good.json",
        check: "backup.fresh",
        ..PLAIN
    },
    Broken {
        name: "others can read the password",
        web: "chmod 644 /etc/petasos/backup/password",
        check: "declared",
        ..PLAIN
    },
    Broken {
        name: "the vault holds another snapshot's content",
        web: "sed -i -E 's/\"report\": \"../\"report\": \"00/' /var/lib/petasos-backup/state/good.json",
        check: "backup.restored",
        ..PLAIN
    },
    Broken {
        name: "nothing has arrived for two days",
        vault: "find /srv/petasos-vault/web/*/snapshots -type f -exec touch -d '2 days ago' {} +; systemctl start petasos-vault-watch.service || :",
        host: "box",
        check: "vault.fresh",
        ..PLAIN
    },
];

pub fn trials() -> Vec<Trial> {
    let broken =
        |broken: &'static Broken| trial(&format!("backup::verify, seen: {}", broken.name), move || seen(broken));
    let met = trial("backup::verify of host and vault", || met(&*world()?));
    std::iter::once(met).chain(BROKEN.iter().map(broken)).collect()
}

fn met(world: &World) -> Result<()> {
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.vault.sh("systemctl start petasos-vault-watch.service petasos-vault-scrub.service")?;
    let said = world.desk.petasos(&["verify", "--json"])?;
    for host in ["web", "box"] {
        let control = control(&said, host)?;
        ensure!(control["verdict"] == "met", "{host}: {control:#}");
    }
    said.ended(0).map(drop)
}

fn control(said: &Said, host: &str) -> Result<Value> {
    let report: Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
    let hosts = report["hosts"].as_array().context("no hosts")?;
    let host = hosts.iter().find(|one| one["host"] == host).context("no such host")?;
    let mut controls = host["controls"].as_array().context("no controls")?.iter();
    controls.find(|control| control["id"] == "backup.nightly").cloned().context("no such control")
}

fn seen(broken: &Broken) -> Result<()> {
    let world = &*world()?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.web.sh("cp -a /var/lib/petasos-backup/state /root/state.kept")?;
    world.web.sh(broken.web)?;
    world.vault.sh(broken.vault)?;
    let said = world.desk.petasos(&["verify", broken.host, "--json"])?;
    world.web.sh("cp -a /root/state.kept/. /var/lib/petasos-backup/state/; rm -r /root/state.kept")?;
    world.desk.petasos(&["up"])?.ended(0)?;
    let control = control(&said, broken.host)?;
    let checks = control["checks"].as_array().context("no checks")?;
    let check = checks.iter().find(|check| check["id"] == broken.check).with_context(|| format!("{control:#}"))?;
    ensure!(control["verdict"] == "not_met" && check["result"] == "not_met", "{control:#}");
    ensure!(said.code == 2, "it ended with {}:\n{}", said.code, said.err);
    met(world)
}
