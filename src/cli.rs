//! The command line: its verbs as types, whose doc comments are the help texts, and what runs each.

use crate::command::{
    audit, backup, changes, completions, demo, denials, doctor, egress, facts, fault, history, incident, init, lab,
    man, pin, plan, policy, render, secret, undo, up, verify,
};
use crate::fault::Fault;
use crate::ui::{self, exit};
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Turn a fresh Ubuntu or Debian VPS into a hardened host for the Hermes Agent, and prove it.
///
/// Exit codes: 0 converged or proved, 1 error, 2 drift, 3 could not observe, 4 rolled back, 64
/// usage.
#[derive(Debug, Parser)]
#[command(name = "petasos", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a petasos.yaml that explains each key
    Init(init::InitArgs),
    /// Resolve and verify a release, and write it to petasos.lock
    Pin(pin::PinArgs),
    /// Bring hosts to their desired state; safe to repeat
    Up(up::UpArgs),
    /// Show what `up` would change; exit code 2 if anything
    Plan(plan::PlanArgs),
    /// Attack hosts from inside and report which controls are met
    Verify(verify::VerifyArgs),
    /// Look at this machine and at hosts, and say what will be in the way; changes nothing
    Doctor(doctor::DoctorArgs),
    /// Print a host's facts as JSON
    Facts(facts::FactsArgs),
    /// Print the files that a host would get, secrets masked
    Render(render::RenderArgs),
    /// Keep the values of secrets in a file that may be committed
    Secret(secret::SecretArgs),
    /// Make backups, drill, restore, list, check and forget them, and keep a second key
    Backup(backup::BackupArgs),
    /// Close a host off, keep the evidence, make its credentials anew, and open it again
    Incident(incident::IncidentArgs),
    /// Show what the agent reached, what it was refused, and what to allow
    Egress(egress::EgressArgs),
    /// Show what has changed of the agent's prompt, memories, skills and timed jobs
    Changes(changes::ChangesArgs),
    /// Show what the agent did and was refused, from its audit log
    Audit(audit::AuditArgs),
    /// Group what the agent was refused, and print the smallest rules that would allow it
    Denials(denials::DenialsArgs),
    /// Show what the policy makes of a command, and by which rule
    Policy(policy::PolicyArgs),
    /// Restore files, units and firewall to before the last run
    Undo(undo::UndoArgs),
    /// List the runs that a host has on record
    History(history::HistoryArgs),
    /// Manage disposable local hosts with a real systemd (Linux, root)
    Lab(lab::LabArgs),
    /// Provision a lab host and chat with its agent
    Demo(demo::DemoArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print the man page, or write those of all verbs
    Man(man::ManArgs),
}

/// Parses the command line and runs one verb; the exit code is the verb's.
pub fn main() -> ExitCode {
    without_core_dumps();
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            // Help and version are no errors; they go to stdout.
            if error.use_stderr() {
                let _ = error.print();
                return ExitCode::from(exit::USAGE);
            }
            match ui::unless_closed(error.print()) {
                Ok(()) => ExitCode::from(exit::DONE),
                Err(error) => {
                    ui::error(&Fault::new(error.to_string()));
                    ExitCode::from(exit::ERROR)
                }
            }
        }
    }
}

/// Secrets are in this process's memory: a crash must not write them to a file. It holds for the
/// programs that it starts too.
fn without_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Less is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui::error(&Fault::new(format!("cannot start the async runtime: {error}")));
            return ExitCode::from(exit::ERROR);
        }
    };
    runtime.block_on(dispatch(cli.verb)).unwrap_or_else(|error| {
        ui::error(&fault(&error));
        ExitCode::from(exit::of_error(&error))
    })
}

async fn dispatch(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Init(args) => init::run(&args),
        Verb::Pin(args) => pin::run(args).await,
        Verb::Up(args) => up::run(&args).await,
        Verb::Plan(args) => plan::run(&args).await,
        Verb::Doctor(args) => doctor::run(&args).await,
        Verb::Facts(args) => facts::run(&args).await,
        Verb::Render(args) => render::run(&args).await,
        Verb::Secret(args) => secret::run(&args),
        Verb::Backup(args) => backup::run(&args).await,
        Verb::Incident(args) => incident::run(&args).await,
        Verb::History(args) => history::run(&args).await,
        Verb::Egress(args) => egress::run(&args).await,
        Verb::Changes(args) => changes::run(&args).await,
        Verb::Audit(args) => audit::run(&args).await,
        Verb::Denials(args) => denials::run(&args).await,
        Verb::Policy(args) => policy::run(&args).await,
        Verb::Verify(args) => verify::run(&args).await,
        Verb::Undo(args) => undo::run(&args).await,
        Verb::Lab(args) => lab::run(args).await,
        Verb::Demo(args) => demo::run(&args).await,
        Verb::Man(args) => man::run(&args, Cli::command()),
        Verb::Completions(args) => completions::run(&args, &mut Cli::command()),
    }
}
