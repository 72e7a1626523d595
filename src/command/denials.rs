//! `petasos denials`: what the agent was refused, and what to allow.

use super::each::{each, report};
use super::hosts::HostArgs;
use super::since::{checked, seconds};
use crate::audit::denials::groups;
use crate::run::audit::{AuditLines, AuditQuery};
use crate::run::{Job, Watch};
use crate::ui::audit_text;
use anyhow::Result;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// Group what the agent was refused, and print the smallest rules that would allow it
///
/// Whoever talked to the agent chose those words: read each rule before you paste it.
#[derive(Debug, clap::Args)]
pub struct DenialsArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// How far to look back: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = checked)]
    pub since: String,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &DenialsArgs) -> Result<ExitCode> {
    let query = AuditQuery {
        since: Some(seconds(&args.since)?),
        events: vec!["command_denied".into()],
        most: 20_000,
        ..AuditQuery::default()
    };
    let jobs = args.hosts.jobs(false)?;
    let ask = move |job: Arc<Job>, _, watch: Watch| {
        let query = query.clone();
        async move { job.audit(&query, &watch).await }
    };
    let done = each(jobs, &args.hosts, ask).await;
    report(
        done,
        args.hosts.json,
        |_, found| Ok(value(found)),
        |job, _, found| audit_text::denials(&job.name, &args.since, &groups(&found.lines), found.more),
    )
}

fn value(found: &AuditLines) -> Value {
    let groups = groups(&found.lines);
    let (allow, tools) = audit_text::proposed(&groups);
    json!({ "groups": groups, "allow": allow, "tools": tools, "more": found.more })
}
