//! The command line, as types. The doc comments are the help texts.
use clap::{Parser, Subcommand};

/// Turn a fresh Ubuntu or Debian VPS into a hardened host for the Hermes Agent.
#[derive(Debug, Parser)]
#[command(name = "petasos", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Disposable local hosts with a real systemd (Linux, root)
    Lab(crate::command::lab::LabArgs),
    /// Resolve and verify a release, and write it to petasos.lock
    Pin(crate::command::pin::PinArgs),
}
