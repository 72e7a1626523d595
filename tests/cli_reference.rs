//! `docs/cli.md` is what `petasos --help` and each verb's `--help` say.
//! `UPDATE=1 cargo test --test cli_reference` writes it again.

use clap::CommandFactory;
use std::path::Path;
use std::process::{Command, Stdio};

const HEAD: &str = "# Command-line reference\n\nWhat `petasos VERB --help` says.\n";

fn help(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    // Without a terminal and its width, lines wrap where the program says.
    command.args(args).arg("--help").env_remove("COLUMNS").stdin(Stdio::null());
    let output = command.output().expect("petasos runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn reference(command: &clap::Command, args: &[&str], out: &mut String) {
    let level = "#".repeat(2 + usize::from(args.len() > 1));
    let name = ["petasos"].iter().chain(args).copied().collect::<Vec<_>>().join(" ");
    out.push_str(&format!("\n{level} `{name}`\n\n```text\n{}\n```\n", help(args).trim_end()));
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        reference(verb, &[args, &[verb.get_name()]].concat(), out);
    }
}

#[test]
fn the_reference_is_what_the_program_says() {
    let mut text = HEAD.to_owned();
    reference(&petasos::cli::Cli::command(), &[], &mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).expect("a writable tree");
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = is.lines().zip(text.lines()).position(|(is, printed)| is != printed);
    assert!(
        is == text,
        "docs/cli.md differs from line {} on: `UPDATE=1 cargo test --test cli_reference` writes it again",
        differs.unwrap_or(is.lines().count()) + 1
    );
}
