//! What a hardened host is after a restart, from its first moment on.

use super::harness::{Host, Shared, shared, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![trial("boot::after a restart everything runs, and nothing got out before", restarts)]
}

/// Dials the lab's sink on a port that the agent may not reach, as the agent and at once as root,
/// again and again; one line a try.
const TRIES: &str = r#"#!/bin/sh
dial() { timeout 2 setpriv --reuid "$1" --regid "$1" --clear-groups bash -c 'exec 3<>/dev/tcp/$0/8080' "$2" 2>/dev/null; }
for try in $(seq 40); do
	for sink in 203.0.113.25 2001:db8:4::cb00:7119; do
		hermes=refused root=refused
		! dial hermes "$sink" || hermes=out
		! dial root "$sink" || root=out
		echo "try=$try hermes=$hermes root=$root"
	done
	sleep 0.1
done >>/var/log/early.log
echo done >>/var/log/early.log
"#;

/// As early as anything that wants a network may start. Not `oneshot`: the rest of the start does
/// not wait for its end.
const UNIT: &str = "[Unit]
DefaultDependencies=no
After=network-pre.target local-fs.target
Before=network.target ssh.service
[Service]
Type=exec
ExecStart=/bin/sh /usr/local/lib/early
[Install]
WantedBy=sysinit.target
";

const PLACE: &str = r#"
mkdir -p /usr/local/lib
printf '%s' "$1" >/usr/local/lib/early
printf '%s' "$2" >/etc/systemd/system/early.service
rm -f /var/log/early.log
# The rules take their time: whoever does not wait for them gets out.
mkdir -p /etc/systemd/system/petasos-egress.service.d
printf '[Service]\nExecStartPre=/bin/sleep 2\n' >/etc/systemd/system/petasos-egress.service.d/slow.conf
systemctl daemon-reload
systemctl -q enable early.service
"#;

const TAKE_AWAY: &str = "systemctl -q disable --now early.service
rm -rf /etc/systemd/system/early.service /usr/local/lib/early /var/log/early.log /etc/systemd/system/petasos-egress.service.d
systemctl daemon-reload";

fn restarts() -> Result<()> {
    let Shared { host, desk } = &*shared("trixie")?;
    desk.petasos(&["plan"])?.ended(0).context("the host was not sound before")?;
    host.with_args(PLACE, &[TRIES, UNIT])?.ended(0)?;
    let done = early(host);
    let away = host.sh(TAKE_AWAY);
    done?;
    away?;
    desk.petasos(&["plan"])?.ended(0)?;
    // An agent that was started this very moment is waited for, and is nothing to change.
    host.sh("systemctl restart hermes.service")?;
    desk.petasos(&["plan"])?.ended(0)?.says(&["does not answer yet: waiting", ": 0 changes"]).map(drop)
}

fn early(host: &Host) -> Result<()> {
    // The control: without the rules the agent's tries do get out. Nothing but the restart puts the
    // rules back.
    host.sh("nft delete table inet petasos; timeout 120 sh /usr/local/lib/early")?;
    let open = host.sh("cat /var/log/early.log; rm /var/log/early.log")?;
    ensure!(open.matches("hermes=out root=out").count() == 80, "without rules:\n{open}");

    let took = host.reboot("ops")?;
    eprintln!("it answers {:.1} s after its restart", took.as_secs_f64());
    let said = host.sh("systemctl is-system-running --wait || systemctl list-units --failed --plain --no-legend")?;
    ensure!(said.trim() == "running", "{said}");
    host.sh("systemctl is-active hermes.service petasos-egress.service ufw.service ssh.service")?;
    let ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8642/health', timeout=5).status)";
    let health = format!("for n in $(seq 60); do python3 -c \"{ask}\" 2>/dev/null && exit; sleep 1; done; exit 1");
    ensure!(host.sh(&health)?.trim() == "200");

    let log = host.sh(
        "for n in $(seq 200); do grep -q done /var/log/early.log && break; sleep 0.5; done; cat /var/log/early.log",
    )?;
    let tries: Vec<&str> = log.lines().filter(|line| line.starts_with("try=")).collect();
    ensure!(tries.len() == 80, "it did not try until its end:\n{log}");
    for try_ in &tries {
        ensure!(try_.ends_with("hermes=refused root=out"), "{try_} in:\n{log}");
    }
    // It began before the first service that answers the network, and ended after.
    let moment = |unit: &str, property: &str| -> Result<u64> { Ok(host.unit(unit, property)?.parse()?) };
    let began = moment("early.service", "ExecMainStartTimestampMonotonic")?;
    let network = moment("ssh.service", "ExecMainStartTimestampMonotonic")?;
    let ended = moment("early.service", "ExecMainExitTimestampMonotonic")?;
    ensure!(0 < began && began < network && network < ended, "{began} {network} {ended}");
    Ok(())
}
