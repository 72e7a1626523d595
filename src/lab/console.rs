//! What a provider offers beside the host itself: the console, which asks nobody there, and the
//! cable.
use super::record::Record;
use super::{Lab, net, vm};
use crate::fault::Fault;
use anyhow::{Context, Result};

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A shell outside of the host's processes that waits for the command inside. nsenter's own parent
/// stops itself when a host that goes down stops its processes: it then never takes note of the
/// command's end, and until it does, the kernel does not let the host start again.
const WAIT: [&str; 4] = ["sh", "-c", "\"$@\"; exit $?", "sh"];

/// The same for a virtual machine: its agent is asked, by its cable of its own.
const AGENT: &str = include_str!("../../remote/lab/vm/console.py");

impl Lab {
    /// The words before a command that then runs on the host as root, whatever its sshd and its
    /// firewall think of it.
    ///
    /// # Errors
    /// When no such host runs.
    pub fn console(&self, name: &str) -> Result<Vec<String>> {
        let missing = || not_running(name);
        let record = Record::read(&self.paths, name).with_context(missing)?;
        if record.vm.is_some() {
            let socket = vm::socket(&self.paths.host(name)).to_string_lossy().into_owned();
            let ask =
                ["python3", "-I", "-c", AGENT, &socket, "/usr/bin/env", "-i", PATH, "HOME=/root", "LC_ALL=C.UTF-8"];
            return Ok(ask.map(str::to_owned).to_vec());
        }
        let init = self.groups.init(name).with_context(missing)?;
        let enter =
            ["nsenter", "--target", &init, "--all", "--no-fork", "env", "-i", PATH, "HOME=/root", "LC_ALL=C.UTF-8"];
        Ok(enter.into_iter().chain(WAIT).map(str::to_owned).collect())
    }

    /// Pulls a host's cable, or plugs it in again.
    ///
    /// # Errors
    /// When no such host runs.
    pub async fn plug(&self, name: &str, plugged: bool) -> Result<()> {
        let record = Record::read(&self.paths, name).filter(|_| self.groups.alive(name));
        let record = record.with_context(|| not_running(name))?;
        net::plug(record.address, plugged).await
    }
}

fn not_running(name: &str) -> Fault {
    Fault::new(format!("no lab host `{name}` runs")).hint(format!("`petasos lab up {name}`"))
}
