//! Who is told: by a webhook, a letter and a program; once for each failure, on both sides.

use super::{World, world};
use crate::harness::{Host, trial};
use anyhow::{Result, ensure};
use libtest_mimic::Trial;

const SINK: &str = include_str!("sink.sh");
const SERVERS: &str = include_str!("sink.py");
/// What the host's secret `ALARM_URL` is.
pub const URL: &str = "https://localhost:8443/T0/secret-path";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("backup::an alarm comes by each way, and no secret is seen", each_way),
        trial("backup::both sides say that nothing arrives", stale),
    ]
}

/// A webhook's server and a mail server of the host's own.
pub fn listens(host: &Host) -> Result<()> {
    host.with_args(SINK, &[SERVERS])?.ended(0).map(drop)
}

/// What arrived at the webhook since it was last asked.
pub fn told(host: &Host) -> Result<Vec<String>> {
    // An alarm that is under way.
    host.sh(
        "for n in $(seq 200); do
             { systemctl list-jobs --no-legend 'petasos-alarm@*'; systemctl list-units --no-legend --state=activating 'petasos-alarm@*'; } | grep -q petasos || break
             sleep 0.1
         done",
    )?;
    let text = host.sh("cat /srv/sink/hook.log 2>/dev/null || :; rm -f /srv/sink/hook.log")?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// So that the same may be told again.
pub fn forgets_alarms(host: &Host) -> Result<()> {
    told(host)?;
    host.sh("rm -rf /var/lib/private/petasos-alarm/told.json").map(drop)
}

fn each_way() -> Result<()> {
    let world = &mut *world()?;
    let before = world.desk.read("petasos.yaml")?;
    world.web.sh("rm -f /srv/sink/*.log; printf '#!/bin/sh\nid -un; cat; env\n' >/usr/local/bin/tell; sed -i 's,^id.*,{ id -un; cat; env; } >/tmp/told 2>\\&1; exec curl -s --data-binary @/tmp/told https://localhost:8443/program,' /usr/local/bin/tell; chmod 755 /usr/local/bin/tell")?;
    world.desk.edit(
        "petasos.yaml",
        "alarm: { webhook: ALARM_URL }",
        "alarm: { webhook: ALARM_URL, command: /usr/local/bin/tell, email: { to: ops@example.com, from: petasos@example.com, server: 'smtps://localhost:8465', user: petasos, password: SMTP_PASSWORD } }",
    )?;
    world.desk.petasos(&["up", "web"])?.ended(1)?.says(&["the secret `SMTP_PASSWORD` is missing"])?;
    world.desk.set("SMTP_PASSWORD", Some("mail-secret"));
    world.desk.petasos(&["up", "web"])?.ended(0)?.says(&["/etc/petasos/alarm/secrets.env"])?;
    world.desk.petasos(&["up", "web"])?.ended(0)?.says(&[": 0 changes,"])?;
    world.desk.petasos(&["backup", "alarm", "web"])?.ended(0)?.says(&[
        "webhook: told",
        "email: told",
        "command: told",
    ])?;
    let (hooks, mail) = (told(&world.web)?, world.web.sh("cat /srv/sink/mail.log")?);
    let hook =
        hooks.iter().any(|line| line.starts_with("/T0/secret-path {") && line.contains("petasos: web: this is a test"));
    ensure!(hook, "{hooks:?}");
    ensure!(
        mail.contains("RCPT TO:<ops@example.com>") && mail.contains("Subject: petasos: web: this is a test"),
        "{mail}"
    );
    // `\0petasos\0mail-secret`, as RFC 4616 has it.
    ensure!(mail.contains("AHBldGFzb3MAbWFpbC1zZWNyZXQ="), "it does not log in: {mail}");
    let program = hooks.join("\n");
    ensure!(program.contains("/program") && !program.contains("CREDENTIALS"), "{program}");
    world.web.sh("! journalctl --no-pager | grep -e secret-path -e mail-secret")?;
    // One that is not reached is no alarm.
    world.web.sh("systemctl stop sink")?;
    world
        .desk
        .petasos(&["backup", "alarm", "web"])?
        .ended(1)?
        .says(&["the alarm does not work", "webhook: nobody was told"])?;
    world.desk.write("petasos.yaml", &before)?;
    world.desk.petasos(&["up", "web"])?.ended(0)?;
    listens(&world.web)
}

/// A vault that is gone for two days: the host's own record is old, and so is what the vault has.
fn stale() -> Result<()> {
    let world = &*world()?;
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    let at_work = |unit: &str| format!("systemctl start {unit}");
    let (watch, vault_watch) = (at_work("petasos-backup-watch.service"), at_work("petasos-vault-watch.service"));
    for host in [&world.web, &world.vault] {
        forgets_alarms(host)?;
    }
    ensure!(world.web.holds(&watch)? && world.vault.holds(&vault_watch)?, "a fresh one is no fresh one");
    world.web.sh("sed -i -E \"s/(\\\"ended\\\": )[0-9]+/\\1$(date -d '2 days ago' +%s)/\" /var/lib/petasos-backup/state/good.json")?;
    world.vault.sh("find /srv/petasos-vault/web/*/snapshots -type f -exec touch -d '2 days ago' {} +")?;
    for (host, watch, words) in [
        (&world.web, &watch, "the last good backup is 48 hours old"),
        (&world.vault, &vault_watch, "web: the newest backup arrived 48 hours ago"),
    ] {
        // Every hour, and told once.
        for _ in 0..3 {
            ensure!(!host.holds(watch)?, "`{watch}` finds nothing");
        }
        let told = told(host)?;
        ensure!(told.len() == 1 && told.iter().all(|line| line.contains(words)), "{told:?}");
    }
    ensure!(world.backs_up()?, "{}", world.record("last.json")?);
    ensure!(world.web.holds(&watch)? && world.vault.holds(&vault_watch)?, "a new one is no fresh one");
    Ok(())
}

/// A night with two tries, and what was told of it.
pub fn night(world: &World) -> Result<Vec<String>> {
    forgets_alarms(&world.web)?;
    world.web.sh(
        "mkdir -p /run/systemd/system/petasos-backup-night.service.d
         printf '[Service]\nExecStart=\nExecStart=/usr/bin/python3 -I -S -B /usr/lib/petasos/backup/night.py 2 1\n' >/run/systemd/system/petasos-backup-night.service.d/fast.conf
         systemctl daemon-reload; ! systemctl start petasos-backup-night.service",
    )?;
    let told = told(&world.web);
    world.web.sh("rm -r /run/systemd/system/petasos-backup-night.service.d; systemctl daemon-reload")?;
    told
}
