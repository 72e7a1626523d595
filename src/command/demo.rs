//! `petasos demo`: the commands that a user would type, on a lab host, and a first chat.

use super::files::FileArgs;
use super::hosts::HostArgs;
use crate::fault::Fault;
use crate::lab::{Form, Lab};
use crate::ui;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The release to install
    #[arg(long, value_name = "VERSION", default_value = "0.19.0")]
    pub release: String,
    /// The distribution's suite
    #[arg(long)]
    pub suite: Option<String>,
}

const HOST: &str = "demo";

/// What the stub of a model on the lab's internet is asked: words, and a command for the agent's
/// terminal.
const QUESTIONS: [&str; 2] = ["Hello, who are you?", "RUN: id -un && touch /etc/x"];

/// # Errors
/// When a phase fails; its output stands above.
pub async fn run(args: &DemoArgs) -> Result<ExitCode> {
    let lab = Lab::open()?;
    let mut phases = Phases::default();
    ui::out(&format!("$ petasos lab up {HOST}\n"))?;
    let host = lab.up(HOST, &Form { suite: args.suite.clone(), ..Form::default() }, &mut |line| ui::note(line)).await?;
    phases.end("lab host");

    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let lock = folder.path().join("petasos.lock");
    let petasos =
        Petasos { lab: &lab, host: HOST, lock: lock.clone(), ssh_config: host.ssh_config.clone(), quiet: false };
    petasos.run(&["pin", &args.release], false).await?;
    phases.end("pin");
    let address = format!("root@{}", host.address);
    petasos.run(&["up", &address], true).await?;
    phases.end("up");

    let hosts = HostArgs {
        hosts: vec![address],
        files: FileArgs { config: folder.path().join("petasos.yaml"), lock },
        ssh_config: Some(host.ssh_config),
        identity: None,
        host_key: None,
        parallel: 1,
        json: false,
    };
    let watch = hosts.watch(&[], true);
    for (job, _) in hosts.jobs(false)? {
        ui::out("\nA first chat, over an SSH tunnel to the agent's API (the model is the lab's stub):\n")?;
        for (question, answer) in QUESTIONS.iter().zip(job.chat(&QUESTIONS, &watch).await?) {
            ui::out(&format!("  > {question}\n  < {answer}\n"))?;
        }
    }
    phases.end("chat");
    ui::out(&format!(
        "\n{}
Look inside:  petasos lab shell {HOST} --user ops   (then: sudo systemd-analyze security hermes.service)
Again:        petasos demo                        (0 changes)
Remove it:    petasos lab down --all\n",
        phases.text()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// This program, as a user would call it.
pub struct Petasos<'a> {
    pub lab: &'a Lab,
    /// The lab host that it is about.
    pub host: &'a str,
    pub lock: PathBuf,
    pub ssh_config: PathBuf,
    /// Where stdout is somebody else's.
    pub quiet: bool,
}

impl Petasos<'_> {
    /// # Errors
    /// When it fails; its output stands above.
    pub async fn run(&self, args: &[&str], ssh: bool) -> Result<()> {
        if !self.quiet {
            ui::out(&format!("\n$ petasos {}\n", args.join(" ")))?;
        }
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = tokio::process::Command::new(program);
        command.args(args).arg("--lock").arg(&self.lock);
        if ssh {
            command.arg("--ssh-config").arg(&self.ssh_config);
        }
        // A key for the lab's stub, which takes any; a real one has no business there.
        command.envs(self.lab.git_environment()).env("OPENROUTER_API_KEY", "sk-or-v1-for-the-lab-only");
        if self.quiet {
            command.stdout(std::process::Stdio::null());
        }
        let status = command.status().await.context("cannot start petasos")?;
        if !status.success() {
            bail!(
                Fault::new(format!("`petasos {}` ended with {status}", args.join(" ")))
                    .hint(format!("`petasos lab down {}` removes the host", self.host))
            );
        }
        Ok(())
    }
}

/// How long each phase took.
struct Phases {
    began: Instant,
    done: Vec<(&'static str, f64)>,
}

impl Default for Phases {
    fn default() -> Self {
        Self { began: Instant::now(), done: Vec::new() }
    }
}

impl Phases {
    fn end(&mut self, phase: &'static str) {
        self.done.push((phase, self.began.elapsed().as_secs_f64()));
        self.began = Instant::now();
    }

    fn text(&self) -> String {
        let phases: Vec<String> = self.done.iter().map(|(phase, seconds)| format!("{phase} {seconds:.1} s")).collect();
        format!("Times: {}", phases.join(", "))
    }
}
