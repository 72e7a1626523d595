//! sandbox.exec: what the tools run, runs elsewhere, with nothing to find and nobody to call.

use super::attack::{Attack, PositiveControl as By, attack};
use super::call::Call;
use super::evidence::Evidence;
use super::report::{Check, ControlStatus};
use super::{Claims, Control, record};
use crate::addresses;

pub const CONTROL: Control = Control {
    id: "sandbox.exec",
    group: "What the agent may do",
    title: "Tools in a sandbox",
    claim: "Commands run in throw-away instances of a unit of their own, as another user, without the network, the agent's files and other sessions' files, and end with their time.",
    attacks,
    inspections,
    short,
    limits: "limits of memory, processes and file sizes are as declared, and were not tried; nor was what `network: names` lets out",
    how: Some("`agent.sandbox` in petasos.yaml (it is on unless it says `off`), then `petasos up`"),
};

/// The driver removes the directories of sessions that begin like this (`remote/verify/main.py`).
const MINE: &str = "petasos-verify-mine";
const OTHER: &str = "petasos-verify-other";

/// In seconds, for the command that is to be ended.
const SHORT: u32 = 1;

fn short(claims: &Claims) -> Option<(ControlStatus, String)> {
    let off = "`agent.sandbox: off`: commands run inside the agent's own unit, as the agent's user";
    (!claims.policy.sandbox.enabled).then(|| (ControlStatus::NotMet, off.to_owned()))
}

fn attacks(claims: &Claims) -> Vec<Attack> {
    if !claims.policy.sandbox.enabled {
        return Vec::new();
    }
    let network = claims.policy.sandbox.network == "names";
    let command = |session, script: &str, timeout, code| {
        let script = script.to_owned();
        Call::Sandboxed { session, script, timeout, code, network }
    };
    let by_root = |id: &str, what: &str, script: &str, outside: &str, control: &'static str| {
        let outside = By::ByRoot(control, Call::Script { text: outside.to_owned() });
        attack(id, format!("a command in the sandbox: {what}"), command(MINE, script, 20, 0), outside)
    };
    let same = |id: &str, what: &str, script: &str| by_root(id, what, script, script, "the same on the host, as root");
    let dial = |address: &str, port: u16| format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port}' || exit 1");
    let api = dial("127.0.0.1", addresses::API_PORT);
    let ssh = dial("127.0.0.1", claims.ssh_port);
    let name = claims.allowed_name().unwrap_or("github.com");
    let (resolve, own) = (format!("getent hosts {name} || exit 1"), "getent hosts localhost || exit 1");
    let loopback = "the same program on the host, as root, for loopback";
    vec![
        attack(
            "sandbox.user",
            "a command in the sandbox runs, as a user of its own without rights",
            command(MINE, USER, 20, 0),
            By::MustWork,
        ),
        attack(
            "sandbox.time",
            "a command in the sandbox ends with its time",
            command(MINE, "trap '' TERM; sleep 30 & wait; sleep 30", SHORT, 124),
            By::MustWork,
        ),
        same("sandbox.secrets", "the agent's secrets", "head -c 1 /etc/hermes/secrets.env >/dev/null || exit 1"),
        same(
            "sandbox.data",
            "the agent's data: conversations, memory, who may talk to it",
            "ls -A /home/hermes/.hermes | grep -q . || exit 1",
        ),
        same("sandbox.log", "the audit log", "head -c 1 /var/log/hermes/audit.jsonl >/dev/null || exit 1"),
        same("sandbox.processes", "the agent's processes", "grep -lq 'launch[.]py' /proc/[0-9]*/cmdline || exit 1"),
        same("sandbox.interfaces", "any network but its own loopback", INTERFACES),
        same("sandbox.api", "the agent's API on the host's loopback", &api),
        by_root("sandbox.address", "HTTPS to an address", &dial(&claims.sink[0].to_string(), 443), &ssh, loopback),
        by_root("sandbox.names", "a name's address", &resolve, own, loopback),
        same("sandbox.sockets", "the host's sockets", "test -S /run/petasos-agent/audit.sock || exit 1"),
        attack(
            "sandbox.sessions",
            "a command in the sandbox: another session's files",
            command(
                OTHER,
                "sleep 1; ls -d /sessions/* /var/lib/petasos-sandbox/work/* | grep -v -e '[*]' | grep -q . || exit 1",
                20,
                0,
            ),
            By::ByRoot("the list of the sessions, as root", Call::Script { text: SESSIONS.to_owned() }),
        ),
        same(
            "sandbox.namespaces",
            "namespaces and mounts of its own",
            "unshare --mount mount -t tmpfs none /mnt || unshare --user --map-root-user true || exit 1",
        ),
    ]
}

/// Where the kernel says nothing, nothing was seen.
const INTERFACES: &str =
    "test -r /proc/self/net/dev || exit 9; grep -v -e ' lo:' -e '|' /proc/self/net/dev | grep -q : || exit 1";

const USER: &str = "u=$(id -u); [ $u != 0 ] && [ $u != $agent ] || exit 1
grep -Eq '^CapEff:[[:space:]]*0+$' /proc/self/status && grep -Eq '^NoNewPrivs:[[:space:]]*1$' /proc/self/status || exit 1
echo user $u";

/// They come up beside this.
const SESSIONS: &str =
    "for n in {1..80}; do ls -d /var/lib/petasos-sandbox/work/* >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1";

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    if !claims.policy.sandbox.enabled {
        return Vec::new();
    }
    let promises = ["no execve", "no fork", "no process", "commands go to the sandbox", "tools see another machine"];
    vec![
        record::in_force(evidence),
        record::promised(
            evidence,
            "sandbox.tried",
            "the agent's own process starts nothing, and its tools go to the sandbox, by its self-test",
            &promises,
        ),
    ]
}
