//! `petasos undo`.

use super::each::each;
use super::hosts::{HostArgs, Subject};
use super::up::{about, finish};
use crate::fault::Fault;
use anyhow::{Result, bail};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// # Errors
/// When no host is named, or a file is not sound.
pub async fn run(args: &UndoArgs) -> Result<ExitCode> {
    if args.hosts.hosts.is_empty() {
        bail!(Fault::new("`undo` needs a host").hint("petasos undo HOST"));
    }
    let jobs = args.hosts.jobs_with(Subject::Host, about)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.undo(&watch).await }).await;
    finish(&args.hosts, done, true, false)
}
