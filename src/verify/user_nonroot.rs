//! user.nonroot: the agent is nobody special, and cannot become anybody else.

use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::evidence::{Account, Evidence};
use super::report::Check;
use super::{Claims, Control, never_short};
use serde_json::{Value, json};

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
    let same = |id: &str, what: &str, call: Value| attack(id, what, call, By::SameByRoot);
    vec![
        same("user.rights", "any privilege that the kernel would give", json!(["capabilities"])),
        same("user.sudo", "sudo", json!(["run", ["sudo", "-n", "id", "-u"], "0"])),
        same("user.su", "su", json!(["run", ["su", "-s", "/bin/sh", "-c", "id -u", "root"], "0"])),
        same("user.setuid", "a file of its own that runs as its owner", json!(["setuid_file"])),
        // It is held by the unit that it came from; it dials an address for documentation, where
        // nobody is.
        attack(
            "user.daemon",
            "a child that leaves its session and its parent, and dials out",
            json!(["daemon", if claims.filtered() { "203.0.113.25" } else { "" }, 25]),
            By::ByRoot("the same as root, to a listener on loopback", json!(["daemon", "127.0.0.1", "@tcp"])),
        ),
        same("user.processes", "a look at others' processes", json!(["processes"])),
        same("user.environment", "the environment of process 1", json!(["read", "/proc/1/environ"])),
        same("user.signal", "a signal to process 1", json!(["kill", 1])),
        same("user.trace", "tracing a process, be it its own child", json!(["trace"])),
        same(
            "user.namespace",
            "a user namespace, to be root in",
            json!(["run", ["unshare", "--user", "--map-root-user", "id", "-u"], "0"]),
        ),
        same("user.mount", "mount", json!(["system", "mount", "none", "/", "petasos-none", 0, 0])),
        same("user.module", "loading a kernel module", json!(["system", "finit_module", -1, "", 0])),
        same("user.bpf", "a program in the kernel (bpf)", json!(["system", "bpf", 9999, 0, 0])),
        same(
            "user.perf",
            "watching the kernel (perf_event_open)",
            json!(["system", "perf_event_open", 0, 0, -1, -1, 0]),
        ),
        same("user.reboot", "a restart of the host", json!(["system", "reboot", 0, 0, 0, 0])),
        same("user.hostname", "another host name", json!(["system", "sethostname", 0, -1])),
        same("user.keys", "the kernel's keys", json!(["read", "/proc/keys"])),
        same("user.code", "memory that is writable and runs", json!(["writable_code"])),
        same(
            "user.manager",
            "systemd's own doors",
            json!(["each_unix", ["/run/systemd/private", "/run/dbus/system_bus_socket"]]),
        ),
        same(
            "user.containers",
            "a container engine's door, which is root's",
            json!(["each_unix", ["/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"]]),
        ),
        same("user.packets", "a socket that sees every packet", json!(["family", "AF_PACKET"])),
        same("user.netlink", "the kernel's network settings", json!(["family", "AF_NETLINK"])),
        same("user.crypto", "the kernel's crypto sockets, a favourite of exploits", json!(["family", "AF_ALG"])),
        same("user.vsock", "a socket to the machine below", json!(["family", "AF_VSOCK"])),
    ]
}

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    let owners = evidence.inspected("processes", |found| &found.processes).map(|processes| {
        let free = |process: &std::collections::BTreeMap<String, String>| {
            let is = |key: &str, value: &str| process.get(key).is_some_and(|word| word.trim() == value);
            let root = |key: &str| process.get(key).is_none_or(|ids| ids.split_whitespace().any(|id| id == "0"));
            let nothing = |key: &str| process.get(key).is_some_and(|set| set.chars().all(|c| c == '0'));
            root("Uid")
                || root("Gid")
                || !is("NoNewPrivs", "1")
                || !is("Seccomp", "2")
                || !nothing("CapBnd")
                || !nothing("CapEff")
        };
        let names = |name: &std::collections::BTreeMap<String, String>| name.get("Name").cloned().unwrap_or_default();
        let bad: Vec<String> = processes.iter().filter(|process| free(process)).map(names).collect();
        match (processes.is_empty(), bad.is_empty()) {
            (true, _) => (false, "the agent's unit has no process: it does not run".to_owned()),
            (_, true) => {
                (true, format!("{} in all, without privileges and behind the filter of system calls", processes.len()))
            }
            (_, false) => (false, format!("{} may more than it should", bad.join(", "))),
        }
    });
    let account =
        evidence.inspected("account", |found| &found.account).map(|account| (plain(account), described(account)));
    let survivors = evidence.answer.survivors.ok_or_else(|| "the probe did not tell".to_owned());
    let survivors = survivors.and_then(|left| match (left.agent, left.root) {
        (0, 1..) => {
            Ok((true, "nothing of it was left when the unit ended; root's own lived on, and was ended".to_owned()))
        }
        (0, 0) => Err("not even root's own daemon was found again".to_owned()),
        (count, _) => Ok((false, format!("{count} of its processes outlived the unit, and were ended"))),
    });
    vec![
        inspection("user.running", "every process of the running agent", owners),
        inspection("user.account", "the agent's account", account),
        inspection("user.survivors", "a daemon dies with the unit that it came from", survivors),
    ]
}

fn plain(account: &Account) -> bool {
    account.uid != 0
        && account.shell.ends_with("/nologin")
        && account.group == "hermes"
        && account.groups.is_empty()
        && account.password.starts_with('L')
        && !account.sudo.contains("may run")
}

fn described(account: &Account) -> String {
    let groups = if account.groups.is_empty() { "no other".to_owned() } else { account.groups.join(", ") };
    let sudo = if account.sudo.contains("may run") { "sudo lets it" } else { "sudo refuses it" };
    let password = if account.password.starts_with('L') { "locked" } else { "set" };
    format!(
        "uid {}, shell {}, group {}, further groups: {groups}; password {password}; {sudo}",
        account.uid, account.shell, account.group
    )
}
