//! With the sandbox off, commands are the agent's own children.

use super::super::harness::{SECRET, Shared, converged};
use anyhow::{Result, ensure};

/// Its own environment as the kernel has it, and that of a child, to where root finds them.
const CHILDREN: &str = r#"
import os, shutil
out = "/home/hermes/.hermes/workspace/"
with open("/proc/self/environ", "rb") as here, open(out + "environ", "wb") as there:
    shutil.copyfileobj(here, there)
os.system(f"env >{out}system")
"#;

/// Whatever a command is handed, its own environment or one that the agent puts together, there is
/// no secret of the host's in it, in no encoding: they are looked for by root.
pub fn no_secret(suite: &'static str) -> Result<()> {
    let Shared { host, desk } = &converged(&format!("off-{suite}"), suite)?;
    let off = "agent: { sandbox: off, approvals: { mode: allowlist, allow: [\"printenv\", \"python3 *\"] } }\n";
    let yaml = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{yaml}{off}"))?;
    desk.petasos(&["up"])?.ended(0)?;
    let keys = host.sh("sed 's/^[^=]*=//' /etc/hermes/secrets.env | tr -d '\"'\"'\"")?;
    ensure!(keys.contains(SECRET) && keys.lines().count() > 1, "the host has too few secrets to look for");
    let out = "/home/hermes/.hermes/workspace";
    let told =
        host.with_args("mkdir -p /usr/local/share; printf '%s' \"$1\" >/usr/local/share/children.py", &[CHILDREN]);
    told?.ended(0)?;
    let ran = host.chat("RUN: python3 /usr/local/share/children.py")?;
    let said = host.chat("RUN: printenv")?;
    ensure!(said.contains("HERMES_HOME"), "the command did not run: {said}");
    let look = format!("for file in environ system; do tr '\\0' '\\n' <{out}/$file; done");
    let found = host.run(&look)?.out;
    ensure!(found.matches("HERMES_HOME=").count() >= 2, "the commands did not run: {ran}\n{found}");
    for key in keys.lines().filter(|key| key.len() > 8) {
        ensure!(!found.contains(key) && !said.contains(key), "a command was handed a secret");
    }
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0).map(drop)
}
