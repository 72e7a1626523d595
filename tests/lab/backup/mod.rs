//! Backups to a vault that lets nobody take anything away: what a host can do to the store, and bad
//! days.

pub mod alarm;
pub mod days;
pub mod elsewhere;
pub mod heals;
pub mod incident;
pub mod proof;
pub mod verbs;

use super::harness::{Desk, Host, Once, SMALL, Said, first, lab_key, lock_of, ready, ssh_config, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::MutexGuard;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("backup::host and vault come up in either order", comes_up),
        trial("backup::what a host sent it cannot take away", stays),
        trial("backup::the agent's user reads no key and does not reach the vault", closed_to_agent),
    ]
}

/// A host with the agent, its vault, and their desk.
pub struct World {
    pub web: Host,
    pub vault: Host,
    pub desk: Desk,
}

const STATE: &str = "/var/lib/petasos-backup/state";

pub fn world() -> Result<MutexGuard<'static, World>> {
    static WORLD: Once<World> = Once::new();
    WORLD.get(|| made("backup"))
}

/// One whose host is going to be destroyed.
pub fn destroyed(name: &str) -> Result<World> {
    made(name)
}

fn made(name: &str) -> Result<World> {
    let world = unmade(name)?;
    // The host alone, which knows no vault yet; the vault alone; and both.
    world.desk.petasos(&["up", "web"])?.ended(0)?;
    world.desk.petasos(&["up", "box"])?.ended(0)?;
    world.desk.petasos(&["up"])?.ended(0)?.says(&["first_run petasos-backup.service"])?;
    Ok(world)
}

/// A host with the agent and a fresh one, before either knows of the other.
fn unmade(name: &str) -> Result<World> {
    first()?;
    let web = Host::from(&format!("{name}-web"), "converged-trixie")?;
    let vault = Host::from(&format!("{name}-box"), ready()?)?;
    web.started()?;
    web.answers()?;
    let mut desk = Desk::empty()?;
    desk.write("petasos.yaml", &yaml(&web, &vault)?)?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.write("ssh_config", &ssh_config(&[&web, &vault])?)?;
    // The operator's key decrypts.
    let config = desk.read("ssh_config")?;
    let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile ")).context("no IdentityFile")?;
    desk.set("PETASOS_AGE_IDENTITY", Some(key));
    desk.set("ALARM_URL", Some(alarm::URL));
    for host in [&web, &vault] {
        alarm::listens(host)?;
    }
    web.chat("hello")?;
    Ok(World { web, vault, desk })
}

fn yaml(web: &Host, vault: &Host) -> Result<String> {
    Ok(format!(
        "hosts:\n  web: {{ address: root@{}, {SMALL} }}\n  box: {{ address: root@{}, role: vault }}\n\
         admin: {{ authorized_keys: [\"{}\"] }}\nbackup: {{ vault: box, alarm: {{ webhook: ALARM_URL }} }}\n",
        web.address,
        vault.address,
        lab_key(web)?
    ))
}

impl World {
    /// One of the host's records; none where it is not there.
    pub fn record(&self, name: &str) -> Result<Value> {
        let text = self.web.sh(&format!("cat {STATE}/{name} 2>/dev/null || echo null"))?;
        serde_json::from_str(&text).with_context(|| text)
    }

    /// The digests of all that the vault has of the host.
    fn kept(&self, folder: &str) -> Result<BTreeMap<String, String>> {
        let text = self.vault.sh(&format!("cd {folder} && find . -type f -exec sha256sum {{}} +"))?;
        let line = |line: &str| line.split_once("  ").map(|(digest, path)| (path.to_owned(), digest.to_owned()));
        Ok(text.lines().filter_map(line).collect())
    }

    /// A backup now; whether systemd says that it went well.
    pub fn backs_up(&self) -> Result<bool> {
        self.web.holds("systemctl start petasos-backup.service")
    }
}

fn comes_up() -> Result<()> {
    let world = world()?;
    world.desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    let (last, good) = (world.record("last.json")?, world.record("good.json")?);
    ensure!(last == good && good["outcome"] == "good" && good["databases"].as_u64() > Some(0), "{last} {good}");
    // The vault's own file system, which no host can speak for.
    let snapshot = good["snapshot"].as_str().context("no snapshot")?;
    world.vault.sh(&format!("test -s /srv/petasos-vault/web/*/snapshots/{snapshot}"))?;
    // Nothing of the agent's can be read there.
    ensure!(
        !world.vault.holds("grep -rqa -e 'SQLite format 3' -e OPENROUTER /srv/petasos-vault")?,
        "it is in the clear"
    );
    for unit in [
        "petasos-backup.service",
        "petasos-backup-copy.service",
        "petasos-backup-night.service",
        "petasos-backup-watch.service",
        "petasos-drill-restore.service",
        "petasos-drill.service",
        "petasos-restore.service",
        "petasos-incident.service",
        "petasos-alarm@test.service",
    ] {
        exposed(&world.web, unit)?;
    }
    for unit in ["petasos-vault-watch.service", "petasos-vault-scrub.service"] {
        exposed(&world.vault, unit)?;
        world.vault.sh(&format!("systemctl start {unit}"))?;
    }
    Ok(())
}

/// By systemd's own account, at most 2.0.
fn exposed(host: &Host, unit: &str) -> Result<()> {
    let said = host.sh(&format!("systemd-analyze security --no-pager {unit} | tail -n 1"))?;
    let level: Option<f64> = said.split(": ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    ensure!(level.is_some_and(|level| level <= 2.0), "{said}");
    Ok(())
}

const ATTACK: &str = include_str!("attack.sh");

/// By a host's own key, against whatever keeps its backups.
fn attack_of(web: &Host) -> Result<Said> {
    web.sh(
        "DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends curl socat rclone >/dev/null 2>&1",
    )?;
    let ssh = "env CREDENTIALS_DIRECTORY=/etc/petasos/backup ssh -T -F /etc/petasos/backup/ssh_config vault";
    let said = web.with_args(ATTACK, &[ssh])?.ended(0)?;
    let count = |code: &str| said.out.lines().filter(|line| line.ends_with(code)).count();
    ensure!(count("403") + count("405") > 50, "{}", said.out);
    Ok(said)
}

fn stays() -> Result<()> {
    let world = world()?;
    let tools =
        "DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends curl socat rclone >/dev/null 2>&1";
    world.web.sh(tools)?;
    world.vault.sh(tools)?;
    world.vault.sh("rm -rf /srv/plain /srv/petasos-vault/other; cp -a /srv/petasos-vault/web/* /srv/plain; install -d -o petasos-vault -m 0700 /srv/petasos-vault/other /srv/petasos-vault/other/0; echo x >/srv/petasos-vault/other/0/config; chown -R petasos-vault: /srv/petasos-vault/other")?;
    let (before, other) = (world.kept("/srv/petasos-vault/web")?, world.kept("/srv/petasos-vault/other")?);
    ensure!(before.len() > 5, "{before:?}");

    let said = attack_of(&world.web)?;
    let after = world.kept("/srv/petasos-vault/web")?;
    let lost: Vec<_> = before.iter().filter(|(path, digest)| after.get(*path) != Some(digest)).collect();
    ensure!(lost.is_empty(), "lost: {lost:?}\n{}", said.out);
    ensure!(world.kept("/srv/petasos-vault/other")? == other, "another host's folder is not as it was:\n{}", said.out);

    // The same against a store that lets things go: the attacks can take away.
    let before = world.kept("/srv/plain")?;
    let plain = "rclone --config /dev/null -q serve restic --stdio /srv/plain";
    let said = world.vault.with_args(ATTACK, &[plain])?.ended(0)?;
    let after = world.kept("/srv/plain")?;
    let lost = before.iter().filter(|(path, digest)| after.get(*path) != Some(digest)).count();
    ensure!(lost * 2 > before.len(), "the attacks take nothing away where they could: {lost}\n{}", said.out);

    let opened = world.web.sh(include_str!("doors.sh"))?;
    ensure!(opened.is_empty(), "{opened}");
    // What was planted hinders no later backup: the vault's own look finds it, once nobody can be
    // writing it any more, and sets it aside.
    world.vault.sh("find /srv/petasos-vault/web -exec touch -h -d '2 hours ago' {} +")?;
    let aside = "systemctl start petasos-vault-watch.service || :; journalctl -q -o cat -u petasos-vault-watch.service";
    let said = world.vault.run(aside)?;
    said.says(&["is no part of a repository: set aside"])?;
    ensure!(!world.kept("/srv/petasos-vault/.aside/web")?.is_empty(), "{}", said.all());
    ensure!(world.backs_up()?, "no backup after the attacks: {}", world.record("last.json")?);
    Ok(())
}

fn closed_to_agent() -> Result<()> {
    let world = world()?;
    let address = world.vault.address;
    let reads = |path: &str| format!("cat {path} >/dev/null");
    let dials = format!("python3 -c \"import socket; socket.create_connection(('{address}', 22), 5)\"");
    for script in [
        reads("/etc/petasos/backup/key"),
        reads("/etc/petasos/backup/password"),
        reads(&format!("{STATE}/last.json")),
        dials,
    ] {
        world.web.sh(&script).context("root cannot do it either: no test of that")?;
        let agent = format!("runuser -u hermes -- {script}");
        ensure!(!world.web.holds(&agent)?, "the agent's user can `{script}`");
    }
    Ok(())
}
