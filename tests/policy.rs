//! The policy's own tests (`tests/policy/`): Python with its unittest, and the lexer against the
//! bash that is here.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn python(name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "-v", name])
        .current_dir(root.join("tests/policy"))
        .env("PYTHONPATH", root.join("remote"))
        .output()
        .expect("python3 runs");
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

files!(test_deny, test_explain, test_lexer, test_redact, test_rules, test_settings);

#[test]
fn no_file_is_forgotten() {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy")).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("readable").file_name().into_string().ok();
    let files: BTreeSet<String> = entries.filter_map(name).filter(|name| name.starts_with("test_")).collect();
    assert_eq!(files, FILES.iter().map(|name| format!("{name}.py")).collect());
}
