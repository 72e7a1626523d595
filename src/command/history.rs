//! `petasos history`.

use super::hosts::HostArgs;
use anyhow::Result;
use serde_json::{Map, Value};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Name every change of each run
    #[arg(long)]
    pub changes: bool,
}

/// # Errors
/// When a host cannot be asked.
pub async fn run(args: &HistoryArgs) -> Result<ExitCode> {
    let mut all = Map::new();
    let watch = args.hosts.watch(&[], true);
    for (job, _) in args.hosts.jobs(false)? {
        let runs = job.history(&watch).await?;
        if args.hosts.json {
            all.insert(job.name.clone(), serde_json::to_value(runs)?);
            continue;
        }
        println!("{}", job.name);
        for run in runs {
            let outcome = run.outcome.as_deref().unwrap_or("did not end");
            let (changes, kept) =
                (crate::ui::report::count(run.changes.len(), "change"), if run.kept { "" } else { ", not kept" });
            println!("  {}  {:6} {changes}, {outcome}{kept}; {}, petasos {}", run.begun, run.verb, run.by, run.petasos);
            if args.changes {
                run.changes.iter().for_each(|change| println!("      {change}"));
            }
        }
    }
    if args.hosts.json {
        println!("{}", serde_json::to_string_pretty(&Value::Object(all))?);
    }
    Ok(ExitCode::SUCCESS)
}
