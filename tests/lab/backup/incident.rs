//! A bad day of a host with a vault: evidence goes there, the backups get new keys and a new
//! repository, and the agent starts on a backup of before.

use super::{World, destroyed};
use crate::harness::slow;
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

pub fn trials() -> Vec<Trial> {
    vec![slow("backup::an incident: evidence on the vault, new keys, data of before", whole)]
}

fn whole() -> Result<()> {
    let World { web, vault, mut desk } = destroyed("backup-seized")?;
    desk.petasos(&["backup", "key", "web"])?.ended(0)?;
    web.sh("runuser -u hermes -- sh -c 'mkdir -p /home/hermes/.hermes/memories; echo zebra >/home/hermes/.hermes/memories/zebra.md'")?;
    desk.petasos(&["backup", "now", "web"])?.ended(0)?;
    let before = web.sh("cat /var/lib/petasos-backup/state/good.json")?;
    let before: Value = serde_json::from_str(&before)?;
    let snapshot = before["snapshot"].as_str().context("no snapshot")?.to_owned();
    web.sh("rm /home/hermes/.hermes/memories/zebra.md; runuser -u hermes -- sh -c 'echo planted >/home/hermes/.hermes/memories/planted.md'")?;
    let (key, password) =
        (web.sh("cat /etc/petasos/backup/key.pub")?, web.sh("sha256sum /etc/petasos/backup/password")?);

    desk.petasos(&["incident", "open", "web"])?.ended(0)?.says(&["where its backups go: snapshot"])?;
    desk.petasos(&["backup", "list", "web"])?.ended(0)?.says(&["no nightly one"])?;
    // Root and its own user have a way to the vault, and to nothing else there.
    let dial = format!("python3 -c \"import socket; socket.create_connection(('{}', 22), 4)\"", vault.address);
    ensure!(!web.holds(&format!("runuser -u hermes -- {dial}"))?, "the agent's user dials the vault");
    web.sh(&format!("runuser -u petasos-backup -- {dial}"))?;
    ensure!(!web.holds(&dial.replace("', 22)", "', 80)"))?, "another port of the vault");
    desk.set("OPENROUTER_API_KEY", Some("sk-or-v1-anew00c0ffee0ddba11deadbeefca11ab1e"));
    desk.set("ALARM_URL", Some("https://localhost:8443/T0/another-path"));
    let second = (desk.path("keys/web.age"), desk.path("keys/elsewhere.age"));
    let rotate = ["incident", "rotate", "web", "--done", "ssh-logins", "--waive", "ssh-host-keys=nobody was root"];
    desk.petasos(&rotate)?.ended(0)?;
    let close = ["incident", "close", "web", "--data", &format!("snapshot={snapshot}")];
    // The host's own key to its backups is about to go.
    std::fs::rename(&second.0, &second.1)?;
    desk.petasos(&close)?.ended(1)?.says(&["stays closed", "no key of yours opens its backups"])?;
    std::fs::rename(&second.1, &second.0)?;
    desk.petasos(&close)?.ended(0)?.says(&["is restored", "keeps the second key to its new repository"])?;

    web.sh(
        "grep -q zebra /home/hermes/.hermes/memories/zebra.md && ! [ -e /home/hermes/.hermes/memories/planted.md ]",
    )?;
    ensure!(web.sh("cat /etc/petasos/backup/key.pub")? != key, "the backup's key is the old one");
    ensure!(web.sh("sha256sum /etc/petasos/backup/password")? != password, "the password is the old one");
    // The old repository is whole, and takes nothing any more.
    vault.sh(&format!(
        "test -s /srv/petasos-vault/web/*/snapshots/{snapshot}; ls -d /srv/petasos-vault/web/*/ | wc -l | grep -qx 2"
    ))?;
    vault.sh(&format!("! grep -qF '{}' /etc/petasos/vault/keys", key.split(' ').nth(1).context("no key")?))?;
    desk.petasos(&["backup", "key", "web"])?.ended(0)?.says(&["the key to its earlier backups is in"])?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])
}
