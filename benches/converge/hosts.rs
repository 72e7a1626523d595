//! Lab hosts, and the two commands that are timed on them.

use crate::proxy;
use anyhow::{Context, Result, bail, ensure};
use petasos::lab::{Form, Lab, LabHost};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use tokio::process::Command;

pub const RELEASE: &str = "0.19.0";

/// The lab, a folder for this run's files, and the pinned release in it.
pub struct Bench {
    pub lab: Lab,
    folder: tempfile::TempDir,
}

/// A way to a host: straight, or through a proxy that delays.
pub struct Way {
    pub address: String,
    pub ssh_config: PathBuf,
}

impl Bench {
    pub async fn open() -> Result<Self> {
        let bench = Self { lab: Lab::open()?, folder: tempfile::tempdir().context("cannot make a temporary folder")? };
        Ok(bench)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn petasos(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
        command.args(words).arg("--lock").arg(self.path("petasos.lock"));
        command.envs(self.lab.environment()).env("OPENROUTER_API_KEY", "sk-or-v1-for-the-lab-only");
        command.current_dir(self.folder.path());
        command
    }

    pub async fn pin(&self) -> Result<()> {
        timed(self.petasos(&["pin", RELEASE])).await.map(drop)
    }

    pub fn up(&self, ways: &[&Way], user: &str) -> Result<Command> {
        let configs: Result<Vec<String>> = ways
            .iter()
            .map(|way| std::fs::read_to_string(&way.ssh_config).context("cannot read an ssh_config"))
            .collect();
        let config = self.path(&format!("ssh_config.{}", ways.len()));
        std::fs::write(&config, configs?.concat())?;
        let mut command = self.petasos(&["up", "--ssh-config", &config.to_string_lossy()]);
        command.args(ways.iter().map(|way| format!("{user}@{}", way.address)));
        Ok(command)
    }

    /// Times an `up` that must find nothing to do.
    pub async fn idle_up(&self, ways: &[&Way]) -> Result<Duration> {
        let (time, output) = timed(self.up(ways, "root")?).await?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let idle = stdout.lines().filter(|line| line.contains(": 0 changes, ")).count();
        ensure!(idle == ways.len(), "a converged host was changed:\n{stdout}");
        Ok(time)
    }

    pub async fn host(&self, name: &str) -> Result<LabHost> {
        self.lab.up(name, &Form::default(), &mut |line| eprintln!("{line}")).await
    }

    /// The way to a host, with this much of a round trip put in.
    pub async fn way(&self, host: &LabHost, round_trip: Duration) -> Result<Way> {
        let address = host.address.to_string();
        let mut ssh_config = host.ssh_config.clone();
        if !round_trip.is_zero() {
            let port = proxy::start((host.address, 22).into(), round_trip).await?;
            let straight = std::fs::read_to_string(&ssh_config).context("cannot read the lab's ssh_config")?;
            let proxied = format!("HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias {address}");
            ssh_config = self.path(&format!("ssh_config.{}", host.name));
            std::fs::write(&ssh_config, straight.replace(&format!("HostName {address}"), &proxied))?;
        }
        Ok(Way { address, ssh_config })
    }
}

impl Way {
    pub fn ssh(&self, user: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.ssh_config).arg(format!("{user}@{}", self.address)).args(words);
        command
    }
}

/// Runs a command that must succeed; what it says is kept for an error.
pub async fn timed(mut command: Command) -> Result<(Duration, Output)> {
    let began = Instant::now();
    let output = command.kill_on_drop(true).output().await.context("cannot start a program")?;
    let time = began.elapsed();
    if !output.status.success() {
        let words = command.as_std().get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let program = Path::new(command.as_std().get_program()).display().to_string();
        bail!("`{program} {words}` ended with {}:\n{stderr}", output.status);
    }
    Ok((time, output))
}
