//! `petasos render`.

use super::hosts::HostArgs;
use anyhow::Result;
use serde_json::{Map, Value};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// # Errors
/// When a host cannot be looked at, or a file cannot be filled in.
pub async fn run(args: &RenderArgs) -> Result<ExitCode> {
    let mut all = Map::new();
    let watch = args.hosts.watch(&[], true);
    for (job, _) in args.hosts.jobs(false)? {
        let puts = job.render(&watch).await?;
        if args.hosts.json {
            all.insert(job.name.clone(), serde_json::to_value(puts)?);
            continue;
        }
        for put in puts {
            println!(
                "=== {}: {} ({}:{} {})\n{}",
                job.name,
                put.path,
                put.owner,
                put.group,
                put.mode,
                put.content.shown()
            );
        }
    }
    if args.hosts.json {
        println!("{}", serde_json::to_string_pretty(&Value::Object(all))?);
    }
    Ok(ExitCode::SUCCESS)
}
