//! Running other programs: argv in, stdout out, bounded in time, errors that say what was run.
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Long enough for any call that only talks to the kernel.
pub const SHORT: Duration = Duration::from_secs(20);

/// A command without standard input that dies with its caller's patience.
pub fn command<S: AsRef<OsStr>>(argv: &[S]) -> Command {
    let mut words = argv.iter();
    let mut command = Command::new(words.next().map_or(OsStr::new("false"), AsRef::as_ref));
    command.args(words).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").kill_on_drop(true);
    command
}

/// Runs a prepared command to its end and returns its stdout.
pub async fn finish(mut command: Command, limit: Duration) -> Result<String> {
    let name = shown(&command);
    let output = tokio::time::timeout(limit, command.output())
        .await
        .with_context(|| format!("`{name}` died within {} s", limit.as_secs()))?
        .with_context(|| format!("cannot run `{name}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.trim().lines().collect();
        let tail = lines.get(lines.len().saturating_sub(8)..).unwrap_or(&lines);
        bail!("`{name}` failed ({}): {}", output.status, tail.join("\n  "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs one program to its end and returns its stdout.
pub async fn run<S: AsRef<OsStr>>(argv: &[S], limit: Duration) -> Result<String> {
    finish(command(argv), limit).await
}

/// Whether the program ran and said yes; nothing is printed either way.
pub async fn holds<S: AsRef<OsStr>>(argv: &[S]) -> bool {
    run(argv, SHORT).await.is_ok()
}

/// The first words of a command, enough to know it by.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    std::iter::once(command.get_program())
        .chain(command.get_args().take(6))
        .map(|word| word.to_string_lossy().chars().take(80).collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}
