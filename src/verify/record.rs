//! What the running agent says of its policy: the record of its start in the audit log, which names
//! the promises that it tried. The kernel tells the audit writer which process says so.

use super::answer::{PolicyRecord, Running};
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use crate::fault::Fault;

/// How the agent's unit starts it.
const LAUNCHER: [&str; 4] =
    ["/opt/hermes/current/venv/bin/python", "-P", "-B", "/usr/lib/petasos/petasos_policy/launch.py"];

/// Whether the policy of /etc/hermes/policy.json is in force in the agent that runs.
pub fn in_force(evidence: &Evidence) -> Check {
    let found = evidence.inspected().policy.found().map(judged);
    inspection("policy.running", "the running agent has the host's policy in force, by its own record", found)
}

fn judged(running: &Running) -> (bool, String) {
    let Running { pid, argv, seccomp, digest, .. } = running;
    let no = |why: String| (false, why);
    match &running.record {
        _ if *pid == 0 => no("the agent does not run".to_owned()),
        _ if !argv.iter().map(String::as_str).take(LAUNCHER.len()).eq(LAUNCHER) => {
            no(format!("process {pid} was not started by the policy's launcher"))
        }
        _ if seccomp != "2" => no(format!("process {pid} has no filter on system calls")),
        None => no(format!("process {pid} has no record in the audit log")),
        Some(PolicyRecord { policy, .. }) if policy != digest => {
            no(format!("process {pid} has another policy in force than the file has"))
        }
        Some(PolicyRecord { release, mode, selftest, .. }) => {
            (true, format!("process {pid}, release {release}, mode {mode}, {} promises tried", selftest.len()))
        }
    }
}

/// Whether the self-test of the agent that runs tried these promises, by the names that
/// `remote/policy/selftest.py` has for them.
pub fn promised(evidence: &Evidence, id: &str, what: &str, promises: &[&str]) -> Check {
    let found = evidence.inspected().policy.found().and_then(|running| {
        let Some(record) = &running.record else { return Err(Fault::new("the agent that runs has no record")) };
        let missing: Vec<&str> =
            promises.iter().copied().filter(|promise| !record.selftest.iter().any(|held| held == promise)).collect();
        let detail =
            if missing.is_empty() { promises.join(", ") } else { format!("not tried: {}", missing.join(", ")) };
        Ok((missing.is_empty(), detail))
    });
    inspection(id, what, found)
}
