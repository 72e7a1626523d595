//! `petasos demo`: the commands that a user would type, on a lab host, and a first chat. It leaves
//! a folder in which the user goes on.

mod folder;

use super::files::FileArgs;
use super::hosts::{HostArgs, Subject};
use super::secrets_file::AgeArgs;
use crate::fault::Fault;
use crate::lab::{Form, Lab};
use crate::ui;
use anyhow::{Context, Result, bail};
use folder::Folder;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where to leave petasos.yaml, petasos.lock and ssh_config, for you to go on with
    #[arg(value_name = "FOLDER", default_value = "petasos-demo")]
    pub folder: PathBuf,
    /// The release to install
    #[arg(long, value_name = "VERSION", default_value = "0.19.0")]
    pub release: String,
    /// The distribution's suite
    #[arg(long)]
    pub suite: Option<String>,
    /// Remove the lab host and the folder again
    #[arg(long, conflicts_with_all = ["release", "suite"])]
    pub down: bool,
}

const HOST: &str = "demo";

/// What the stub of a model on the lab's internet is asked: words, and a command for the agent's
/// terminal.
const QUESTIONS: [&str; 2] = ["Hello, who are you?", "RUN: id -un && touch /etc/x"];

/// # Errors
/// When a phase fails; its output stands above.
pub async fn run(args: &DemoArgs) -> Result<ExitCode> {
    let folder = Folder::open(&args.folder, HOST)?;
    let lab = Lab::open()?;
    if args.down {
        lab.down(HOST).await?;
        folder.remove()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut phases = Phases::default();
    ui::out(&format!("$ petasos lab up {HOST}\n"))?;
    let runs = lab.list().await?.iter().any(|host| host.name == HOST);
    let host = lab.up(HOST, &Form { suite: args.suite.clone(), ..Form::default() }, &mut |line| ui::note(line)).await?;
    folder.write(&host, !runs)?;
    phases.end("lab host");

    ui::out(&format!("\n$ cd {}\n", folder.path.display()))?;
    let petasos = Petasos { lab: &lab, host: HOST, folder: &folder.path, quiet: false };
    petasos.run(&["pin", &args.release]).await?;
    phases.end("pin");
    petasos.run(&["up"]).await?;
    phases.end("up");

    let hosts = HostArgs {
        hosts: vec![HOST.to_owned()],
        files: FileArgs { config: folder.config(), lock: folder.lock() },
        ssh_config: None,
        identity: None,
        host_key: None,
        age: AgeArgs::default(),
        parallel: 1,
        json: false,
    };
    let watch = hosts.watch(&[], true);
    for (job, _) in hosts.agents(Subject::Host)? {
        ui::out("\nA first chat, over an SSH tunnel to the agent's API (the model is the lab's stub):\n")?;
        for (question, answer) in QUESTIONS.iter().zip(job.chat(&QUESTIONS, &watch).await?) {
            ui::out(&format!("  > {question}\n  < {answer}\n"))?;
        }
    }
    phases.end("chat");
    ui::out(&format!("\n{}\n{}", phases.text(), ways_on(&folder.path, &args.folder)))?;
    Ok(ExitCode::SUCCESS)
}

/// What to type next. Whoever came here by `cargo run` has no `petasos` to type yet.
fn ways_on(folder: &Path, given: &Path) -> String {
    let on_path = |dir: PathBuf| dir.join("petasos").is_file();
    let installed = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(on_path));
    let own = std::env::current_exe().unwrap_or_default().display().to_string();
    let petasos = if installed || own.is_empty() { "petasos" } else { &own };
    let here = if given == Path::new("petasos-demo") { String::new() } else { format!(" {}", given.display()) };
    format!(
        "
Go on in {}, where every verb works without options:
  cd {}
  {petasos} verify
  {petasos} lab shell {HOST} --user ops   then: sudo systemd-analyze security hermes.service
  eval \"$({petasos} lab env)\"           before `pin`: releases then come from the lab's github.com
Again (0 changes): {petasos} demo{here}
Remove it all:     {petasos} demo{here} --down
",
        folder.display(),
        folder.display(),
    )
}

/// This program, as a user would call it.
pub struct Petasos<'a> {
    pub lab: &'a Lab,
    /// The lab host that it is about.
    pub host: &'a str,
    /// Where it runs.
    pub folder: &'a Path,
    /// Where stdout is somebody else's.
    pub quiet: bool,
}

impl Petasos<'_> {
    /// # Errors
    /// When it fails; its output stands above.
    pub async fn run(&self, args: &[&str]) -> Result<()> {
        if !self.quiet {
            ui::out(&format!("\n$ petasos {}\n", args.join(" ")))?;
        }
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = tokio::process::Command::new(program);
        // A key for the lab's stub, which takes any; a real one has no business there.
        command.args(args).current_dir(self.folder);
        command.envs(self.lab.environment()).env("OPENROUTER_API_KEY", "sk-or-v1-for-the-lab-only");
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
