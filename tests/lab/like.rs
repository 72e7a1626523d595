//! Hosts as Ubuntu's cloud images are handed over: cloud-init's user comes in, root's key only
//! names that user. The judges are cloud-init, the agent, and the hosts' own programs.

use super::harness::{Desk, Host, ignored, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::lab::{Form, Like};

pub fn trials() -> Vec<Trial> {
    let row =
        |like: Like| trial(&format!("like::{}, from its first start to a chat", like.name()), move || whole(like));
    let [jammy, noble, resolute] = Like::ALL.map(row);
    let other = |row| ignored(row, "ubuntu26.04 runs the same, with more that is unlike Debian");
    vec![other(jammy), other(noble), resolute]
}

fn whole(like: Like) -> Result<()> {
    let host = Host::formed(&format!("like-{}", like.codename()), &Form::of_like(like))?;
    // It is what it says, as far as Debian's packages allow.
    host.sh("cloud-init status --wait >/dev/null || [ $? = 2 ]")?;
    host.sh("test \"$(resolvectl status | grep -c 198.51.100.2)\" -ge 1; readlink /etc/resolv.conf | grep stub; ufw status | grep inactive")?;
    ensure!(host.sh("systemctl is-active ssh.socket || :")?.contains("inactive") != like.ssh_socket(), "who listens?");
    if like == Like::Resolute {
        host.sh("sudo --version 2>&1 | grep -q sudo-rs; readlink -f \"$(command -v stat)\" | grep -q coreutils")?;
    }
    let desk = Desk::of(&[&host])?;
    desk.petasos(&["plan"])?.ended(1)?.says(&["rather than the user", "hint: log in as that user: `ubuntu@"])?;
    desk.edit("petasos.yaml", "root@", "ubuntu@")?;
    let first = desk.petasos(&["up"])?.ended(0)?;
    first.says(&[&format!("Ubuntu {}", like.version()), "also root", "ubuntu (/etc/sudoers.d/90-cloud-init-users)"])?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    desk.petasos(&["verify"])?.ended(0).context("verify")?;
    host.answers()?;
    let answer = host.chat("hello there")?;
    ensure!(!answer.is_empty(), "no answer");
    // What was there before goes on, and a start changes nothing.
    host.login("ubuntu", &["ControlPath=none"], "sudo -n id -u")?.ended(0)?;
    host.reboot("ops")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"]).map(drop)
}
