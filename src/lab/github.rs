//! The lab's github.com: the agent's repository, built once from the package index's source
//! archives.
use super::paths::{Paths, remove_tree};
use super::{Say, lock, tool, tools};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

const BUILD: &str = include_str!("../../remote/lab/github.sh");

/// Version, tag and date of each release, oldest first.
const RELEASES: &[[&str; 3]] =
    &[["0.18.2", "v2026.7.7.2", "2026-07-07T12:00:00Z"], ["0.19.0", "v2026.7.20", "2026-07-20T12:00:00Z"]];

/// Builds the repository unless it stands there as this version of Petasos builds it.
pub async fn ensure(paths: &Paths, say: Say<'_>) -> Result<()> {
    let repository = paths.git().join("NousResearch/hermes-agent.git");
    let releases = format!("{RELEASES:?}");
    let stamp = repository.join("petasos-lab-releases");
    let built = || std::fs::read_to_string(&stamp).is_ok_and(|text| text == releases);
    if built() {
        return Ok(());
    }
    let _lock = lock::acquire(&paths.lock("git"), "the lab's github.com is being built", say).await?;
    if built() {
        return Ok(());
    }
    let started = Instant::now();
    say("building the lab's github.com (once)");
    let scratch = tempfile::tempdir_in(paths.git()).context("cannot create a scratch directory")?;
    remove_tree(&repository)?;
    let bin = tools::bin(paths);
    let mut command = tool::command(&["sh", "-c", BUILD, "github.sh"]);
    command.arg(bin).arg(scratch.path()).arg(&repository).args(RELEASES.as_flattened());
    tool::finish(command, Duration::from_secs(600))
        .await
        .context("cannot build the agent's repository from the Python package index")?;
    super::paths::write(&stamp, releases)?;
    say(&format!("built the lab's github.com in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}
