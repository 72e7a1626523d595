//! `petasos render`.

use super::each::{each, report};
use super::hosts::{HostArgs, Subject};
use crate::act::Put;
use crate::run::Job;
use anyhow::Result;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &RenderArgs) -> Result<ExitCode> {
    let jobs = args.hosts.jobs(Subject::Difference)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.render(&watch).await }).await;
    report(done, args.hosts.json, |_, puts| serde_json::to_value(puts), |job, _, puts| text(job, puts))
}

fn text(job: &Job, puts: &[Put]) -> String {
    let file = |put: &Put| {
        let Put { path, owner, group, mode, content, .. } = put;
        format!("=== {}: {path} ({owner}:{group} {mode})\n{}\n", job.name, content.shown())
    };
    puts.iter().map(file).collect()
}
