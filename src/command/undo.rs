//! `petasos undo`.

use super::each::each;
use super::hosts::{HostArgs, Subject};
use super::up::{about, finish};
use crate::fault::Fault;
use crate::ui::{self, exit};
use anyhow::Result;
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
        // Of the command line, though clap does not see it: other verbs take all hosts then.
        ui::error(&Fault::new("`undo` needs a host").hint("petasos undo HOST"));
        return Ok(ExitCode::from(exit::USAGE));
    }
    let jobs = args.hosts.jobs_with(Subject::Host, about)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.undo(&watch).await }).await;
    finish(&args.hosts, done, true, false)
}
