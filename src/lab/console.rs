//! A way onto a host that asks nobody there: what a provider calls the console.
use super::Lab;
use anyhow::{Context, Result};

impl Lab {
    /// The words before a command that then runs on the host as root, whatever its sshd and its firewall think of it.
    ///
    /// # Errors
    /// When no such host runs.
    pub fn console(&self, name: &str) -> Result<Vec<String>> {
        let missing = || format!("no lab host `{name}` runs\nhint: `petasos lab up {name}`");
        let init = self.groups.init(name).with_context(missing)?;
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let words = ["nsenter", "--target", &init, "--all", "env", "-i", path, "HOME=/root", "LC_ALL=C.UTF-8"];
        Ok(words.map(str::to_owned).to_vec())
    }
}
