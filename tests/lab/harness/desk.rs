//! A user's folder: petasos.yaml, petasos.lock, an ssh configuration; and `petasos` run in it.

use super::world::{PETASOS, world};
use super::{Host, Said};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use tempfile::TempDir;

/// The provider's key of every desk; the lab's model takes any.
pub const SECRET: &str = "sk-or-v1-4ad5c0ffee0ddba11deadbeefca11ab1e";

/// What each host has of its own.
pub const SMALL: &str = "agent: { limits: { disk: 256M } }";

/// The lab's own options for these hosts.
pub fn ssh_config(hosts: &[&Host]) -> Result<String> {
    hosts
        .iter()
        .map(|host| std::fs::read_to_string(&host.ssh_config).with_context(|| host.name.clone()))
        .collect::<Result<Vec<_>>>()
        .map(|texts| texts.concat())
}

/// The public half of the key that the lab's hosts accept.
pub fn lab_key(host: &Host) -> Result<String> {
    let config = ssh_config(&[host])?;
    let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile ")).context("no IdentityFile")?;
    Ok(std::fs::read_to_string(format!("{key}.pub"))?.trim().to_owned())
}

/// The lock that `petasos pin VERSION` writes, with github.com as the lab has it.
pub fn lock_of(version: &str) -> Result<String> {
    static MADE: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    let mut made = super::world::lock(&MADE);
    if let Some((_, text)) = made.iter().find(|(known, _)| known == version) {
        return Ok(text.clone());
    }
    let desk = Desk::empty()?;
    desk.petasos(&["pin", version])?.ended(0)?;
    let text = desk.read("petasos.lock")?;
    made.push((version.to_owned(), text.clone()));
    Ok(text)
}

pub struct Desk {
    folder: TempDir,
    /// That of its slowest host.
    slowness: u32,
    env: Vec<(String, String)>,
}

impl Desk {
    pub fn empty() -> Result<Desk> {
        let env = world().lab.environment().into_iter();
        let secret = ("OPENROUTER_API_KEY".to_owned(), SECRET.to_owned());
        Ok(Desk { folder: tempfile::tempdir()?, slowness: 1, env: env.chain([secret]).collect() })
    }

    /// With these hosts in petasos.yaml, and release 0.19.0 in petasos.lock.
    pub fn of(hosts: &[&Host]) -> Result<Desk> {
        let mut desk = Desk::empty()?;
        desk.slowness = hosts.iter().map(|host| host.slowness()).max().unwrap_or(1);
        let mut yaml = "hosts:\n".to_owned();
        for host in hosts {
            // The room is taken at once, of this machine's disk.
            yaml += &format!("  {}: {{ address: root@{}, {SMALL} }}\n", host.name, host.address);
        }
        if let Some(host) = hosts.first() {
            yaml += &format!("admin:\n  authorized_keys: [\"{}\"]\n", lab_key(host)?);
        }
        desk.write("petasos.yaml", &yaml)?;
        desk.write("petasos.lock", &lock_of("0.19.0")?)?;
        desk.write("ssh_config", &ssh_config(hosts)?)?;
        Ok(desk)
    }

    /// With a host whose hardening alone is wanted, which takes seconds.
    pub fn of_hardening(host: &Host) -> Result<Desk> {
        let desk = Desk::of(&[host])?;
        desk.petasos(&["init", "--eject"])?.ended(0)?;
        desk.write("playbooks/20-agent.yaml", "[]\n")?;
        // Without the agent, and without its way out by name.
        let yaml = desk.read("petasos.yaml")?;
        desk.write("petasos.yaml", &format!("{yaml}network: {{ egress: {{ mode: ports }} }}\n"))?;
        Ok(desk)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(self.path(name)).with_context(|| format!("cannot read {name}"))
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {name}"))
    }

    pub fn edit(&self, name: &str, old: &str, new: &str) -> Result<()> {
        let text = self.read(name)?;
        anyhow::ensure!(text.contains(old), "{name} has no `{old}`:\n{text}");
        self.write(name, &text.replace(old, new))
    }

    /// Another value of an environment variable; none takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.env.retain(|(known, _)| known != name);
        self.env.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// `petasos` in this folder, as a user types it.
    pub fn petasos(&self, words: &[&str]) -> Result<Said> {
        let mut command = Command::new("timeout");
        command.arg("--kill-after=5").arg((400 * self.slowness).to_string()).arg(PETASOS);
        Said::of(self.dressed(command, words), "")
    }

    /// The same, for a test that watches it run.
    pub fn command(&self, words: &[&str]) -> Command {
        self.dressed(Command::new(PETASOS), words)
    }

    fn dressed(&self, mut command: Command, words: &[&str]) -> Command {
        command.args(words);
        if self.path("ssh_config").exists() && !matches!(words.first(), Some(&("pin" | "init" | "secret"))) {
            command.args(["--ssh-config", "ssh_config"]);
        }
        let inherited = ["PATH", "HOME", "USER", "LANG", "SSL_CERT_FILE"];
        let inherited = inherited.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?)));
        command.current_dir(self.folder.path()).env_clear().envs(inherited).envs(self.env.iter().cloned());
        command
    }
}
