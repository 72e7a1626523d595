//! The command line, as types. The doc comments are the help texts.

use crate::command;
use clap::{Parser, Subcommand};

/// Turn a fresh Ubuntu or Debian VPS into a hardened host for the Hermes Agent, and prove it.
///
/// Exit codes: 0 converged or proved, 1 error, 2 drift, 3 could not observe, 4 taken back, 64 usage.
#[derive(Debug, Parser)]
#[command(name = "petasos", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a petasos.yaml that explains each key
    Init(command::init::InitArgs),
    /// Resolve and verify a release, and write it to petasos.lock
    Pin(command::pin::PinArgs),
    /// Bring hosts to what is wanted; safe to repeat for ever
    Up(command::up::UpArgs),
    /// Say what `up` would change; exit 2 if anything
    Plan(command::plan::PlanArgs),
    /// Attack hosts from inside, and say which controls are met
    Verify(command::verify::VerifyArgs),
    /// Print what a host is like, as JSON
    Facts(command::facts::FactsArgs),
    /// Print the files that a host would get, secrets starred
    Render(command::render::RenderArgs),
    /// What the agent was let out to, what it was refused, and what to allow
    Egress(command::egress::EgressArgs),
    /// Bring a host back to before its last run: files, units, firewall
    Undo(command::undo::UndoArgs),
    /// The runs that a host has on record
    History(command::history::HistoryArgs),
    /// Disposable local hosts with a real systemd (Linux, root)
    Lab(command::lab::LabArgs),
    /// A lab host, provisioned, and a first chat with the agent
    Demo(command::demo::DemoArgs),
    /// Print completions for a shell
    Completions(command::completions::CompletionsArgs),
}
