//! `vagrant up` as its user runs it: the repository's own Vagrantfile, Vagrant and libvirt of
//! Debian, and a box that `vagrant/box` builds and that has the name of one of bento's.
//!
//! The user's machine is a lab host. So nothing is installed or left on this machine, and the
//! virtual machine reaches the lab's internet and nothing else. It is emulated in software, with
//! KVM or without: a lab host has no `/dev/kvm`. Linux and root are needed, as for the lab.

mod desk;

use anyhow::{Context, Result, ensure};
use desk::Desk;
use std::sync::Mutex;

/// The machine of the Vagrantfile, and its box.
const MACHINE: &str = "debian13";
const BOX: &str = "debian-13";

/// Two machines in software would keep each other waiting.
static ONE: Mutex<()> = Mutex::new(());

#[test]
#[ignore = "a virtual machine is started in software, for two minutes; .ci/run does it: \
            cargo test --test vagrant -- --ignored lab_plan"]
fn lab_plan_changes_nothing() -> Result<()> {
    let _one = ONE.lock();
    let desk = Desk::with_box("vg-plan", BOX)?;
    desk.vagrant("PETASOS_VERB=plan", "up", 0)?
        .says(&["~ user ops: exists: no -> yes", "~ ufw firewall: active: no -> yes"])?;
    desk.guest("! id ops && ! command -v ufw").context("`plan` changed something")?;
    Ok(())
}

#[test]
#[ignore = "a virtual machine is brought up in software, for half an hour: \
            cargo test --test vagrant -- --ignored --nocapture"]
fn lab_up_and_halt() -> Result<()> {
    let _one = ONE.lock();
    let desk = Desk::with_box("vg-up", BOX)?;
    converges(&desk)?;
    proves(&desk)?;
    starts_again(&desk)?;
    says_what_failed(&desk)?;
    needs_its_own_settings(&desk)
}

/// As VirtualBox and QEMU do it: Vagrant's connection, and Petasos's, are to a port of loopback.
#[test]
#[ignore = "a virtual machine is brought up in software, for half an hour: \
            cargo test --test vagrant -- --ignored --nocapture"]
fn lab_destroy_and_up_behind_a_forwarded_port() -> Result<()> {
    let _one = ONE.lock();
    let desk = Desk::with_box("vg-port", BOX)?;
    desk.vagrant("PETASOS_VERB=plan", "up", 0)?;
    let before = desk.host_key()?;
    desk.vagrant("", "destroy --force", 0)?;
    desk.forward()?;
    converges(&desk)?;
    ensure!(desk.host_key()? != before, "it is the same machine");
    desk.sh("grep -q 'HostName 127.0.0.1' .vagrant/ssh_config.debian13")?;
    desk.guest("! ufw status | grep 2222")?;
    starts_again(&desk)
}

fn converges(desk: &Desk) -> Result<()> {
    let mut said = desk.run("", "up")?;
    // Emulated on a machine that is busy, the agent may answer later than `up` waits for it.
    if said.code == Some(1) && said.says(&["unhealthy: "]).is_ok() {
        said = desk.run("", "up")?;
    }
    said.ended(0)?.says(&["administrator  ops"])?;
    desk.guest("id ops && ufw status | grep -q '^22/tcp .*ALLOW' && systemctl is-active hermes.service")?;
    desk.unchanged()
}

/// By attack. In software some are not over in time, which is 3, and never one that succeeded.
fn proves(desk: &Desk) -> Result<()> {
    let said = desk.run("PETASOS_VERB=verify", "up")?;
    said.says(&["+ net.egress", "+ supply.pin", " met, 0 not met"])?;
    match said.code {
        Some(0) => Ok(()),
        _ => said.ended(1)?.says(&["`petasos verify` ended with 3 for debian13"]),
    }
}

/// Vagrant stops the hardened machine by its own connection, and knows it again.
fn starts_again(desk: &Desk) -> Result<()> {
    desk.vagrant("", "halt", 0)?;
    ensure!(desk.sh("virsh --connect qemu:///system list --name")?.out.trim().is_empty(), "it still runs");
    // The agent of a machine that has just started may not answer yet, and is waited for.
    desk.vagrant("", "up", 0)?.says(&[": 0 changes,"])?;
    desk.unchanged()?;
    // A machine whose power was cut has no last line.
    desk.guest("journalctl --quiet --boot -1 | grep -q 'Reached target .*Power Off'")?;
    Ok(())
}

fn says_what_failed(desk: &Desk) -> Result<()> {
    desk.vagrant("PETASOS_VERB=undo", "up", 1)?.says(&["PETASOS_VERB is up, plan, verify, not `undo`"])?;
    desk.vagrant("PETASOS=false", "up", 1)?.says(&["`petasos up` ended with 1 for debian13"])?;
    desk.vagrant("PETASOS=no-such-program", "up", 1)?.says(&["`no-such-program` does not run"])?;
    Ok(())
}

/// Without `ssh.algorithms: compatible`, Vagrant is locked out: the setting is what lets it in.
fn needs_its_own_settings(desk: &Desk) -> Result<()> {
    desk.net_ssh()?.ended(0)?;
    desk.sh("sed -i 's/algorithms: compatible/algorithms: strict/' petasos.yaml")?;
    desk.vagrant("", "up", 0)?.says(&["00-petasos.conf"])?;
    desk.net_ssh()?.ended(1)?.says(&["could not settle on kex"])
}
