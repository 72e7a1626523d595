//! `petasos backup drill`.

use super::elsewhere;
use super::escrow::Escrow;
use super::fetching::{Fetching, From};
use super::restore::chosen;
use super::vault::{backed_up, kept};
use crate::command::each::{Done, each, report};
use crate::command::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::fault::Fault;
use crate::run::Job;
use crate::run::backup::BackupRun;
use crate::run::restore::Fetched;
use crate::ui::report::count;
use crate::ui::{self, exit};
use anyhow::{Context, Result, bail};
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
    if args.with_escrow { Box::pin(with_escrow(&args.hosts)).await } else { with_host_key(&args.hosts).await }
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
    for (asked, kept) in kept(args)? {
        let to = HostArgs { hosts: vec![kept.host.clone()], ..args.clone() };
        let (job, _) = to.agents(Subject::Host)?.pop().context("it was named")?;
        let watch = args.watch(&[asked.name.clone(), job.name.clone()], args.json);
        let fetched = match &kept.key {
            Some(key) => {
                let listing = kept.listing(&asked, &watch).await?;
                let snapshot = chosen(&listing, &kept, None)?;
                let from = From::Vault(&asked, &listing.folder);
                fetched(&Fetching { from, job: &job, key, watch: &watch }, &snapshot.id).await?
            }
            None => {
                let key = Escrow::open(args, &kept.host)?;
                let choice = backed_up(&to)?.pop().context("it was named")?;
                let source = elsewhere::source(args, &kept, &key, &choice, false)?;
                if !source.is_own() {
                    let fault = Fault::new(format!("`keys/{0}.age` opens earlier backups of `{0}`", kept.host));
                    bail!(fault.hint(format!("`petasos backup key {}` makes one to those of now", kept.host)));
                }
                let from = From::Elsewhere(&source);
                fetched(&Fetching { from, job: &job, key: &key, watch: &watch }, "newest").await?
            }
        };
        drop(watch);
        ui::out(&format!(
            "{}: good: the operators' key opened snapshot {}: {} came back, the same as went in\n",
            kept.host,
            ui::line(fetched.snapshot.get(..8).unwrap_or_default()),
            count(usize::try_from(fetched.databases).unwrap_or(0), "database"),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn fetched(fetching: &Fetching<'_>, snapshot: &str) -> Result<Fetched> {
    let done = fetching.fetch(snapshot).await;
    let ended = fetching.end(true).await;
    let done = done?;
    ended?;
    Ok(done)
}
