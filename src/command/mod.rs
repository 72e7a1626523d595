//! One thin file per verb.
pub mod lab;
pub mod pin;

use crate::cli::{Cli, Verb};
use std::process::ExitCode;

/// Runs one verb; the exit code is the verb's, 1 on an error.
pub fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the async runtime: {error}");
            return ExitCode::from(1);
        }
    };
    let done = runtime.block_on(async {
        match cli.verb {
            Verb::Lab(args) => lab::run(args).await,
            Verb::Pin(args) => pin::run(args).await,
        }
    });
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(1)
    })
}
