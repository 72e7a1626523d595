//! One thin file per verb.

pub mod completions;
pub mod demo;
mod each;
pub mod egress;
pub mod facts;
pub mod history;
mod hosts;
pub mod init;
pub mod lab;
mod names;
pub mod pin;
pub mod plan;
mod reach;
pub mod render;
pub mod undo;
pub mod up;
pub mod verify;

use crate::cli::{Cli, Verb};
use crate::run::RunError;
use crate::ui::exit;
use clap::Parser;
use std::process::ExitCode;

/// Parses the command line and runs one verb; the exit code is the verb's.
pub fn main() -> ExitCode {
    end_quietly_when_nobody_reads();
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            // Help and version are no errors; they go to stdout.
            let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
            let _ = error.print();
            ExitCode::from(code)
        }
    }
}

/// `petasos history | head` closes the pipe while we print; that is the reader's wish, not an error of ours.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>();
        if said.is_some_and(|said| said.starts_with("failed printing to stdout") && said.contains("Broken pipe")) {
            std::process::exit(i32::from(exit::DONE));
        }
        usual(panic);
    }));
}

fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the async runtime: {error}");
            return ExitCode::from(exit::ERROR);
        }
    };
    let done = runtime.block_on(async {
        match cli.verb {
            Verb::Init(args) => init::run(&args),
            Verb::Pin(args) => pin::run(args).await,
            Verb::Up(args) => up::run(&args).await,
            Verb::Plan(args) => plan::run(&args).await,
            Verb::Facts(args) => facts::run(&args).await,
            Verb::Render(args) => render::run(&args).await,
            Verb::History(args) => history::run(&args).await,
            Verb::Egress(args) => egress::run(&args).await,
            Verb::Verify(args) => verify::run(&args).await,
            Verb::Undo(args) => undo::run(&args).await,
            Verb::Lab(args) => lab::run(args).await,
            Verb::Demo(args) => demo::run(&args).await,
            Verb::Completions(args) => completions::run(&args),
        }
    });
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(error.downcast_ref::<RunError>().map_or(exit::ERROR, code_of))
    })
}

/// The exit code of a run that ended early.
fn code_of(error: &RunError) -> u8 {
    match error {
        RunError::Unknown { .. } => exit::UNOBSERVED,
        RunError::Reverted { .. } | RunError::TakenBack { .. } => exit::REVERTED,
        RunError::NotConverged { .. } => exit::DRIFT,
        RunError::Transport(_)
        | RunError::Host { .. }
        | RunError::Step { .. }
        | RunError::Lost { .. }
        | RunError::Locked { .. }
        | RunError::Away { .. }
        | RunError::NotProved { .. } => exit::ERROR,
    }
}
