//! A Python environment in the cache, with uv: it asks for the package index and builds github.com.
use super::paths::{Paths, create_dir, remove_tree};
use super::{Say, lock, need, tool};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::Duration;

const UV: &str = "uv==0.13.9";
const PYTHON: &str = "/usr/bin/python3";

/// The environment's Python, made now if it is not there.
pub async fn python(paths: &Paths, say: Say<'_>) -> Result<PathBuf> {
    let dir = paths.tools();
    let python = dir.join("bin/python");
    let done = dir.join(UV);
    if done.exists() {
        return Ok(python);
    }
    let _lock = lock::acquire(&paths.lock("tools"), "the lab's tools are being installed", say).await?;
    if done.exists() {
        return Ok(python);
    }
    say("installing the lab's Python tools (once)");
    remove_tree(&dir)?;
    create_dir(&dir)?;
    if !tool::holds(&[PYTHON, "-c", "import ensurepip"]).await {
        say("installing python3-venv on this machine");
        need::apt(&["update"]).await?;
        need::apt(&["install", "--no-install-recommends", "python3-venv"]).await?;
    }
    let place = dir.to_string_lossy();
    tool::run(&[PYTHON, "-m", "venv", &place], Duration::from_secs(120)).await?;
    let text = python.to_string_lossy();
    tool::run(&[&*text, "-m", "pip", "install", "--quiet", UV], Duration::from_secs(300))
        .await
        .context("cannot install uv from the Python package index")?;
    super::paths::write(&done, "")?;
    Ok(python)
}

/// The environment's programs, uv among them.
pub fn bin(paths: &Paths) -> PathBuf {
    paths.tools().join("bin")
}
