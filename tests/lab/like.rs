//! Hosts as Ubuntu's cloud images are handed over: cloud-init's user comes in, root's key only
//! names that user. The judges are cloud-init, the agent, and the hosts' own programs.

use super::harness::{Desk, Host, ignored, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::lab::{Form, Like};

pub fn trials() -> Vec<Trial> {
    let name = |like: Like| format!("like::{}, from its first start to a chat", like.name());
    let other = |like| {
        let row = trial(&name(like), move || whole(like));
        ignored(row, "ubuntu26.04 runs the same, with more that is unlike Debian")
    };
    let [jammy, noble, resolute] = Like::ALL;
    vec![other(jammy), other(noble), slow(&name(resolute), move || whole(resolute))]
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
    let minor = match like {
        Like::Jammy => "3.10",
        Like::Noble => "3.13",
        Like::Resolute => "3.14",
    };
    ensure!(host.sh("readlink /usr/bin/python3")?.trim() == format!("python{minor}"), "whose Python?");
    let desk = Desk::of(&[&host])?;
    // With the Python that the lab's github.com has.
    desk.petasos(&["pin", "0.19.0"])?.ended(0)?;
    desk.petasos(&["plan"])?.ended(1)?.says(&["rather than the user", "hint: log in as that user: `ubuntu@"])?;
    desk.edit("petasos.yaml", "root@", "ubuntu@")?;
    let downloads = like != Like::Noble;
    if downloads {
        another_digest(&desk, &host)?;
    }
    let first = desk.petasos(&["up"])?.ended(0)?;
    ensure!(first.all().contains("downloads about") == downloads, "{}", first.all());
    let runs = host.sh("readlink -f /opt/hermes/current/venv/bin/python; find /opt/hermes -perm /022 ! -type l")?;
    let place = if downloads { "/opt/hermes/python/" } else { "/usr/bin/" };
    ensure!(runs.starts_with(place) && runs.lines().count() == 1, "{runs}");
    first.says(&[&format!("Ubuntu {}", like.version()), "also root", "ubuntu (/etc/sudoers.d/90-cloud-init-users)"])?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    // Where the mirror still has it.
    let old = host.sh("! [ -e /etc/apt/sources.list.d/nginx.list ] || nginx -v 2>&1")?;
    ensure!(old.is_empty() || old.contains("nginx/1.18."), "{old}");
    desk.petasos(&["verify"])?.ended(0).context("verify")?;
    host.answers()?;
    let answer = host.chat("hello there")?;
    ensure!(!answer.is_empty(), "no answer");
    // What was there before goes on, and a start changes nothing.
    host.login("ubuntu", &["ControlPath=none"], "sudo -n id -u")?.ended(0)?;
    host.reboot("ops")?;
    host.answers()?;
    host.started()?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"]).map(drop)
}

/// An archive that is not the pinned one: the run ends before anything of it is there.
fn another_digest(desk: &Desk, host: &Host) -> Result<()> {
    let lock = desk.read("petasos.lock")?;
    let python = lock.split_once("python:").context("no Python is pinned")?.1;
    let digest = python.split_once("sha256: ").context("no digest")?.1.split_whitespace().next().unwrap_or_default();
    desk.write("petasos.lock", &lock.replace(digest, &"0".repeat(64)))?;
    let plan = desk.petasos(&["plan"])?.ended(2)?;
    plan.says(&[
        "of the host, not >=3.11,<3.14 -> 3.11.2: downloads about",
        "from github.com/astral-sh/python-build-standalone",
    ])?;
    let refused = desk.petasos(&["up"])?.ended(1)?;
    refused.says(&["refused: the archive of Python 3.11.2 has the digest", digest, "nothing of it was unpacked"])?;
    ensure!(host.sh("ls -A /opt/hermes/python")?.is_empty(), "something was left");
    desk.write("petasos.lock", &lock).map(drop)
}
