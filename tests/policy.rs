//! The policy's own tests (`tests/policy/`): Python with its unittest, and the lexer against the
//! bash that is here.

use petasos::config::rules::{Allow, Deny};
use petasos::config::tools::Tool;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg("-B").args(args).current_dir(root.join("tests/policy")).env("PYTHONPATH", root.join("remote"));
    command.output().expect("python3 runs")
}

fn python(name: &str) {
    let output = run(&["-m", "unittest", "-v", name]);
    let (said, ended) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // The fuzzer's fresh seed, for whoever has to see it fail again.
    println!("{said}{ended}");
    assert!(output.status.success(), "{name} fails");
    assert!(!ended.contains("Ran 0 tests"), "{name} tests nothing");
}

macro_rules! files {
    ($($name:ident),*) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            python(stringify!($name));
        })*
    };
}

files!(test_audit_client, test_deny, test_explain, test_lexer, test_places, test_redact, test_rules, test_settings);

#[test]
fn no_file_is_forgotten() {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy")).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("readable").file_name().into_string().ok();
    let files: BTreeSet<String> = entries.filter_map(name).filter(|name| name.starts_with("test_")).collect();
    assert_eq!(files, FILES.iter().map(|name| format!("{name}.py")).collect());
}

/// What a host would refuse to start with is an error before anything is sent to it, and the other
/// way round.
#[test]
fn petasos_yaml_takes_the_rules_that_a_host_takes() {
    let output = run(&["verdicts.py"]);
    let rows: Vec<(String, String, bool)> = serde_json::from_slice(&output.stdout).expect("JSON");
    let differs = |(kind, text, taken): &&(String, String, bool)| {
        let ours = match kind.as_str() {
            "allow" => Allow::try_from(text.clone()).is_ok(),
            "deny" => Deny::try_from(text.clone()).is_ok(),
            _ => Tool::try_from(text.clone()).is_ok(),
        };
        ours != *taken
    };
    let taken = rows.iter().filter(|(kind, _, taken)| kind == "allow" && *taken).count();
    assert!(taken > 1000 && rows.len() > taken + 1000, "{taken} of {}", rows.len());
    let wrong: Vec<_> = rows.iter().filter(differs).take(20).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
