//! Bad days: each leaves one true record and the last good one, and the next night is good again.

use super::alarm::night;
use super::{STATE, World, world};
use crate::harness::{ignored, slow, trial};
use anyhow::{Result, ensure};
use libtest_mimic::Trial;

struct Day {
    name: &'static str,
    /// On the host, and on the vault.
    web: &'static str,
    vault: &'static str,
    /// What the record says of it.
    outcome: &'static str,
    why: &'static str,
    /// What makes it good again.
    web_after: &'static str,
    vault_after: &'static str,
    when: When,
}

/// When it is run.
enum When {
    Always,
    /// By `.ci/run`.
    Gate,
    ByRequest(&'static str),
}

const PLAIN: Day =
    Day { name: "", web: "", vault: "", outcome: "", why: "", web_after: "", vault_after: "", when: When::Always };

const DAYS: &[Day] = &[
    Day {
        name: "the vault lets the host in no more",
        vault: "mv /etc/petasos/vault/keys /etc/petasos/vault/keys.away",
        outcome: "unreachable",
        why: "Permission denied",
        vault_after: "mv /etc/petasos/vault/keys.away /etc/petasos/vault/keys",
        ..PLAIN
    },
    Day {
        name: "the vault's SSH is down",
        when: When::Gate,
        vault: "systemctl stop ssh.socket 2>/dev/null; systemctl stop ssh.service",
        outcome: "unreachable",
        why: "Connection refused",
        vault_after: "systemctl start ssh.service",
        ..PLAIN
    },
    Day {
        name: "somebody else answers in the vault's place",
        when: When::Gate,
        web: "sed -i 's/^vault ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..../vault ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAA/' /etc/petasos/backup/known_hosts",
        outcome: "unreachable",
        why: "Host key verification failed",
        web_after: "cp /root/known_hosts.day /etc/petasos/backup/known_hosts",
        ..PLAIN
    },
    Day {
        name: "the vault has lost the repository",
        when: When::Gate,
        vault: "mv /srv/petasos-vault/web /srv/web.away",
        outcome: "repository gone",
        why: "no repository",
        vault_after: "rm -rf /srv/petasos-vault/web; mv /srv/web.away /srv/petasos-vault/web",
        ..PLAIN
    },
    Day {
        name: "the password is another one",
        when: When::Gate,
        web: "head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/etc/petasos/backup/password",
        outcome: "unreachable",
        why: "wrong password",
        web_after: "cp -p /root/password.day /etc/petasos/backup/password",
        ..PLAIN
    },
    Day {
        name: "a database is damaged",
        web: "runuser -u hermes -- sh -c 'printf \"SQLite format 3\\000garbage\" >/home/hermes/.hermes/broken.db'",
        outcome: "databases",
        why: "broken.db",
        web_after: "rm -f /home/hermes/.hermes/broken.db",
        ..PLAIN
    },
    Day {
        name: "no database is there",
        when: When::Gate,
        web: "systemctl stop hermes.service; mkdir -p /root/away; cd /home/hermes/.hermes; find . -name '*.db*' -type f | tar -cf /root/away/dbs.tar -T -; find . -name '*.db*' -type f -delete",
        outcome: "databases",
        why: "no database was copied",
        web_after: "tar -C /home/hermes/.hermes -xpf /root/away/dbs.tar; systemctl start hermes.service",
        ..PLAIN
    },
    Day {
        name: "the vault's disk is full",
        vault: "mkdir -p /srv/full; cp -a /srv/petasos-vault/web /srv/full/; mount -t tmpfs -o size=$(($(du -sk /srv/full/web | cut -f1) + 1024))k,uid=$(id -u petasos-vault),mode=0700 none /srv/petasos-vault/web; cp -a /srv/full/web/. /srv/petasos-vault/web/; head -c 3m /dev/zero >/srv/petasos-vault/web/fill || :",
        web: "head -c 3000000 /dev/urandom >/home/hermes/.hermes/new.bin; chown hermes: /home/hermes/.hermes/new.bin",
        outcome: "restic",
        why: "",
        vault_after: "umount /srv/petasos-vault/web",
        web_after: "rm -f /home/hermes/.hermes/new.bin",
        when: When::ByRequest("restic waits a quarter of an hour for room"),
    },
];

pub fn trials() -> Vec<Trial> {
    let day = |day: &'static Day| {
        let (name, test) = (format!("backup::{}", day.name), move || lives_through(day));
        match day.when {
            When::Always => trial(&name, test),
            When::Gate => slow(&name, test),
            When::ByRequest(why) => ignored(trial(&name, test), why),
        }
    };
    let killed = trial("backup::it is killed in the middle", killed);
    DAYS.iter().map(day).chain([killed]).collect()
}

fn lives_through(day: &Day) -> Result<()> {
    let world = world()?;
    let before = good(&world)?;
    world.web.sh("cp -p /etc/petasos/backup/password /root/password.day; cp /etc/petasos/backup/known_hosts /root/known_hosts.day")?;
    world.vault.sh(day.vault)?;
    world.web.sh(day.web)?;
    let told = night(&world);
    world.web.sh(day.web_after)?;
    world.vault.sh(day.vault_after)?;
    let told = told?;
    let named = |line: &String| line.contains("petasos: web: no good backup this night") && line.contains(day.why);
    ensure!(told.len() == 1 && told.iter().all(named), "{told:?}");
    let last = world.record("last.json")?;
    let said = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
    ensure!(said("outcome") == day.outcome && said("why").contains(day.why), "{last}");
    ensure!(world.record("good.json")? == before, "the last good record is another: {}", world.record("good.json")?);
    good(&world).map(drop)
}

/// A good backup, and its record.
fn good(world: &World) -> Result<serde_json::Value> {
    ensure!(world.backs_up()?, "no good backup: {}", world.record("last.json")?);
    let last = world.record("last.json")?;
    ensure!(last["outcome"] == "good" && last == world.record("good.json")?, "{last}");
    Ok(last)
}

/// By SIGKILL, when no program of its own can say so.
fn killed() -> Result<()> {
    let world = world()?;
    let before = good(&world)?;
    world.web.sh(
        "head -c 60000000 /dev/urandom >/home/hermes/.hermes/new.bin; systemctl start --no-block petasos-backup.service
         for n in $(seq 100); do pgrep -u petasos-backup restic >/dev/null && break; sleep 0.1; done
         systemctl kill -s KILL petasos-backup.service
         for n in $(seq 50); do test $(systemctl show --value -p ActiveState petasos-backup.service) = failed && break; sleep 0.2; done
         rm /home/hermes/.hermes/new.bin",
    )?;
    let last = world.record("last.json")?;
    let outcome = last["outcome"].as_str().unwrap_or_default();
    ensure!(["ended early", "unfinished"].contains(&outcome) && last["run"] != before["run"], "{last}");
    ensure!(world.record("good.json")? == before, "{STATE}");
    good(&world).map(drop)
}
