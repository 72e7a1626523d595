//! `petasos plan`.

use super::each::each;
use super::hosts::{HostArgs, Subject};
use super::up::{finish, reviewed};
use anyhow::Result;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Show how file contents would change; secrets are masked
    #[arg(long)]
    pub diff: bool,
}

pub async fn run(args: &PlanArgs) -> Result<ExitCode> {
    let subject = if args.diff { Subject::Texts } else { Subject::Difference };
    let jobs = args.hosts.jobs_with(subject, reviewed)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.plan(&watch).await }).await;
    finish(&args.hosts, done, false, args.diff)
}
