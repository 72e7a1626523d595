//! `petasos completions`.

use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

/// Prints the completions of `command`.
///
/// # Errors
/// None.
pub fn run(args: &CompletionsArgs, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    clap_complete::generate(args.shell, command, "petasos", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
