//! What becomes of the agent when a part of the policy, of its writer or of its sandbox is not as
//! it should be: it does not start, or nothing runs; and `up` brings it back.

use super::super::harness::Shared;
use super::{Kind, ours};
use anyhow::{Context, Result, ensure};

struct Fault {
    name: &'static str,
    inject: &'static str,
    /// Where `up` alone does not undo it.
    undo: &'static str,
    then: Then,
}

enum Then {
    /// A start ends with 78, and systemd tries no other.
    NoStart,
    /// A start ends, systemd tries again, and by itself it runs once the fault is undone.
    StartsLater,
    /// It runs on, and does nothing that it is told.
    NothingRuns,
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "the policy is no JSON",
        inject: "echo '{' >$(readlink -f /etc/hermes/policy.json)",
        undo: "",
        then: Then::NoStart,
    },
    Fault { name: "the policy is gone", inject: "rm /etc/hermes/policy.json", undo: "", then: Then::NoStart },
    Fault {
        name: "one byte of a reviewed file is another one",
        inject: "f=/opt/hermes/current/tools/registry.py; cp -a $f /root/registry; printf '#' | dd of=$f bs=1 seek=3 conv=notrunc status=none",
        undo: "cat /root/registry >/opt/hermes/current/tools/registry.py",
        then: Then::NoStart,
    },
    Fault {
        name: "the judge raises",
        inject: "echo 'def judge(*a, **k): raise RuntimeError(1)' >>/usr/lib/petasos/petasos_policy/rules.py",
        undo: "",
        then: Then::NoStart,
    },
    Fault {
        name: "the kernel's lock is refused",
        inject: "mkdir -p /etc/systemd/system/hermes.service.d; printf '[Service]\\nSystemCallFilter=~seccomp prctl\\n' >/etc/systemd/system/hermes.service.d/x.conf; systemctl daemon-reload",
        undo: "",
        then: Then::NoStart,
    },
    Fault {
        name: "the audit writer is silent",
        inject: "systemctl kill -s STOP petasos-audit.service",
        undo: "systemctl kill -s CONT petasos-audit.service",
        then: Then::NothingRuns,
    },
    Fault {
        name: "the audit writer is silent while the agent starts",
        inject: "systemctl kill -s STOP petasos-audit.service",
        undo: "systemctl kill -s CONT petasos-audit.service",
        then: Then::StartsLater,
    },
    Fault {
        name: "the audit writer cannot be reached",
        inject: "mv /run/petasos-agent/audit.sock /run/petasos-agent/away; systemctl kill -s KILL petasos-audit.service",
        undo: "mv /run/petasos-agent/away /run/petasos-agent/audit.sock",
        then: Then::NothingRuns,
    },
    Fault { name: "the audit writer's disk is full", inject: FULL, undo: NOT_FULL, then: Then::NothingRuns },
    Fault {
        name: "the sandbox cannot be reached",
        inject: "mv /run/petasos-agent/sandbox.sock /run/petasos-agent/away",
        undo: "mv /run/petasos-agent/away /run/petasos-agent/sandbox.sock",
        then: Then::NothingRuns,
    },
];

/// Another disk for the log, with the log on it, full to the last line that fits.
const FULL: &str = r#"
cp -a /var/log/hermes /root/log
mount -t tmpfs -o size=64m full /var/log/hermes
cp -a /root/log/. /var/log/hermes; rm -r /root/log
dd if=/dev/zero of=/var/log/hermes/zeros bs=4k 2>/dev/null || :
systemctl restart petasos-audit.service
python3 -I - <<'END'
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("/run/petasos-agent/audit.sock")
answers = s.makefile("rb")
for _ in range(100):
    s.sendall(b'{"event": "tool_result"}\n')
    if b"No space left" in answers.readline():
        break
else:
    raise SystemExit("the disk is not full")
END"#;

/// With all that was written meanwhile: the chain stays whole.
const NOT_FULL: &str = r"
cp /var/log/hermes/audit.jsonl /root/written
umount -l /var/log/hermes
cat /root/written >/var/log/hermes/audit.jsonl; rm /root/written
systemctl restart petasos-audit.service";

const RUNS: &str = "ls /var/lib/petasos-sandbox/work/*/fault-\"$1\" >/dev/null 2>&1";

pub fn closed(kind: Kind) -> Result<()> {
    let shared = &*ours(kind)?;
    let mut wrong = Vec::new();
    for (at, fault) in FAULTS.iter().enumerate() {
        if let Err(error) = tried(shared, fault, at) {
            wrong.push(format!("{}: {error:#}", fault.name));
            shared.host.run(fault.undo)?;
            shared.desk.petasos(&["up"])?;
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

fn tried(shared: &Shared, fault: &Fault, at: usize) -> Result<()> {
    let Shared { host, desk } = shared;
    let done = |what: &str| Ok::<_, anyhow::Error>(host.with_args(RUNS, &[what])?.code == 0);
    host.sh(fault.inject)?;
    match fault.then {
        Then::NoStart => {
            host.run("systemctl reset-failed hermes.service; systemctl restart hermes.service")?;
            let ended = "for n in $(seq 60); do [ \"$(systemctl show --value -p ActiveState hermes.service)\" = failed ] && break; sleep 0.5; done; systemctl show --value -p ExecMainStatus hermes.service";
            let status = host.sh(ended)?;
            ensure!(status.trim() == "78", "it ended with {status}");
        }
        Then::StartsLater => {
            host.run("systemctl reset-failed hermes.service; systemctl restart hermes.service")?;
            let tries = "for n in $(seq 120); do [ \"$(systemctl show --value -p NRestarts hermes.service)\" = 0 ] || exit 0; sleep 0.5; done; exit 1";
            host.sh(tries).context("it is not tried again")?;
            host.sh(fault.undo)?;
            host.answers()?;
            desk.petasos(&["plan"])?.ended(0)?;
            return Ok(());
        }
        Then::NothingRuns => {
            let name = format!("{at}");
            let said = host.chat(&format!("RUN: touch fault-{name}"));
            ensure!(!done(&name)?, "it ran: {said:?}");
        }
    }
    if !fault.undo.is_empty() {
        host.sh(fault.undo)?;
    }
    desk.petasos(&["up"])?.ended(0)?;
    let well = format!("well-{at}");
    let said = host.chat(&format!("RUN: touch fault-{well}"))?;
    ensure!(done(&well)?, "after `up`: {said}");
    Ok(())
}
