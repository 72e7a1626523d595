//! `petasos facts`.

use super::hosts::HostArgs;
use anyhow::Result;
use serde_json::{Map, Value};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct FactsArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

pub async fn run(args: &FactsArgs) -> Result<ExitCode> {
    let mut all = Map::new();
    let watch = args.hosts.watch(&[], true);
    for (job, _) in args.hosts.jobs(false)? {
        all.insert(job.name.clone(), serde_json::to_value(job.look(&watch).await?)?);
    }
    println!("{}", serde_json::to_string_pretty(&Value::Object(all))?);
    Ok(ExitCode::SUCCESS)
}
