//! The driver: a program of Python that makes the attacks on the host (`remote/verify/`).

use super::spec::AttackSpec;
use crate::fault::Fault;
use serde::Serialize;

const BOOT: &str = include_str!("../../remote/verify/boot.py");

/// Each after those that it imports; the last one has `main`.
const MODULES: [(&str, &str); 29] = [
    ("patience", include_str!("../../remote/verify/patience.py")),
    ("probe", include_str!("../../remote/verify/probe.py")),
    ("net", include_str!("../../remote/verify/net.py")),
    ("names", include_str!("../../remote/verify/names.py")),
    ("paths", include_str!("../../remote/verify/paths.py")),
    ("rights", include_str!("../../remote/verify/rights.py")),
    ("sandboxed", include_str!("../../remote/verify/sandboxed.py")),
    ("scope", include_str!("../../remote/verify/scope.py")),
    ("bench", include_str!("../../remote/verify/bench.py")),
    ("calls", include_str!("../../remote/verify/calls.py")),
    ("host", include_str!("../../remote/verify/host.py")),
    ("trail", include_str!("../../remote/verify/trail.py")),
    ("policy", include_str!("../../remote/verify/policy.py")),
    ("data", include_str!("../../remote/verify/data.py")),
    ("sshd", include_str!("../../remote/verify/sshd.py")),
    ("listeners", include_str!("../../remote/verify/listeners.py")),
    ("limits", include_str!("../../remote/verify/limits.py")),
    ("beside", include_str!("../../remote/verify/beside.py")),
    ("secrets", include_str!("../../remote/verify/secrets.py")),
    ("release", include_str!("../../remote/verify/release.py")),
    ("upgrades", include_str!("../../remote/verify/upgrades.py")),
    ("proxied", include_str!("../../remote/verify/proxied.py")),
    ("http2", include_str!("../../remote/verify/http2.py")),
    ("s3", include_str!("../../remote/verify/s3.py")),
    ("backup", include_str!("../../remote/verify/backup.py")),
    ("incident", include_str!("../../remote/verify/incident.py")),
    ("inspections", include_str!("../../remote/verify/inspections.py")),
    ("sandbox", include_str!("../../remote/verify/sandbox.py")),
    ("main", include_str!("../../remote/verify/main.py")),
];

#[derive(Serialize)]
struct Program<'a> {
    boot: &'a str,
    modules: &'a [(&'a str, &'a str)],
    spec: &'a AttackSpec,
}

/// The program that makes these attacks, for the standard input of `python3 -`.
///
/// # Errors
/// When the spec cannot be written as JSON.
pub fn program(spec: &AttackSpec) -> Result<String, Fault> {
    let message = serde_json::to_string(&Program { boot: BOOT, modules: &MODULES, spec });
    message.and_then(|message| started(&message)).map_err(|error| Fault::new(error.to_string()).at("the attacks"))
}

fn started(message: &str) -> serde_json::Result<String> {
    // A string of JSON is one of Python, too.
    serde_json::to_string(message).map(|literal| format!("{BOOT}\nboot({literal})\n"))
}

#[cfg(test)]
mod tests;
