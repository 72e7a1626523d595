//! `petasos facts`.

use super::each::{each, report};
use super::hosts::{HostArgs, Subject};
use anyhow::Result;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct FactsArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &FactsArgs) -> Result<ExitCode> {
    let jobs = args.hosts.jobs(Subject::Host)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.gather_facts(&watch).await }).await;
    report(done, true, |_, facts| serde_json::to_value(facts), |_, _, _| String::new())
}
