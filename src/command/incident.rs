//! `petasos incident`: close a host off, keep the evidence, make its credentials anew, open it
//! again.

mod close;
mod evidence;
mod open;
mod rotate;

use super::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::fault::Fault;
use crate::run::Job;
use crate::run::incident::{Incident, IncidentState};
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

/// Close a host off, keep the evidence, make its credentials anew, and open it again
#[derive(Debug, clap::Args)]
pub struct IncidentArgs {
    #[command(subcommand)]
    verb: IncidentVerb,
}

#[derive(Debug, clap::Subcommand)]
enum IncidentVerb {
    /// Let nothing leave the host, stop the agent, seal the evidence and fetch it
    Open(open::OpenArgs),
    /// Fetch the evidence of the open incident again, and send it to the vault
    Evidence(HostArgs),
    /// List the host's credentials, and what became of each; exit code 2 while one is left
    Rotate(rotate::RotateArgs),
    /// Open the host again, once the evidence is here and each credential is made anew
    Close(close::CloseArgs),
}

/// # Errors
/// When a file is not sound, or the host cannot be asked.
pub async fn run(args: &IncidentArgs) -> Result<ExitCode> {
    match &args.verb {
        IncidentVerb::Open(args) => open::run(args).await,
        IncidentVerb::Evidence(args) => evidence::run(args).await,
        IncidentVerb::Rotate(args) => rotate::run(args).await,
        IncidentVerb::Close(args) => close::run(args).await,
    }
}

/// The one host that is meant.
fn subject(args: &HostArgs, verb: &str) -> Result<(Job, Settings)> {
    if args.hosts.len() != 1 {
        let fault = Fault::new(format!("`petasos incident {verb}` works on one host, not on {}", args.hosts.len()));
        bail!(fault.hint(format!("name it: `petasos incident {verb} production`")));
    }
    args.agents(Subject::Host)?.pop().context("it was named")
}

/// The incident that is open there.
///
/// # Errors
/// When none is.
fn opened(job: &Job, state: &IncidentState) -> Result<Incident> {
    let none = || {
        let fault = Fault::new(format!("no incident is open on `{}`", job.name));
        fault.hint(format!("`petasos incident open {}` opens one", job.name))
    };
    Ok(state.open.clone().ok_or_else(none)?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
