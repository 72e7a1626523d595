//! What a run that dies leaves half done, and what somebody changed since: the next run heals it.

use super::{World, alarm, unmade, world};
use crate::harness::slow;
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

pub fn trials() -> Vec<Trial> {
    vec![
        slow("backup::the client dies again and again on the way to the first backup", killed_again),
        slow("backup::a restic that says more than was asked, as that of Ubuntu 22.04", talks),
        slow("backup::what somebody changed on host and vault is put right", put_right),
    ]
}

/// One run, which dies in the step after so many; whether it came to its end.
fn dies(world: &World, after: usize) -> Result<bool> {
    let mut command = world.desk.command(&["up"]);
    // What a killed client leaves here goes with the desk.
    command.env("TMPDIR", world.desk.path("")).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut steps = 0;
    let mut talk = String::new();
    for line in BufReader::new(child.stderr.take().context("no stderr")?).lines() {
        let line = line?;
        steps += usize::from(line.contains(": ["));
        talk += &format!("{line}\n");
        if steps > after {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
    }
    ensure!(child.wait()?.success(), "a run failed:\n{talk}");
    Ok(true)
}

fn killed_again() -> Result<()> {
    let world = unmade("backup-killed")?;
    let mut deaths = 0;
    // What is made under the guard is made in one go, or taken back: so each lives longer.
    while !dies(&world, 2 + 2 * deaths)? {
        deaths += 1;
        ensure!(deaths < 40, "it never comes to an end");
    }
    eprintln!("backup: {deaths} runs died on the way");
    ensure!(deaths > 5, "it died {deaths} times only: there was next to nothing to do");
    world.desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    let good = world.record("good.json")?;
    ensure!(good["outcome"] == "good" && good == world.record("last.json")?, "{good}");
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.vault.sh("systemctl start petasos-vault-watch.service petasos-vault-scrub.service")?;
    world.desk.petasos(&["verify"])?.ended(0).map(drop)
}

/// Before it prints its answer, 0.12 says that it has made a cache.
fn talks() -> Result<()> {
    let world = &*world()?;
    world.web.sh(
        "dpkg-divert --quiet --local --rename --divert /usr/bin/restic.real --add /usr/bin/restic
         printf '#!/bin/sh\\ncase \"$*\" in *\" cat \"*|*\" stats \"*) echo created new cache in /var/cache/x ;; esac\\nexec /usr/bin/restic.real \"$@\"\\n' >/usr/bin/restic; chmod 755 /usr/bin/restic",
    )?;
    let backed_up = world.backs_up();
    let drilled = world.desk.petasos(&["backup", "drill", "web"]);
    world.web.sh("rm /usr/bin/restic; dpkg-divert --quiet --local --rename --remove /usr/bin/restic")?;
    ensure!(backed_up?, "{}", world.record("last.json")?);
    drilled?.ended(0).map(drop)
}

/// What is done on the host and on the vault, and the resource that `up` names for it.
#[rustfmt::skip]
const WEB: &[(&str, &str)] = &[
    ("chmod 644 /etc/petasos/backup/password", "/etc/petasos/backup/password"),
    ("rm /usr/lib/petasos/backup/run.py", "/usr/lib/petasos/backup"),
    ("echo '*' >>/etc/petasos/backup/exclude", "/etc/petasos/backup/exclude"),
    ("sed -i 's/yes$/no/' /etc/petasos/backup/ssh_config", "/etc/petasos/backup/ssh_config"),
    (": >/etc/petasos/backup/known_hosts", "/etc/petasos/backup/known_hosts"),
    ("rm /etc/petasos/backup/RETENTION", "/etc/petasos/backup/RETENTION"),
    ("systemctl -q disable --now petasos-backup.timer", "petasos-backup.timer"),
    ("systemctl -q disable --now petasos-drill.timer", "petasos-drill.timer"),
    ("mkdir -p /etc/systemd/system/petasos-backup.service.d; printf '[Service]\\nUser=root\\n' >/etc/systemd/system/petasos-backup.service.d/x.conf", "petasos-backup.service"),
    ("sed -i /^MemoryMax/d /etc/systemd/system/petasos-drill.service", "/etc/systemd/system/petasos-drill.service"),
    ("chown root: /var/lib/petasos-backup/stage", "/var/lib/petasos-backup/stage"),
    ("usermod -s /bin/bash petasos-backup", "user petasos-backup"),
    ("echo '{}' >/etc/petasos/alarm/alarm.json", "/etc/petasos/alarm/alarm.json"),
    ("rm -r /usr/lib/petasos/alarm", "/usr/lib/petasos/alarm"),
    ("echo 'add table inet x' >>/etc/petasos/quarantine.nft", "/etc/petasos/quarantine.nft"),
    ("systemctl -q disable petasos-quarantine.service", "petasos-quarantine.service"),
    ("rm /etc/systemd/system/petasos-incident.service", "/etc/systemd/system/petasos-incident.service"),
    ("chmod 755 /var/lib/petasos/incident", "/var/lib/petasos/incident"),
];
#[rustfmt::skip]
const VAULT: &[(&str, &str)] = &[
    ("sed -i 's/restrict,//' /etc/petasos/vault/keys", "/etc/petasos/vault/keys"),
    ("echo >>/usr/lib/petasos/vault/serve.py", "/usr/lib/petasos/vault"),
    ("chmod 755 /srv/petasos-vault", "/srv/petasos-vault"),
    ("systemctl -q disable --now petasos-vault-watch.timer", "petasos-vault-watch.timer"),
    ("rm /etc/systemd/system/petasos-vault-scrub.service", "/etc/systemd/system/petasos-vault-scrub.service"),
    ("rm /etc/petasos/vault/RETENTION", "/etc/petasos/vault/RETENTION"),
];

fn put_right() -> Result<()> {
    let world = &*world()?;
    for (host, rows) in [(&world.web, WEB), (&world.vault, VAULT)] {
        for (script, _) in rows {
            host.sh(script)?;
        }
    }
    world.web.sh("systemctl daemon-reload")?;
    let said = world.desk.petasos(&["up"])?.ended(0)?;
    for (script, resource) in WEB.iter().chain(VAULT) {
        ensure!(said.out.contains(resource), "`{script}` was not seen as {resource}:\n{}", said.out);
    }
    world.desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    alarm::forgets_alarms(&world.web)?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world.vault.sh("systemctl start petasos-vault-watch.service petasos-vault-scrub.service")?;
    world.desk.petasos(&["verify"])?.ended(0).map(drop)
}
