//! `petasos backup now`.

use super::vault::backed_up;
use crate::command::each::{Done, each, report};
use crate::command::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::run::Job;
use crate::run::backup::BackupRun;
use crate::ui::report::{count, size};
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

/// # Errors
/// When a file is not sound, or a host has no backup; a backup that fails is part of the report.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let hosts = backed_up(args)?.into_iter().map(|choice| choice.label).collect();
    let jobs = HostArgs { hosts, ..args.clone() }.agents(Subject::Host)?;
    let done = each(jobs, args, |job, _, watch| async move { job.backup_now(&watch).await }).await;
    let of = |one: &Done<Settings, BackupRun>| match &one.result {
        Ok(run) if run.good() => exit::DONE,
        Ok(_) => exit::DRIFT,
        Err(error) => exit::of_run(error),
    };
    let code = exit::worst(done.iter().map(of));
    report(done, args.json, |_, run| serde_json::to_value(run), |job: &Job, _, run| text(&job.name, run))?;
    Ok(ExitCode::from(code))
}

fn text(host: &str, run: &BackupRun) -> String {
    match &run.record {
        Some(record) if run.good() => format!(
            "{host}: good: snapshot {}, {} and {}, {} of which {} new; {} s\n",
            ui::line(record.snapshot.get(..8).unwrap_or_default()),
            count(usize::try_from(record.files).unwrap_or(0), "file"),
            count(usize::try_from(record.databases).unwrap_or(0), "database"),
            size(record.bytes),
            size(record.added),
            record.ended.saturating_sub(record.began),
        ),
        Some(record) => {
            format!("{host}: not good ({}): {}\n", ui::line(&record.outcome), ui::line(&record.why))
        }
        None => format!("{host}: it did not start: {}\n", ui::line(&run.said.join(" / "))),
    }
}
