//! Trees of packages, from this machine's own mirrors.
use super::machine::Machine;
use super::tool;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// A tree of these packages and what they need; `variant` is mmdebstrap's.
pub async fn tree(machine: &Machine, variant: &str, packages: &[&str], suite: &str, tree: &Path) -> Result<()> {
    let mut command = tool::command(&["mmdebstrap", "--quiet", "--mode=root", "--format=directory"]);
    command.arg(format!("--variant={variant}")).arg(format!("--include={}", packages.join(",")));
    for setting in &machine.apt_settings {
        command.arg(format!("--aptopt={setting}"));
    }
    command.arg(suite).arg(tree).args(machine.sources.iter().map(|source| source.line(suite)));
    tool::finish(command, Duration::from_secs(900)).await.map(drop)
}
