//! With the sandbox off, commands are the agent's own children.

use super::super::harness::{SECRET, Shared, converged};
use anyhow::{Result, ensure};

/// Whatever a command is handed, its own environment or one that the agent puts together, there is
/// no secret of the host's in it, in no encoding: they are looked for by root.
pub fn no_secret(suite: &'static str) -> Result<()> {
    let Shared { host, desk } = &converged(&format!("off-{suite}"), suite)?;
    let off = "agent: { sandbox: off, approvals: { mode: allowlist, allow: [\"env\", \"cp *\", \"python3 *\"] } }\n";
    let yaml = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{yaml}{off}"))?;
    desk.petasos(&["up"])?.ended(0)?;
    let keys = host.sh("sed 's/^[^=]*=//' /etc/hermes/secrets.env | tr -d '\"'\"'\"")?;
    ensure!(keys.contains(SECRET) && keys.lines().count() > 1, "the host has too few secrets to look for");
    let out = "/home/hermes/.hermes/workspace";
    // What is asked to be kept out of view is copied to where root finds it whole.
    host.chat(&format!("RUN: cp /proc/self/environ {out}/environ"))?;
    host.chat(&format!("RUN: python3 -c 'import os; os.system(\"env >{out}/system\")'"))?;
    let said = host.chat("RUN: env")?;
    ensure!(said.contains("HERMES_HOME"), "the command did not run: {said}");
    let look = format!("for file in environ system; do tr '\\0' '\\n' <{out}/$file; done");
    let found = host.sh(&look)?;
    ensure!(found.matches("HERMES_HOME=").count() >= 2, "the commands did not run: {found}");
    for key in keys.lines().filter(|key| key.len() > 8) {
        ensure!(!found.contains(key) && !said.contains(key), "a command was handed a secret");
    }
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0).map(drop)
}
