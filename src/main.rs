use std::process::ExitCode;

fn main() -> ExitCode {
    petasos::cli::main()
}
