//! What a playbook of the user's own does without a word of its risk: what shuts the administrator
//! out is rolled back, whatever its entry says, and `undo` brings all else back. The judges are a
//! login, sudo, the kernel, and the bytes of /etc.

use super::guard::{self, as_before, desk, digest, hardened, wait_for_the_way_in};
use super::harness::{Desk, Host, ignored, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    let shut_out: [(&str, Change); 5] = [("ufw", ufw), ("sshd", sshd), ("nft", nft), ("user", user), ("file", file)];
    let guarded = shut_out.map(|(kind, change)| {
        let one = trial(&format!("effects::`{kind}` without a risk is guarded"), move || match kind {
            // What is done to this one stays.
            "sshd" | "nft" => guarded(&hardened(&format!("effects-{kind}"))?, change),
            _ => guarded(&*guard::host()?, change),
        });
        match kind {
            "nft" | "user" => one,
            _ => ignored(one, "two of the five kinds run by default; the guard's table shuts people out by all"),
        }
    });
    let undone = trial("effects::undo brings back what each kind changed", undone);
    guarded.into_iter().chain([undone]).collect()
}

/// What is done to the host, and to the desk's playbooks, so that the next run would shut the
/// administrator out.
type Change = fn(&Host, &Desk) -> Result<()>;

const MINE: &str = "playbooks/50-mine.yaml";
const BASE: &str = "playbooks/10-base.yaml";

/// A desk whose playbooks say nothing of any risk.
fn plain(host: &Host) -> Result<Desk> {
    let desk = desk(host)?;
    let unsaid = |line: &&str| !line.trim_start().trim_start_matches("- ").starts_with("risk:");
    let base: String = desk.read(BASE)?.lines().filter(unsaid).map(|line| format!("{line}\n")).collect();
    desk.write(BASE, &base)?;
    desk.petasos(&["plan"])?.ended(0).context("the host was not sound before")?;
    Ok(desk)
}

fn guarded(host: &Host, change: Change) -> Result<()> {
    let desk = plain(host)?;
    change(host, &desk)?;
    let (before, rules) = (digest(host)?, host.sh(RULES)?);
    let began = Instant::now();
    let said = desk.petasos(&["up"])?;
    ensure!(said.code == 4, "it ended with {}, not 4:\n{}", said.code, said.all());
    // After refused logins sshd may refuse an address for some seconds more (PerSourcePenalties).
    wait_for_the_way_in(host, began + Duration::from_secs(2))?;
    while digest(host)? != before {
        // Units start again after the rollback has ended: ufw's sets up its rules then.
        let after = || host.sh(RULES);
        ensure!(began.elapsed() < Duration::from_secs(60), "the host is not what it was:\n{rules}\n{}", after()?);
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

const RULES: &str = "iptables-save; ip6tables-save; nft list tables; find /etc -newermt '-2 minutes' -ls";

fn ufw(_: &Host, desk: &Desk) -> Result<()> {
    desk.edit(BASE, "ssh_port: \"{{ ssh_port }}\"", "ssh_port: \"2200\"")
}

/// Our file shuts people out, another one that sshd reads first does not; then a line of the other
/// one is to be silenced.
fn sshd(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("echo 'ForceCommand none' >/etc/ssh/sshd_config.d/00-a.conf; systemctl reload ssh.service")?;
    desk.edit(super::guard::SSHD, "MaxAuthTries 3\n", "MaxAuthTries 3\nForceCommand /bin/false\n")?;
    desk.petasos(&["up"])?.ended(0).context("the file alone shut somebody out")?;
    desk.edit(BASE, "      maxauthtries:", "      forcecommand: /bin/false\n      maxauthtries:")
}

/// A table beside ours that takes no new connection of SSH; those that there are stay.
fn nft(host: &Host, desk: &Desk) -> Result<()> {
    let table = "table inet mine\ndelete table inet mine\ntable inet mine {\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\t\tct state new tcp dport 22 drop\n\t}\n}\n";
    host.sh(&format!("printf '%s' '{table}' >/etc/mine.nft"))?;
    desk.write(MINE, "- name: mine\n  nft: { table: inet mine, file: /etc/mine.nft }\n")
}

fn user(_: &Host, desk: &Desk) -> Result<()> {
    desk.edit(BASE, "shell: /bin/bash", "shell: /usr/sbin/nologin")
}

fn file(_: &Host, desk: &Desk) -> Result<()> {
    let rule = "{ path: /etc/sudoers.d/x, mode: \"0440\", content: \"ops ALL=(ALL) !ALL\\n\" }";
    desk.write(MINE, &format!("- name: mine\n  file: {rule}\n"))
}

const EVERY_KIND: &str = r#"- name: mine
  group: { name: mine }
- name: mine
  user: { name: another, home: /home/another, shell: /bin/bash }
- name: mine
  directory: { path: /etc/mine/deep/er, mode: "0755" }
- name: mine
  file: { path: /etc/mine/also/file, mode: "0644", content: "x" }
- name: mine
  env_file: { path: /etc/mine.env, mode: "0600", set: { MINE: "1" } }
- name: mine
  settings: { path: /etc/mine.defs, mode: "0644", set: { MINE: "1" } }
- name: mine
  symlink: { path: /etc/mine.link, target: /etc/hostname }
- name: mine
  unit: { name: dpkg-db-backup.timer, enabled: false, running: false }
- name: mine
  program: { path: /etc/mine.py, source: audit/lines.py }
- name: mine
  sysctl: { file: /etc/sysctl.d/90-mine.conf, set: { net.ipv4.ip_default_ttl: "77" } }
"#;

/// What no file says.
const LIVE: &str = "cat /proc/sys/net/ipv4/ip_default_ttl; systemctl is-enabled dpkg-db-backup.timer || :; \
    systemctl is-active dpkg-db-backup.timer || :; getent passwd another || :; getent group mine || :";

fn undone() -> Result<()> {
    let host = hardened("effects-undo")?;
    let desk = desk(&host)?;
    let (before, live) = (digest(&host)?, host.sh(LIVE)?);
    desk.write(MINE, EVERY_KIND)?;
    desk.petasos(&["up"])?.ended(0)?;
    let changed = host.sh(LIVE)?;
    ensure!(changed.contains("77\ndisabled\ninactive\nanother") && changed.contains("mine:"), "{changed}");
    ensure!(host.holds("grep -q another /etc/subuid")?, "useradd keeps no numbers for it here: no test of that");
    desk.petasos(&["undo", &host.name])?.ended(0)?;
    let after = host.sh(LIVE)?;
    ensure!(after == live, "not as before:\n{live}\n{after}");
    as_before(&host, &before)
}
