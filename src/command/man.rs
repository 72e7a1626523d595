//! `petasos man`.

use crate::ui;
use anyhow::{Context, Result};
use clap_mangen::Man;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write the pages of petasos and of each verb into this folder instead
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

/// Prints the page of `command`, or writes it and those of all its verbs.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(args: &ManArgs, command: clap::Command) -> Result<ExitCode> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(dir) = &args.dir else {
        let mut text = Vec::new();
        page(command).render(&mut text)?;
        ui::raw(&String::from_utf8(text)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let failed = || format!("cannot write man pages into `{}`", dir.display());
    std::fs::create_dir_all(dir).with_context(failed)?;
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        page(command).generate_to(dir).with_context(failed)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> Man {
    Man::new(command).source(concat!("petasos ", env!("CARGO_PKG_VERSION"))).manual("Petasos")
}
