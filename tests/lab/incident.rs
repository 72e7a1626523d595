//! A bad day: the host is closed off, its evidence sealed and fetched, and it opens again only once
//! its credentials are others.

use super::harness::{Desk, Host, Once, SECRET, Shared, converged, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::sync::MutexGuard;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("incident::closed off, restarted, rotated, opened again", whole),
        trial("incident::a drill", drill),
        slow("incident::a quarantine that shuts people out is taken back", bad),
    ]
}

fn world() -> Result<MutexGuard<'static, Shared>> {
    static WORLD: Once<Shared> = Once::new();
    WORLD.get(|| {
        let mut world = converged("incident", "trixie")?;
        // The operator's key signs.
        let config = world.desk.read("ssh_config")?;
        let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile "));
        world.desk.set("PETASOS_AGE_IDENTITY", key);
        Ok(world)
    })
}

const NEW_KEY: &str = "sk-or-v1-anew00c0ffee0ddba11deadbeefca11ab1e";

/// A server of the lab's internet, by its number: names are not to be had once nothing leaves.
fn dial(host: &Host) -> Result<String> {
    let address = host.sh("getent ahostsv4 openrouter.ai | head -n 1 | cut -d' ' -f1")?;
    Ok(format!("python3 -c \"import socket; socket.create_connection(('{}', 443), 4)\"", address.trim()))
}

/// Whether nothing leaves, no process of the agent's is left, and people can log in.
fn closed(host: &Host, dial: &str) -> Result<()> {
    for refused in [
        dial.to_owned(),
        format!("runuser -u hermes -- {dial}"),
        format!("runuser -u petasos-proxy -- {dial}"),
        "getent ahostsv4 github.com".to_owned(),
        "ping -c1 -W2 192.0.2.1 2>/dev/null | grep -q 'bytes from'".to_owned(),
        "systemctl start hermes.service; systemctl is-active --quiet hermes.service".to_owned(),
    ] {
        ensure!(!host.holds(&refused)?, "closed off, and still: {refused}");
    }
    host.sh("! pgrep -u hermes").context("the agent's processes are there")?;
    host.login("ops", &["ControlPath=none"], "sudo -n true")?.ended(0).map(drop)
}

fn folders(desk: &Desk) -> Result<Vec<PathBuf>> {
    let all = std::fs::read_dir(desk.path("incidents"))?.collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

/// By the tools that a stranger would take.
fn judged(desk: &Desk, key: &str) -> Result<()> {
    let folders = folders(desk)?;
    let [folder] = folders.as_slice() else { anyhow::bail!("{folders:?}") };
    desk.write("signers", &format!("ops {key}\n"))?;
    let signers = desk.path("signers");
    let script = format!(
        "set -e; cd '{}'; sha256sum -c --quiet --strict MANIFEST.sha256
         ssh-keygen -q -Y verify -f '{}' -I ops -n petasos-incident -s MANIFEST.sha256.sig <MANIFEST.sha256
         for f in *.tar.gz; do tar -xzf $f -C .; done; zcat journal.export.gz >journal
         grep -q hermes.service volatile/unit; grep -q 'gateway run' volatile/processes
         grep -q /etc/passwd disk/files; test -s disk/home.sha256; test -s .hermes/state.db
         grep -q ED25519 disk/login-keys; test -d disk/var/log/hermes
         ls volatile/proc/*/maps >/dev/null
         ! grep -rqaF --exclude=hollow.bin --devices=skip {SECRET} . || {{ grep -rlaF --exclude=hollow.bin --devices=skip {SECRET} . >&2; exit 1; }}
         grep -q ' /root/' disk/files || grep -q \"'/root/\" disk/files; grep -q 'nearly all holes' disk/home.sha256
         chmod -R u+rwx .hermes; rm -rf .hermes
         test \"$(stat -c %a .)\" = 700; test \"$(stat -c %a home.tar.gz)\" = 600",
        folder.display(),
        signers.display()
    );
    let done = Command::new("sh").args(["-xc", &script]).output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// What would keep a collector busy, lead it elsewhere or end it: a tree deeper than Python
/// recurses, a pipe, links, a file that is all holes, and names that are no text.
const PLANTED: &str = "runuser -u hermes -- python3 - <<'E'
import os
os.chdir('/home/hermes/.hermes')
os.mkfifo('pipe')
os.symlink('/etc/shadow', 'link')
os.symlink('/', 'root')
os.close(os.open(b'\\xff\\n\\x1b[2J', os.O_CREAT))
os.truncate(os.open('hollow.bin', os.O_CREAT | os.O_RDWR), 1 << 40)
os.mkdir('closed', 0)
for _ in range(1400):
    os.mkdir('d'); os.chdir('d')
E";

/// What a process of the agent's beside its unit can do to a unit that is being looked at: systemd
/// then holds it for frozen. Not at each try.
const STUCK: &str = "unit=petasos-sandbox@stuck.service
printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/run/systemd/system/$unit
systemctl daemon-reload
for _ in $(seq 20); do
    systemctl start $unit
    systemctl freeze $unit
    kill -KILL $(systemctl show -P MainPID $unit)
    sleep 0.3
    test \"$(systemctl show -P FreezerState $unit)\" = running || exit 0
    systemctl reset-failed $unit
done
exit 1";

fn whole() -> Result<()> {
    let Shared { host, desk } = &mut *world()?;
    let name = host.name.clone();
    host.chat("remember the zebra")?;
    let dial = dial(host)?;
    host.sh(&dial).context("nobody answers before: no test of that")?;
    // Something that the agent left running beside its unit, and an agent that is at work.
    host.sh("systemd-run -q --uid=hermes --unit=left-behind sh -c 'while :; do :; done'")?;
    host.sh(PLANTED)?;
    let key = host.sh("sed -n s/^API_SERVER_KEY=//p /etc/hermes/secrets.env")?;
    // A drill that nobody ended gives way.
    abandoned(host, desk)?;
    let said = desk.petasos(&["incident", "open", &name, "--why", "a test", "--json"])?.ended(0)?;
    let report: Value = serde_json::from_str(&said.out)?;
    ensure!(report["incident"]["drill"] == false && report["incident"]["why"] == "a test", "{report:#}");
    let sealed = report["sealed"]["laps"].as_array().and_then(|laps| laps.last()?.get(1)?.as_f64());
    let after = report["closed_off_after"].as_f64().zip(sealed).map(|(closed, sealed)| closed + sealed);
    eprintln!("an incident is sealed after {:.1} s", after.context("no time")?);
    ensure!(report["sealed"]["notes"] == serde_json::json!([]), "{report:#}");
    closed(host, &dial)?;
    ensure!(host.sh("systemctl show -P FreezerState hermes.service")?.trim() == "running", "it would not start again");
    judged(desk, &super::harness::lab_key(host)?)?;
    for verb in [&["up", &name][..], &["undo", &name]] {
        desk.petasos(verb)?.ended(1)?.says(&["an incident is open on this host"])?;
    }
    host.sh(STUCK)?;
    desk.petasos(&["incident", "close", &name])?
        .ended(1)?
        .says(&["petasos-sandbox@stuck.service", "restart the host"])?;
    host.reboot("ops")?;
    closed(host, &dial)?;
    desk.petasos(&["incident", "open", &name])?.ended(0)?.says(&["is open already"])?;

    // With the host's own key there is nothing new.
    desk.petasos(&["incident", "close", &name])?.ended(1)?.says(&[
        "stays closed",
        "OPENROUTER_API_KEY",
        "ssh-logins",
    ])?;
    desk.petasos(&["incident", "rotate", &name])?.ended(2)?.says(&["https://openrouter.ai/settings/keys"])?;
    let lie = ["incident", "rotate", &name, "--done", "OPENROUTER_API_KEY"];
    desk.petasos(&lie)?.ended(1)?.says(&["is not accepted, for its value is compared"])?;
    desk.set("OPENROUTER_API_KEY", Some(NEW_KEY));
    let all_but_one = ["incident", "rotate", &name, "--done", "ssh-logins"];
    desk.petasos(&all_but_one)?.ended(2)?.says(&["new value is here", "ssh-host-keys"])?;
    desk.petasos(&["incident", "close", &name])?.ended(1)?.says(&["not made anew yet: ssh-host-keys"])?;
    let last = ["incident", "rotate", &name, "--waive", "ssh-host-keys=nobody was root"];
    desk.petasos(&last)?.ended(0)?.says(&["stays: nobody was root"])?;
    closed(host, &dial)?;
    desk.petasos(&["incident", "close", &name, "--data", "empty"])?.ended(0)?.says(&["is closed"])?;
    host.sh("! ls -d /home/hermes/.hermes/d /home/hermes/.hermes/closed 2>/dev/null")
        .context("the data is not empty")?;
    host.sh(&dial).context("opened again, and nothing leaves")?;
    host.answers()?;
    host.sh(&format!("grep -qx OPENROUTER_API_KEY={NEW_KEY} /etc/hermes/secrets.env"))?;
    ensure!(host.sh("sed -n s/^API_SERVER_KEY=//p /etc/hermes/secrets.env")? != key, "the API's key is the old one");
    host.chat("hello again")?;
    desk.petasos(&["up", &name])?.ended(0)?.says(&[": 0 changes,"])?;
    desk.petasos(&["incident", "close", &name])?.ended(1)?.says(&["no incident is open"])?;
    std::fs::remove_dir_all(desk.path("incidents"))?;
    desk.set("OPENROUTER_API_KEY", Some(SECRET));
    desk.petasos(&["up", &name])?.ended(0).map(drop)
}

/// A drill whose operator is gone once the host is closed off.
fn abandoned(host: &Host, desk: &Desk) -> Result<()> {
    let mut client = desk.command(&["incident", "open", &host.name, "--drill"]).spawn()?;
    let closed = host.sh(
        "for _ in $(seq 300); do nft list table inet petasos_incident >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1",
    );
    // Whether a fresh login works has to be known, too.
    std::thread::sleep(std::time::Duration::from_secs(2));
    client.kill()?;
    client.wait()?;
    closed.context("it was never closed off")?;
    host.sh(
        "grep -q '\"drill\":true' /var/lib/petasos/incident/open && systemctl is-active petasos-incident-drill.timer",
    )
    .map(drop)
}

fn drill() -> Result<()> {
    let Shared { host, desk } = &mut *world()?;
    let invocation = host.unit("hermes.service", "InvocationID")?;
    let evidence = || host.sh("ls -d /var/lib/petasos/incident/*/ 2>/dev/null || :");
    let (before, listed) = (evidence()?, folders(desk).unwrap_or_default());
    let said = desk.petasos(&["incident", "open", &host.name, "--drill"])?.ended(0)?;
    said.says(&["closed off, and a fresh login works", "it is sealed", "the agent goes on"])?;
    host.answers()?;
    ensure!(host.unit("hermes.service", "InvocationID")? == invocation, "the agent was restarted");
    host.sh("! nft list table inet petasos_incident 2>/dev/null && ! [ -e /var/lib/petasos/incident/open ]")?;
    host.sh("grep -q seconds /var/lib/petasos/incident/drill.json")?;
    ensure!(evidence()? == before && folders(desk)? == listed, "evidence of a drill stays: {:?}", folders(desk)?);
    host.sh("! systemctl is-active petasos-incident-drill.timer")?;
    // One that nobody ends, the host ends: its hour comes at once here.
    abandoned(host, desk)?;
    host.sh("systemctl start petasos-incident-drill.service; for _ in $(seq 100); do nft list table inet petasos_incident >/dev/null 2>&1 || break; sleep 0.1; done; ! nft list table inet petasos_incident 2>/dev/null && ! [ -e /var/lib/petasos/incident/open ]")?;
    host.answers()?;
    ensure!(host.unit("hermes.service", "InvocationID")? == invocation, "the agent was restarted");
    desk.petasos(&["up", &host.name])?.ended(0)?.says(&[": 0 changes,"])
}

/// One that knows SSH at another port.
fn bad() -> Result<()> {
    let Shared { host, desk } = &mut *world()?;
    let before = desk.read("petasos.yaml")?;
    desk.petasos(&["init", "--eject"])?.ended(0)?;
    desk.write("petasos.yaml", &format!("{before}guard: {{ confirm_timeout: 16 }}\n"))?;
    desk.edit("templates/incident/quarantine.nft.tera", "{{ ssh_port }}", "2200")?;
    desk.petasos(&["up", &host.name])?.ended(0)?;
    let said = desk.petasos(&["verify", &host.name, "--verbose"])?.ended(2)?;
    said.says(&["it shuts SSH out too"])?;
    let opened = desk.petasos(&["incident", "open", &host.name])?;
    for folder in ["playbooks", "templates"] {
        std::fs::remove_dir_all(desk.path(folder))?;
    }
    desk.write("petasos.yaml", &before)?;
    opened.ended(4)?.says(&["was rolled back"])?;
    host.login("ops", &["ControlPath=none"], "sudo -n true")?.ended(0)?;
    host.sh("! nft list table inet petasos_incident 2>/dev/null && ! [ -e /var/lib/petasos/incident/open ]")?;
    host.answers()?;
    desk.petasos(&["up", &host.name])?.ended(0)?.says(&["/etc/petasos/quarantine.nft"])
}
