//! `petasos backup drill`.

use super::restore::{Fetching, chosen};
use super::vault::{backed_up, on_vaults};
use crate::command::each::{Done, each, report};
use crate::command::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::run::Job;
use crate::run::backup::BackupRun;
use crate::ui::report::count;
use crate::ui::{self, exit};
use anyhow::{Context, Result};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct DrillArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// Open the newest backup with the operators' key, not with the host's; no agent is started
    #[arg(long)]
    with_escrow: bool,
}

/// # Errors
/// When a file is not sound, or a host has no backup; a drill that fails is part of the report.
pub async fn run(args: &DrillArgs) -> Result<ExitCode> {
    if args.with_escrow { with_escrow(&args.hosts).await } else { with_host_key(&args.hosts).await }
}

async fn with_host_key(args: &HostArgs) -> Result<ExitCode> {
    let hosts = backed_up(args)?.into_iter().map(|choice| choice.label).collect();
    let jobs = HostArgs { hosts, ..args.clone() }.agents(Subject::Host)?;
    let done = each(jobs, args, |job, _, watch| async move { job.drill_now(&watch).await }).await;
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
            "{host}: good: snapshot {} came back, {} the same, the agent was well on it after {} s; {} s in all\n",
            ui::line(record.snapshot.get(..8).unwrap_or_default()),
            count(usize::try_from(record.databases).unwrap_or(0), "database"),
            record.agent.unwrap_or_default(),
            record.ended.saturating_sub(record.began),
        ),
        Some(record) => format!("{host}: not good ({}): {}\n", ui::line(&record.outcome), ui::line(&record.why)),
        None => format!("{host}: it did not start: {}\n", ui::line(&run.said.join(" / "))),
    }
}

/// One after the other: each opens a door of the vault's for itself.
async fn with_escrow(args: &HostArgs) -> Result<ExitCode> {
    for (vault, kept) in on_vaults(args)? {
        let to = HostArgs { hosts: vec![kept.host.clone()], ..args.clone() };
        let (job, _) = to.agents(Subject::Host)?.pop().context("it was named")?;
        let watch = args.watch(&[vault.name.clone(), job.name.clone()], args.json);
        let listing = vault.backups_of(&kept.key.of(&kept.host), &watch).await?;
        let snapshot = chosen(&listing, &kept, None)?;
        let fetching = Fetching { vault: &vault, job: &job, key: &kept.key, watch: &watch };
        let done = fetching.fetch(&listing.folder, snapshot).await;
        let ended = fetching.end().await;
        let databases = done?;
        ended?;
        drop(watch);
        ui::out(&format!(
            "{}: good: the operators' key opened snapshot {}: {} came back, the same as went in\n",
            kept.host,
            ui::line(snapshot.short()),
            count(usize::try_from(databases).unwrap_or(0), "database"),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
