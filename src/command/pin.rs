//! `petasos pin`.
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PinArgs {}

pub async fn run(_args: PinArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
