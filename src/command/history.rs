//! `petasos history`.

use super::each::{each, report};
use super::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::run::{Job, RunRecord};
use crate::ui::report::count;
use anyhow::Result;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// List every change of each run
    #[arg(long)]
    pub changes: bool,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &HistoryArgs) -> Result<ExitCode> {
    let jobs = args.hosts.jobs(Subject::Host)?;
    let done = each(jobs, &args.hosts, |job, _, watch| async move { job.history(&watch).await }).await;
    let text = |job: &Job, _: &Settings, runs: &Vec<RunRecord>| text(&job.name, runs, args.changes);
    report(done, args.hosts.json, |_, runs| serde_json::to_value(runs), text)
}

fn text(host: &str, runs: &[RunRecord], with_changes: bool) -> String {
    let mut text = format!("{host}\n");
    if runs.is_empty() {
        text += "  no run is on record\n";
    }
    for run in runs {
        let outcome = run.outcome.as_deref().unwrap_or("died");
        let (changes, kept) =
            (count(run.changes.len(), "change"), if run.kept { "" } else { ", nothing kept for `undo`" });
        text += &format!(
            "  {}  {:6} {changes}, {outcome}{kept}; {}, petasos {}\n",
            run.begun, run.verb, run.by, run.petasos
        );
        let shown = run.changes.iter().filter(|_| with_changes);
        text.extend(shown.map(|change| format!("      {change}\n")));
    }
    text
}
