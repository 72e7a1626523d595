//! Changes that lock people out: the host takes them back by itself, and is then what it was. The
//! judge is a login that worked before.

use super::harness::{Desk, Host, Once, Pool, ignored, ready, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

/// How long the host waits for a confirmation, in seconds.
const WINDOW: u64 = 16;

/// A change that shuts the administrator out: what is written where in the user's own playbooks and
/// templates.
struct Bad {
    name: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
}

pub(super) const SSHD: &str = "templates/base/sshd.conf.tera";
const BASE: &str = "playbooks/10-base.yaml";
const EGRESS: &str = "templates/base/egress-names.nft.tera";

#[rustfmt::skip]
const TABLE: [Bad; 5] = [
    Bad { name: "sshd denies the administrator", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nDenyUsers ops\n" },
    Bad { name: "ufw without the SSH port", file: BASE, old: "ssh_port: \"{{ ssh_port }}\"", new: "ssh_port: \"2200\"" },
    Bad { name: "nft drops everything", file: EGRESS, old: "\tchain agent {", new: "\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n\n\tchain agent {" },
    Bad { name: "another key for the administrator", file: "petasos.yaml", old: "authorized_keys: [\"", new: "authorized_keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB6q9NDXlbXTjBpWvyWeLfUaXkUyaIKvcHMEDSTNBd9a nobody\"] #" },
    Bad { name: "sudo wants a password", file: BASE, old: "ALL=(ALL:ALL) NOPASSWD: ALL", new: "ALL=(ALL:ALL) ALL" },
];

/// Others of their kinds.
#[rustfmt::skip]
const TWINS: [Bad; 8] = [
    Bad { name: "sshd does not take its file", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nNoSuchKeyword yes\n" },
    Bad { name: "sshd listens where nobody comes from", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nListenAddress 127.0.0.1\n" },
    Bad { name: "sshd lets in a group that nobody is in", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nAllowGroups games\n" },
    Bad { name: "sshd wants a password too", file: SSHD, old: "AuthenticationMethods publickey\n", new: "AuthenticationMethods publickey,password\n" },
    Bad { name: "sshd knows no such key", file: SSHD, old: "PubkeyAcceptedAlgorithms ssh-ed25519,", new: "PubkeyAcceptedAlgorithms rsa-sha2-512 #" },
    Bad { name: "sshd listens on another port", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nPort 2200\n" },
    Bad { name: "sshd runs another command", file: SSHD, old: "MaxAuthTries 3\n", new: "MaxAuthTries 3\nForceCommand /bin/false\n" },
    Bad { name: "the administrator has no shell", file: BASE, old: "shell: /bin/bash", new: "shell: /usr/sbin/nologin" },
];

pub fn trials() -> Vec<Trial> {
    let row = |bad: &'static Bad| trial(&format!("guard::{}", bad.name), move || taken_back(bad));
    let table = TABLE.iter().map(row);
    let twins = TWINS.iter().map(row).map(|row| ignored(row, "a row of the same kind runs by default"));
    let others = [
        trial("guard::sshd starves: strangers hold the one place before the login", starved),
        trial("guard::the client dies right after the change", client_dies),
        trial("guard::the host reboots inside the window", reboot),
        trial("guard::undo brings back what the last run replaced", undo),
    ];
    let held = trial("guard::a port that something else holds", held_port);
    table.chain(others).chain(twins).chain([ignored(held, "ports:: and reach:: move the port by default")]).collect()
}

/// A host with the base hardening, without the agent, which has no part in this.
pub(super) fn host() -> Result<MutexGuard<'static, Host>> {
    static HOSTS: Pool<Host, 2> = Pool::new();
    HOSTS.get(|number| hardened(&format!("guard-{number}")))
}

/// Such a host of its own, started from one that was kept: another machine, on which there is
/// nothing to do.
pub(super) fn hardened(name: &str) -> Result<Host> {
    static KEPT: Once<()> = Once::new();
    drop(KEPT.get(|| {
        let host = Host::from("hardened", ready()?)?;
        desk(&host)?.petasos(&["up"])?.ended(0)?;
        host.keep("hardened")
    })?);
    let host = Host::from(name, "hardened")?;
    host.started()?;
    desk(&host)?.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip\n"])?;
    Ok(host)
}

/// A desk with playbooks and templates of its own.
pub(super) fn desk(host: &Host) -> Result<Desk> {
    let desk = Desk::of(&[host])?;
    desk.petasos(&["init", "--eject"])?.ended(0)?;
    desk.write("playbooks/20-agent.yaml", "[]\n")?;
    desk.write("petasos.yaml", &format!("{}guard: {{ confirm_timeout: {WINDOW} }}\n", desk.read("petasos.yaml")?))?;
    Ok(desk)
}

/// Files with owner, mode and content, and the rules in force; not the time of files, nor counters,
/// nor which table came first. Tables of iptables' own are taken as iptables prints them: nft tells
/// which of their chains came first, which a restart may change.
pub(super) fn digest(host: &Host) -> Result<String> {
    host.sh("cd /; tar -cf - --sort=name --mtime=@0 etc home/ops/.ssh | sha256sum
        { nft list tables | sort; nft list tables | sort | while read -r _ family name; do
            case $family in ip | ip6) ;; *) nft -s list table $family $name ;; esac
        done; } | sha256sum
        for six in '' 6; do ip${six}tables-save | sed '/^#/d; s/ *\\[[0-9:]*\\]//' | sha256sum; done")
}

fn logs_in(host: &Host) -> Result<bool> {
    let said = host.login("ops", &["ControlPath=none", "ConnectTimeout=4"], "sudo -n id -u")?;
    Ok(said.code == 0 && said.out.trim() == "0")
}

/// Until the administrator's login works again, and the host says that nothing waits any more.
pub(super) fn wait_for_the_way_in(host: &Host, since: Instant) -> Result<Duration> {
    let limit = Duration::from_secs(WINDOW + 15);
    loop {
        let quiet = "test ! -e /var/lib/petasos/guard/armed && test ! -e /var/lib/petasos/guard/reverting";
        if logs_in(host)? && host.holds(quiet)? && host.holds(READ)? {
            return Ok(since.elapsed());
        }
        ensure!(since.elapsed() < limit, "no login after {limit:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The units of a host that has restarted since it was hardened run, and are told to read what was
/// put back, which nobody waits for: UFW's rules are in force when systemd is through with that.
const READ: &str = "for n in $(seq 100); do systemctl list-jobs --no-legend ufw.service | grep -q . || exit 0; sleep 0.1; done; exit 1";

pub(super) fn as_before(host: &Host, before: &str) -> Result<()> {
    host.sh(READ)?;
    let after = digest(host)?;
    ensure!(after == before, "the host is not what it was:\n{before}\n{after}");
    desk(host)?.petasos(&["plan"])?.ended(0).context("the plan is not empty")?;
    Ok(())
}

fn taken_back(bad: &Bad) -> Result<()> {
    let host = &*host()?;
    let desk = desk(host)?;
    desk.petasos(&["plan"])?.ended(0).context("the host was not sound before")?;
    let before = digest(host)?;
    desk.edit(bad.file, bad.old, bad.new)?;
    let began = Instant::now();
    let said = desk.petasos(&["up"])?;
    ensure!(said.code == 4, "it ended with {}, not 4:\n{}", said.code, said.all());
    ensure!(said.err.matches("error: ").count() == 1, "not one error:\n{}", said.err);
    said.says(&["was rolled back"])?;
    // After refused logins sshd may refuse an address for some seconds more (PerSourcePenalties).
    wait_for_the_way_in(host, began + Duration::from_secs(2))?;
    let history = desk.petasos(&["history"])?.ended(0)?;
    ensure!(history.out.lines().last().is_some_and(|line| line.contains(", rolled back")), "{}", history.out);
    as_before(host, &before)
}

/// For an sshd that takes its time to read its settings.
const SLOW: &str = "/run/systemd/system/ssh.service.d";

fn held_port() -> Result<()> {
    let host = &*host()?;
    let desk = desk(host)?;
    let before = digest(host)?;
    host.sh(&format!("install -d {SLOW}; printf '[Service]\\nExecReload=\\nExecReload=/bin/sleep 2\\nExecReload=/bin/kill -HUP $MAINPID\\n' >{SLOW}/slow.conf; systemctl daemon-reload"))?;
    let hold = "import socket, time; s = socket.create_server((\"\", 2200)); time.sleep(300)";
    host.sh(&format!("systemd-run -q --unit=squatter python3 -c '{hold}'"))?;
    host.sh("for n in $(seq 50); do ss -Hltn | grep -q :2200 && break; sleep 0.1; done; ss -Hltn | grep -q :2200")?;
    desk.edit("petasos.yaml", "guard: { confirm_timeout", "network: { ssh_port: 2200 }\nguard: { confirm_timeout")?;
    let said = desk.petasos(&["up"])?;
    // Whoever hears of the rollback can log in.
    let way_in = logs_in(host)?;
    host.sh(&format!("systemctl stop squatter.service; rm -r {SLOW}; systemctl daemon-reload"))?;
    said.ended(4)?.says(&["was rolled back"])?;
    ensure!(way_in, "the host was said to be as before, and has no login");
    as_before(host, &before)
}

/// Strangers who take every place that sshd has for logins. They come from another host: whom sshd
/// shuts out for what they did is them (PerSourcePenalties), not the administrator.
pub fn strangers(at: &Host) -> Result<Host> {
    // Of each host its own: several may be besieged at once.
    let host = Host::from(&format!("{}-strangers", at.name.trim_start_matches("t-")), ready()?)?;
    let knock = include_str!("strangers.py");
    host.sh(&format!(
        "cat >/run/strangers.py <<'END'\n{knock}END\nsystemd-run -q python3 /run/strangers.py {}",
        at.address
    ))?;
    Ok(host)
}

fn starved() -> Result<()> {
    let host = &*host()?;
    let desk = desk(host)?;
    let before = digest(host)?;
    // One place; and a stranger may keep it for ever.
    desk.edit(SSHD, "\nMaxStartups 30:30:200\n", "\nMaxStartups 1:100:1\nPerSourcePenalties no\n")?;
    desk.edit(SSHD, "PerSourceMaxStartups 10\n", "PerSourceMaxStartups none\n")?;
    desk.edit(SSHD, "LoginGraceTime 30\n", "LoginGraceTime 600\n")?;
    let strangers = strangers(host)?;
    let began = Instant::now();
    let said = desk.petasos(&["up"])?;
    drop(strangers);
    said.ended(4)?.says(&["was rolled back"])?;
    wait_for_the_way_in(host, began + Duration::from_secs(2))?;
    as_before(host, &before)
}

/// Starts a bad run, and kills it as soon as it tries the fresh login.
fn kill_after_the_change(desk: &Desk, host: &Host) -> Result<Instant> {
    desk.edit(SSHD, "MaxAuthTries 3\n", "MaxAuthTries 3\nDenyUsers ops\n")?;
    let mut child = desk.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().context("no talk")?).lines();
    let began = Instant::now();
    for line in lines {
        if line?.contains("a new login as ops") {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    // What the dead client's ssh still holds open confirms nothing. sshd takes a moment to read its
    // file.
    while logs_in(host)? {
        ensure!(began.elapsed() < Duration::from_secs(WINDOW / 2), "the change did not shut anybody out");
    }
    Ok(began)
}

fn client_dies() -> Result<()> {
    let host = &*host()?;
    let before = digest(host)?;
    let since = kill_after_the_change(&desk(host)?, host)?;
    let took = wait_for_the_way_in(host, since)?;
    ensure!(took > Duration::from_secs(WINDOW / 2), "it did not wait for the window: {took:?}");
    let history = desk(host)?.petasos(&["history"])?.ended(0)?;
    ensure!(
        history.out.lines().last().is_some_and(|line| line.contains("rolled back: nobody confirmed")),
        "{}",
        history.out
    );
    as_before(host, &before)
}

fn reboot() -> Result<()> {
    let host = &*host()?;
    let before = digest(host)?;
    kill_after_the_change(&desk(host)?, host)?;
    host.reboot("ops")?;
    as_before(host, &before)
}

fn undo() -> Result<()> {
    let host = &*host()?;
    let desk = desk(host)?;
    let before = digest(host)?;
    desk.edit(SSHD, "MaxAuthTries 3\n", "MaxAuthTries 3\nPermitTTY no\n")?;
    desk.edit("petasos.yaml", "guard: { confirm_timeout", "network: { inbound: [443/tcp] }\nguard: { confirm_timeout")?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(digest(host)? != before, "the run changed nothing");
    let history = desk.petasos(&["history", "--changes"])?.ended(0)?;
    history.says(&["converged", "ufw firewall"])?;
    desk.petasos(&["undo", &host.name])?.ended(0)?;
    as_before(host, &before)?;
    desk.petasos(&["history"])?.ended(0)?.says(&["undo"])
}
