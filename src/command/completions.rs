//! `petasos completions`.

use crate::ui;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Prints the completions of `command`.
///
/// # Errors
/// When they cannot be written.
pub fn run(args: &CompletionsArgs, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, "petasos", &mut text);
    ui::raw(&String::from_utf8(text)?)?;
    Ok(ExitCode::SUCCESS)
}
