//! A folder with files, petasos in it, and what it says.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

pub const LOCK: &str = include_str!("../petasos.lock");

/// A folder with these files.
pub fn desk(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

pub fn petasos(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    command.args(args).current_dir(folder).env_remove("OPENROUTER_API_KEY");
    command.output().unwrap()
}

/// The error and nothing else: no report on stdout, no second error, no panic.
#[track_caller]
pub fn error(files: &[(&str, &str)], args: &[&str], code: i32) -> String {
    let folder = desk(files);
    let output = petasos(folder.path(), args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "an error belongs on stderr");
    assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
    stderr
}

#[track_caller]
pub fn contains_all(stderr: &str, parts: &[&str]) {
    for part in parts {
        assert!(stderr.contains(part), "it does not say `{part}`:\n{stderr}");
    }
}
