//! The operator's side: a second key, what is kept and what goes, and data that comes back.

use super::{STATE, World, destroyed, world};
use crate::harness::{Host, ready_on, slow, ssh_config, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::collections::BTreeSet;

pub fn trials() -> Vec<Trial> {
    vec![
        slow("backup::false dates drive out no real backup", forgets),
        trial("backup::data comes back to its host", comes_back),
        trial("backup::drills, and a flipped byte", drills),
        slow("backup::production is destroyed, and comes back on another distribution", comes_back_elsewhere),
    ]
}

/// Backups that say another day than that of their arrival (`$1`, in days), by restic itself and
/// the host's own key.
const DATED: &str = "export CREDENTIALS_DIRECTORY=/etc/petasos/backup RESTIC_PASSWORD_FILE=/etc/petasos/backup/password
echo \"$1\" >/root/dated
restic --no-cache -q -o rclone.program='/usr/bin/ssh -F /etc/petasos/backup/ssh_config vault' -o rclone.args=petasos -r rclone: \
    backup --json --host web --tag nightly --time \"$(date -u -d \"$1 days\" '+%F %T')\" /root/dated |
    sed -n 's/.*\"snapshot_id\":\"\\([0-9a-f]*\\)\".*/\\1/p'";

/// A backup that was made and arrived so many days ago.
fn dated(world: &World, days: i32) -> Result<String> {
    let id = world.web.with_args(DATED, &[&format!("-{days}")])?.ended(0)?.out.trim().to_owned();
    ensure!(id.len() == 64, "no snapshot: {id}");
    world.vault.sh(&format!("touch -d '{days} days ago' /srv/petasos-vault/web/*/snapshots/{id}"))?;
    Ok(id)
}

fn keyed(world: &World) -> Result<()> {
    world.desk.petasos(&["backup", "key"])?.ended(0).map(drop)
}

fn on_vault(world: &World) -> Result<BTreeSet<String>> {
    Ok(world.vault.sh("ls /srv/petasos-vault/web/*/snapshots")?.lines().map(str::to_owned).collect())
}

fn forgets() -> Result<()> {
    let world = &*world()?;
    keyed(world)?;
    let real = (3..13).map(|days| dated(world, days)).collect::<Result<Vec<_>>>()?;
    // The host says what it likes, of the past and of the future; it arrives today.
    let mut forged = Vec::new();
    for days in ["-3", "-4", "-5", "-40", "+300"] {
        forged.push(world.web.with_args(DATED, &[days])?.ended(0)?.out.trim().to_owned());
    }
    let before = on_vault(world)?;
    world.desk.petasos(&["backup", "list", "web"])?.ended(0)?.says(&["dated otherwise than it arrived"])?;
    world.desk.petasos(&["backup", "forget", "web", "--dry-run"])?.ended(0)?.says(&["would be forgotten"])?;
    ensure!(on_vault(world)? == before, "a dry run took some away");
    world.desk.petasos(&["backup", "forget", "web"])?.ended(0)?.says(&[" forgotten"])?;
    let after = on_vault(world)?;
    // Today, and six days with a backup before it; the older ones as far as a week or a month
    // begins with them.
    let (recent, old) = real.split_at(6);
    ensure!(recent.iter().all(|id| after.contains(id)), "a real one went: {recent:?}");
    ensure!(old.iter().any(|id| !after.contains(id)), "nothing went");
    ensure!(forged.iter().all(|id| after.contains(id)), "what nobody has looked at went");
    // A false newest one is no newest one.
    world.desk.petasos(&["backup", "check", "web"])?.ended(0)?.says(&["sound"])?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    Ok(())
}

/// Path and digest of what is to come back.
const MANIFEST: &str =
    "cd /home/hermes/.hermes && find memories SOUL.md petasos-test -type f -exec sha256sum {} + | sort -k2";

fn planted(host: &Host) -> Result<()> {
    host.sh(
        "runuser -u hermes -- sh -c 'cd /home/hermes/.hermes; mkdir -p memories petasos-test; echo zebra >memories/zebra.md; \
         head -c 300000 /dev/urandom >petasos-test/data.bin; ln -sfn /etc petasos-test/link; chmod 600 petasos-test/data.bin'",
    )
    .map(drop)
}

fn comes_back() -> Result<()> {
    let world = &*world()?;
    keyed(world)?;
    planted(&world.web)?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    let before = world.web.sh(MANIFEST)?;
    world.web.sh("rm -rf /home/hermes/.hermes/petasos-test /home/hermes/.hermes/memories/zebra.md")?;
    world.desk.petasos(&["backup", "restore", "web"])?.ended(0)?.says(&["is restored", "the agent was well"])?;
    let after = world.web.sh(MANIFEST)?;
    ensure!(before == after, "not as before:\n{before}\n{after}");
    world.web.sh("rm -rf /home/hermes/.hermes/.before-restore-*")?;
    // No key and no copy stays, and the vault's door is shut.
    world.web.sh("! [ -e /run/petasos-restore ] && ! [ -e /var/lib/petasos-backup/restore/home ]")?;
    world.vault.sh("! grep petasos-restore /etc/petasos/vault/keys")?;
    world.desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])
}

/// By the host's key, with an agent; by the operators' key; and of a repository that is not whole.
fn drills() -> Result<()> {
    let world = &*world()?;
    keyed(world)?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    world
        .desk
        .petasos(&["backup", "drill", "web"])?
        .ended(0)?
        .says(&["web: good: snapshot", "the agent was well on it"])?;
    let escrow = ["backup", "drill", "web", "--with-escrow"];
    world.desk.petasos(&escrow)?.ended(0)?.says(&["web: good: the operators' key opened snapshot"])?;
    world.vault.sh("! grep petasos-restore /etc/petasos/vault/keys")?;
    // A byte of each pack; whoever wrote them has long been through with that.
    let flip = "cd /srv/petasos-vault/web/*/data; rm -rf /srv/packs; cp -a . /srv/packs
        for f in */*; do printf X | dd of=$f bs=1 seek=100 conv=notrunc status=none; touch -d '1 hour ago' $f; done";
    world.vault.sh(flip)?;
    let (own, theirs) = (world.desk.petasos(&["backup", "drill", "web"])?, world.desk.petasos(&escrow)?);
    let scrub = world.vault.holds("systemctl start petasos-vault-scrub.service");
    let check = world.desk.petasos(&["backup", "check", "web"])?;
    world.vault.sh("cp -a /srv/packs/. /srv/petasos-vault/web/*/data/; rm -r /srv/packs")?;
    ensure!(!scrub?, "the vault's scrub does not see a flipped byte");
    check.ended(1)?;
    theirs.ended(1)?;
    own.ended(2)?.says(&["web: not good (restore)"])?;
    world.vault.sh("systemctl start petasos-vault-scrub.service")?;
    world.desk.petasos(&["backup", "drill", "web"])?.ended(0).map(drop)
}

fn comes_back_elsewhere() -> Result<()> {
    let World { web, vault, desk } = destroyed("backup-lost")?;
    planted(&web)?;
    web.chat("remember the zebra")?;
    desk.petasos(&["backup", "key", "web"])?.ended(0)?;
    desk.petasos(&["backup", "now", "web"])?.ended(0)?;
    let before = web.sh(MANIFEST)?;
    let address = web.address.to_string();
    drop(web);
    let began = std::time::Instant::now();
    // What an operator has: petasos.yaml, petasos.lock, the key; and a fresh machine.
    let web = Host::from("backup-anew", ready_on("bookworm")?)?;
    desk.edit("petasos.yaml", &address, &web.address.to_string())?;
    desk.write("ssh_config", &ssh_config(&[&web, &vault])?)?;
    let shown = web.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")?;
    let shown = shown.split(' ').nth(1).context("no fingerprint")?;
    // Word for word what the runbook says.
    let said = desk.petasos(&["backup", "runbook", "web", "--json"])?.ended(0)?;
    let runbook: Value = serde_json::from_str(&said.out)?;
    let (steps, needs) = (runbook["web"]["steps"].as_array(), runbook["web"]["needs"].as_array());
    let here = needs
        .into_iter()
        .flatten()
        .all(|need| need["here"] == true || need["what"].as_str().is_some_and(|what| what.contains("environment")));
    ensure!(here, "{}", said.out);
    for step in steps.context("no steps")? {
        let words = step["command"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_str);
        let words: Vec<&str> = words.map(|word| if word == "SHA256:…" { shown } else { word }).collect();
        if !words.is_empty() {
            desk.petasos(&words)?.ended(0)?;
        }
    }
    eprintln!("a destroyed host is back after {:.0} s", began.elapsed().as_secs_f64());
    let after = web.sh(MANIFEST)?;
    ensure!(before == after, "not as before:\n{before}\n{after}");
    let said = web.sh("cd /home/hermes/.hermes && python3 - <<'E'\nimport sqlite3\nfor row in sqlite3.connect('file:state.db?mode=ro', uri=True).execute('select * from messages'): print(row)\nE")?;
    ensure!(said.contains("remember the zebra"), "the conversation is gone: {said}");
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    web.sh(&format!("grep -q good {STATE}/good.json")).map(drop).context("no backup of the new host")
}
