//! Starting a tree as a container, detached from whoever started it.
use super::cgroup::Groups;
use super::paths::{create_dir, remove_tree, write};
use super::tool;
use anyhow::{Context, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

const BOOT: &str = include_str!("../../remote/lab/boot.sh");

/// Starts the container over `layers`, the upper ones first; what it writes goes to `dir`/upper,
/// what it says to `dir`/console.log.
pub async fn start(groups: &Groups, name: &str, layers: &[PathBuf], dir: &Path, words: &[String]) -> Result<()> {
    for part in ["upper", "root"] {
        create_dir(&dir.join(part))?;
    }
    // A work directory left by a volatile overlay that was cut off is refused by the kernel.
    remove_tree(&dir.join("work"))?;
    create_dir(&dir.join("work"))?;
    let script = dir.join("boot.sh");
    write(&script, BOOT)?;
    groups.create(name)?;
    let log = dir.join("console.log");
    let console = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let errors = console.try_clone().context("cannot share the console's log")?;
    let lower: Vec<String> = layers.iter().map(|layer| layer.display().to_string()).collect();
    let lower = lower.join(":");
    let mut command = tool::command(&["setsid", "--fork", "unshare", "--mount", "--propagation", "slave", "sh"]);
    command.arg(&script).arg(name).arg(lower).arg(dir).args(words);
    command.stdout(console).stderr(errors).current_dir("/");
    let status = command.status().await.context("cannot run `setsid`")?;
    anyhow::ensure!(status.success(), "cannot start the container `{name}`: {status}");
    Ok(())
}

/// The last lines of a container's console, for an error message.
pub fn console_tail(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("console.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(6)..).unwrap_or(&lines).join("\n  ")
}
