//! user.nonroot: the agent is nobody special, and cannot become anybody else.

use super::answer::{AgentAccount, Process};
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{AddressFamily, Call, PathCall, Placeholder, Port};
use super::evidence::Evidence;
use super::net_egress::NOBODY;
use super::report::Check;
use super::system_call::SystemCall;
use super::{Claims, Control, limits, never_short};
use crate::fault::Fault;
use core::net::Ipv4Addr;

pub const CONTROL: Control = Control {
    id: "user.nonroot",
    group: "The agent's rights",
    title: "Never root",
    claim: "The agent runs as a user of its own without a shell, a password, sudo or another group, and cannot become anybody else.",
    attacks,
    inspections,
    short: never_short,
    limits: "",
    how: Some("`petasos up`"),
};

fn attacks(claims: &Claims) -> Vec<Attack> {
    let same = |id: &str, what: &str, call: Call| attack(id, what, call, By::SameByRoot);
    let run = |argv: &'static [&'static str]| Call::Run { argv, prints: "0" };
    let sockets = |paths: &'static [&'static str]| Call::AnyOf { name: PathCall::Unix, paths };
    let mut attacks = vec![
        same("user.rights", "any privilege that the kernel grants", Call::Capabilities),
        same("user.sudo", "sudo", run(&["sudo", "-n", "id", "-u"])),
        same("user.su", "su", run(&["su", "-s", "/bin/sh", "-c", "id -u", "root"])),
        same("user.setuid", "a file of its own that runs as its owner", Call::SetuidFile),
        // It is held by the unit that it came from; it dials an address for documentation, where
        // nobody is.
        attack(
            "user.daemon",
            "a child that leaves its session and its parent, and dials out",
            Call::Daemon { address: claims.filtered().then_some(NOBODY.into()), port: Port::Number(25) },
            By::ByRoot(
                "the same as root, to a listener on loopback",
                Call::Daemon { address: Some(Ipv4Addr::LOCALHOST.into()), port: Placeholder::Tcp.into() },
            ),
        ),
        same("user.processes", "other users' processes", Call::Processes),
        same("user.environment", "the environment of process 1", Call::Read { path: "/proc/1/environ" }),
        same("user.signal", "a signal to process 1", Call::Kill { pid: 1 }),
        same("user.trace", "tracing a process, be it its own child", Call::Trace),
        same(
            "user.namespace",
            "a user namespace, to be root in",
            run(&["unshare", "--user", "--map-root-user", "id", "-u"]),
        ),
    ];
    attacks.extend(SYSTEM_CALLS.map(|(id, what, call)| same(id, what, Call::System(call))));
    attacks.extend([
        same("user.keys", "the kernel's keys", Call::Read { path: "/proc/keys" }),
        same("user.code", "memory that is writable and executable", Call::WritableCode),
        same(
            "user.manager",
            "systemd's own sockets",
            sockets(&["/run/systemd/private", "/run/dbus/system_bus_socket"]),
        ),
        same(
            "user.containers",
            "a container engine's socket, which gives root",
            sockets(&["/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"]),
        ),
    ]);
    attacks.extend(FAMILIES.map(|(id, what, name)| same(id, what, Call::Family { name })));
    attacks
}

const SYSTEM_CALLS: [(&str, &str, SystemCall); 11] = [
    ("user.ring", "work for the kernel beside its system calls (io_uring)", SystemCall::IoUringSetup(0, 0)),
    ("user.memory", "a neighbour's memory (process_vm_readv)", SystemCall::ProcessVmReadv(1, 0, 0, 0, 0, -1)),
    ("user.keyring", "the kernel's keyrings (keyctl)", SystemCall::Keyctl(9999, 0, 0)),
    ("user.fault", "holding up the kernel at a page (userfaultfd)", SystemCall::Userfaultfd(-1, 0)),
    ("user.compare", "comparing two processes (kcmp)", SystemCall::Kcmp(0, 0, -1, 0, 0)),
    ("user.mount", "mount", SystemCall::Mount("none", "/", "petasos-none", 0, 0)),
    ("user.module", "loading a kernel module", SystemCall::FinitModule(-1, "", 0)),
    ("user.bpf", "a program in the kernel (bpf)", SystemCall::Bpf(9999, 0, 0)),
    ("user.perf", "watching the kernel (perf_event_open)", SystemCall::PerfEventOpen(0, 0, -1, -1, 0)),
    ("user.reboot", "a reboot of the host", SystemCall::Reboot(0, 0, 0, 0)),
    ("user.hostname", "another host name", SystemCall::Sethostname(0, -1)),
];

const FAMILIES: [(&str, &str, AddressFamily); 4] = [
    ("user.packets", "a socket that sees every packet", AddressFamily::Packet),
    ("user.netlink", "the kernel's network settings", AddressFamily::Netlink),
    ("user.crypto", "the kernel's crypto sockets, a favourite of exploits", AddressFamily::Alg),
    ("user.vsock", "a socket to the hypervisor (vsock)", AddressFamily::Vsock),
];

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let owners = evidence.inspected().processes.found().map(|processes| {
        let bad: Vec<&str> =
            processes.iter().filter(|process| is_free(process)).map(|process| process.name.as_str()).collect();
        match (processes.is_empty(), bad.is_empty()) {
            (true, _) => (false, "the agent's unit has no process: it is not running".to_owned()),
            (_, true) => {
                (true, format!("{} in total, without privileges and behind the system call filter", processes.len()))
            }
            (_, false) => (false, format!("{} has more rights than it should", bad.join(", "))),
        }
    });
    let account = evidence.inspected().account.found().map(|account| (plain(account), described(account)));
    let left = evidence.answer.survivors;
    let survivors = match (left.agent, left.root) {
        (0, 1..) => Ok((true, "nothing was left when the unit ended; root's daemon lived on and was ended".to_owned())),
        (0, 0) => Err(Fault::new("not even root's own daemon was found again")),
        (count, _) => Ok((false, format!("{count} of its processes outlived the unit, and were ended"))),
    };
    vec![
        inspection("user.running", "every process of the running agent", owners),
        inspection("user.account", "the agent's account", account),
        limits::of_unit(claims, evidence),
        inspection("user.survivors", "a daemon ends with the unit that started it", survivors),
    ]
}

/// Whether a process has any privilege, a way to more, or no filter on system calls.
fn is_free(process: &Process) -> bool {
    let root = |ids: &str| ids.is_empty() || ids.split_whitespace().any(|id| id == "0");
    let any = |capabilities: &str| capabilities.is_empty() || capabilities.chars().any(|digit| digit != '0');
    root(&process.uid)
        || root(&process.gid)
        || process.no_new_privs.trim() != "1"
        || process.seccomp.trim() != "2"
        || any(&process.cap_bnd)
        || any(&process.cap_eff)
}

fn plain(account: &AgentAccount) -> bool {
    account.uid != 0
        && account.shell.ends_with("/nologin")
        && account.group == "hermes"
        && account.groups.is_empty()
        && account.password.starts_with('L')
        && !account.sudo.contains("may run")
}

fn described(account: &AgentAccount) -> String {
    let groups = if account.groups.is_empty() { "no other".to_owned() } else { account.groups.join(", ") };
    let sudo = if account.sudo.contains("may run") { "sudo allows it" } else { "sudo refuses it" };
    let password = if account.password.starts_with('L') { "locked" } else { "set" };
    format!(
        "uid {}, shell {}, group {}, further groups: {groups}; password {password}; {sudo}",
        account.uid, account.shell, account.group
    )
}
