//! A host with a kernel of its own: what a container cannot show, as its kernel is this machine's.

use super::harness::{Desk, Host, SMALL, ignored, ready_machine, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::lab::{Accel, Form};

const EMULATED: &str = "the processor of a virtual machine is emulated: a first run on one takes ten minutes and more";

pub fn trials() -> Vec<Trial> {
    [
        ("a first run, its limits in the kernel, and a restart", hardened as fn() -> Result<()>),
        ("who keeps the clock goes on doing so", clock),
    ]
    .map(|(name, test)| ignored(trial(&format!("vm::{name}"), test), EMULATED))
    .into()
}

/// Less than the machine has, so that it is the limit that ends what takes more.
const LIMITS: &str = "agent: { limits: { disk: 256M, memory: 768M, tasks: 200 } }";

fn hardened() -> Result<()> {
    let host = Host::formed("vm", &Form { vm: Some(Accel::Tcg), ..Form::of_suite("trixie") })?;
    let desk = Desk::of(&[&host])?;
    desk.edit("petasos.yaml", SMALL, LIMITS)?;
    kernel_of_its_own(&host)?;
    let shows = "grep -c -v '^0* ' /proc/kallsyms || :";
    ensure!(host.sh(shows)?.trim() != "0", "addresses are hidden before anything was done");
    let ours = std::fs::read_to_string("/proc/sys/kernel/kptr_restrict")?;

    let up = desk.petasos(&["up"])?.ended(0).context("the first `petasos up` failed")?;
    let again = desk.petasos(&["up"])?.ended(0)?;
    again.says(&[": 0 changes,", "1 round trip\n"])?;
    let verify = desk.petasos(&["verify"])?.ended(0)?;
    for (what, said) in [("first run", &up), ("second run", &again), ("verify", &verify)] {
        eprintln!("vm: {what}: {:.1} s", said.took.as_secs_f64());
    }
    host.sh("systemctl is-active systemd-timesyncd.service")?;
    // In force, and not only written down: not even root sees where the kernel's code is.
    ensure!(host.sh(shows)?.trim() == "0", "addresses of the kernel can be seen");
    ensure!(ours == std::fs::read_to_string("/proc/sys/kernel/kptr_restrict")?, "this machine's own setting changed");
    memory(&host)?;
    tasks(&host)?;
    network(&host)?;
    desk.petasos(&["plan"])?.ended(0).context("after the limits were tried")?;

    eprintln!("vm: it answers {:.1} s after its restart", host.reboot("ops")?.as_secs_f64());
    host.started()?;
    host.answers()?;
    filter_before_network(&host)?;
    desk.petasos(&["plan"])?.ended(0)?;
    desk.petasos(&["verify"])?.ended(0).map(drop)
}

/// All controllers, AppArmor that refuses, another kernel than this machine's.
fn kernel_of_its_own(host: &Host) -> Result<()> {
    let ours = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    ensure!(host.sh("uname -r")? != ours, "it runs this machine's kernel");
    let controllers = host.sh("cat /sys/fs/cgroup/cgroup.controllers")?;
    for controller in ["cpu", "io", "memory", "pids"] {
        ensure!(controllers.split_whitespace().any(|word| word == controller), "{controller}: {controllers}");
    }
    host.sh("[ \"$(cat /sys/module/apparmor/parameters/enabled)\" = Y ]")?;
    let refuses = "printf 'profile lab-refuses { file, deny /etc/hostname r, }\\n' | apparmor_parser --replace
        aa-exec -p lab-refuses -- cat /etc/hosts >/dev/null
        cat /etc/hostname >/dev/null
        ! aa-exec -p lab-refuses -- cat /etc/hostname 2>&1";
    host.sh(refuses).context("AppArmor refuses nothing")?.lines().next().map(drop).context("cat said nothing")
}

/// A program after `join`, among the agent's own processes and elsewhere on the host: what it says
/// there and here.
fn both(host: &Host, program: &str) -> Result<[String; 2]> {
    let script = "group=/sys/fs/cgroup$(systemctl show --value -p ControlGroup hermes.service)
        [ \"$group\" != /sys/fs/cgroup ]
        python3 -I -c \"$1\" $2 \"$group\" 2>&1 || echo ended with $?";
    let place = |place: &str| -> Result<String> {
        let join = "import sys\nif sys.argv[1] == 'inside': open(sys.argv[2] + '/cgroup.procs', 'w').write('0')\n";
        Ok(host.with_args(script, &[&format!("{join}{program}"), place])?.ended(0)?.out.trim().to_owned())
    };
    Ok([place("inside")?, place("outside")?])
}

fn memory(host: &Host) -> Result<()> {
    let killed =
        "sed -n 's/^oom_kill //p' /sys/fs/cgroup$(systemctl show --value -p ControlGroup hermes.service)/memory.events";
    let before = host.sh(killed)?;
    // The kernel takes this program first, before the agent.
    let takes = "open('/proc/self/oom_score_adj', 'w').write('1000')\nprint(len(b'x' * (800 << 20)))";
    let [inside, outside] = both(host, takes)?;
    ensure!(outside == (800 << 20).to_string(), "elsewhere: {outside}");
    ensure!(inside.ends_with("ended with 137"), "it took more than its limit: {inside}");
    ensure!(host.sh(killed)? != before, "something else killed it");
    host.answers().context("after a program beside the agent took too much memory")
}

fn tasks(host: &Host) -> Result<()> {
    let forks = "import os, signal
children = []
try:
    while len(children) < 300:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
    print('all')
except OSError as error:
    print('refused', error.errno, open(sys.argv[2] + '/pids.current').read().strip())
for child in children:
    os.kill(child, signal.SIGKILL)";
    let [inside, outside] = both(host, forks)?;
    ensure!(outside == "all", "elsewhere: {outside}");
    ensure!(inside == "refused 11 200", "{inside}");
    host.answers().context("after a program beside the agent started too many others")
}

/// As root, whom the packet filter lets pass: what refuses is the unit's own.
fn network(host: &Host) -> Result<()> {
    let dials = "import socket
def tried(what, *arguments):
    try:
        what(*arguments)
        return 'done'
    except OSError as error:
        return type(error).__name__
def bind(port):
    with socket.socket() as own:
        own.bind(('127.0.0.1', port))
def dial(address, port):
    socket.create_connection((address, port), 10).close()
print(tried(dial, '203.0.113.25', 8080), tried(dial, '2001:db8:4::cb00:7119', 8080), tried(dial, '127.0.0.1', 8642),
      tried(bind, 10100), tried(bind, 10300))";
    let [inside, outside] = both(host, dials)?;
    ensure!(outside == "done done done done done", "elsewhere: {outside}");
    ensure!(inside == "TimeoutError TimeoutError done PermissionError done", "{inside}");
    Ok(())
}

/// In the journal of this start: both filters stand before the network is begun.
fn filter_before_network(host: &Host) -> Result<()> {
    let journal = host.sh("journalctl --boot --output=cat _PID=1")?;
    let at = |start: &str| {
        let found = journal.lines().position(|line| line.starts_with(start));
        found.with_context(|| format!("no `{start}` in:\n{journal}"))
    };
    let network = at("Starting systemd-networkd.service")?;
    for filter in ["Finished petasos-egress.service", "Finished ufw.service"] {
        ensure!(at(filter)? < network, "`{filter}` comes after the network:\n{journal}");
    }
    host.sh("nft list table inet petasos >/dev/null; ufw status | grep -q '^Status: active'").map(drop)
}

/// Only a virtual machine has a clock to be kept.
fn clock() -> Result<()> {
    let host = Host::from("vm-clock", ready_machine()?)?;
    host.sh("export DEBIAN_FRONTEND=noninteractive; apt-get -qq -y --no-install-recommends install chrony >/dev/null")?;
    host.sh("systemctl is-active chrony.service")?;
    let desk = Desk::of_hardening(&host)?;
    let plan = desk.petasos(&["plan"])?.ended(2)?;
    ensure!(!plan.all().contains("timesyncd") && !plan.all().contains("chrony"), "{}", plan.all());
    desk.petasos(&["up"])?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    host.reboot("ops")?;
    host.sh("systemctl is-active chrony.service; ! dpkg-query -s systemd-timesyncd 2>/dev/null")?;
    desk.petasos(&["plan"])?.ended(0).map(drop)
}
