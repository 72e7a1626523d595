use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    petasos::command::run(petasos::cli::Cli::parse())
}
