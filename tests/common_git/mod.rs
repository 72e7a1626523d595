//! A release source of our own for tests: a small repository that looks like the agent's, made by
//! git.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its own part")]
pub mod agent;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Upstream {
    pub dir: tempfile::TempDir,
}

/// What one commit of the source says of itself.
pub struct Files<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub uv_lock: Option<&'a str>,
}

pub fn release(version: &str) -> Files<'_> {
    Files { name: "hermes-agent", version, uv_lock: Some("version = 1\n") }
}

impl Upstream {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let up = Self { dir };
        up.git(&["init", "-q", "-b", "main"]);
        up.git(&["config", "uploadpack.allowFilter", "true"]);
        up
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// One commit with these files.
    pub fn commit(&self, files: &Files<'_>) {
        let Files { name, version, .. } = files;
        let project =
            format!("[project]\nname = \"{name}\"\nversion = \"{version}\" # c\nrequires-python = \">=3.11,<3.14\"\n");
        std::fs::write(self.path().join("pyproject.toml"), project).unwrap();
        std::fs::write(self.path().join("code.py"), format!("VERSION = '{version}'\n")).unwrap();
        for (path, text) in agent::source(version) {
            self.write(&path, &text);
        }
        let lock = self.path().join("uv.lock");
        match files.uv_lock {
            Some(text) => std::fs::write(lock, text).unwrap(),
            None => drop(std::fs::remove_file(lock)),
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", version]);
    }

    /// A file of the next commit.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// One commit and its annotated tag.
    pub fn release(&self, tag: &str, version: &str) {
        self.commit(&release(version));
        self.git(&["tag", "-a", tag, "-m", version]);
    }

    pub fn git(&self, argv: &[&str]) -> String {
        let done = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "tag.gpgSign=false"])
            .args(argv)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(done.status.success(), "git {argv:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

/// `petasos pin` in `dir`, with `dir/petasos.lock`.
pub fn pin(dir: &Path, argv: &[&str]) -> Output {
    let petasos = env!("CARGO_BIN_EXE_petasos");
    Command::new(petasos).current_dir(dir).arg("pin").args(argv).output().unwrap()
}

pub fn lock(dir: &Path) -> PathBuf {
    dir.join("petasos.lock")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
