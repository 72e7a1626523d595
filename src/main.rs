use std::process::ExitCode;

fn main() -> ExitCode {
    petasos::command::main()
}
