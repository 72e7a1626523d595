//! Who the host is: its key, as ssh saw it, against the one that is known.
//!
//! ssh itself decides, with the user's known_hosts, or with the one fingerprint that is recorded. A
//! small command that ssh calls with every key that a host shows (`KnownHostsCommand`, OpenSSH 8.5)
//! writes down what was shown, and vouches for the recorded one.

use crate::config::Target;
use crate::name::Fingerprint;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// The key of one host, for all connections of a run.
pub struct HostKey {
    known: Mutex<Option<Fingerprint>>,
    /// Whether nothing about it is news any more.
    recorded: AtomicBool,
}

impl HostKey {
    /// `recorded`: whether the known key is one that was kept from an earlier run.
    pub fn new(known: Option<Fingerprint>, recorded: bool) -> Self {
        Self { known: Mutex::new(known), recorded: AtomicBool::new(recorded) }
    }

    pub fn known(&self) -> Option<Fingerprint> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on only this key counts. Says whether it was not recorded before.
    pub fn learn(&self, fingerprint: &Fingerprint) -> bool {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint.clone());
        !self.recorded.swap(true, Ordering::Relaxed)
    }
}

/// A key that a host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub fingerprint: Fingerprint,
    /// `ssh-ed25519`.
    pub kind: String,
}

/// What ssh reads and writes during one connection's start.
pub struct SshTempConfig {
    dir: TempDir,
}

/// `$1` is what ssh asks for (ssh_config(5), `%I`), then the key's fingerprint and type, the host's
/// name in known_hosts, the key.
const COMMAND: &str = include_str!("host-key-command.sh");

impl SshTempConfig {
    /// A configuration for ssh that goes before the user's own: `user_config`, or the usual files.
    /// With `apart`, the user's known_hosts, ssh reads and writes a copy of them.
    ///
    /// # Errors
    /// When no temporary file can be written.
    pub fn write(
        target: &Target,
        user_config: Option<&Path>,
        known: Option<&Fingerprint>,
        apart: Option<&[PathBuf]>,
    ) -> std::io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("petasos-ssh.").tempdir_in(scratch())?;
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("command"), COMMAND)?;
        std::fs::write(path("known"), known.map_or("", Fingerprint::as_str))?;
        let mut config = std::fs::File::create(path("config"))?;
        // What it says of a failure is read here, whatever the user wants to read.
        writeln!(config, "LogLevel INFO")?;
        // Only for this host: one on the way to it (ProxyJump) is reached with the same
        // configuration.
        // Nothing of the user's is lent to a host, nor to one on the way.
        writeln!(config, "ForwardAgent no\nForwardX11 no")?;
        writeln!(config, "Host {}", target.host)?;
        writeln!(config, "  KnownHostsCommand /bin/sh {} %I %f %t %H %K", path("command").display())?;
        if known.is_some() {
            // The recorded key alone counts, whatever known_hosts says; it is of the first type
            // that hosts have of these.
            writeln!(config, "  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null")?;
            writeln!(config, "  HostKeyAlgorithms ^ssh-ed25519")?;
        } else if let Some(files) = apart {
            let mut copy = Vec::new();
            for text in files.iter().filter_map(|file| std::fs::read(file).ok()) {
                copy.extend(text);
                copy.push(b'\n');
            }
            std::fs::write(path("known_hosts"), copy)?;
            writeln!(
                config,
                "  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null",
                path("known_hosts").display()
            )?;
            writeln!(config, "  UpdateHostKeys no")?;
        }
        writeln!(config, "Match all")?;
        match user_config {
            Some(file) => writeln!(config, "Include \"{}\"", std::path::absolute(file)?.display())?,
            None => writeln!(config, "Include ~/.ssh/config\nInclude /etc/ssh/ssh_config")?,
        }
        Ok(Self { dir })
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    /// The key that the host showed, if it came that far.
    pub fn shown(&self) -> Option<Shown> {
        let text = std::fs::read_to_string(self.dir.path().join("shown")).ok()?;
        let (fingerprint, kind) = text.lines().last()?.split_once(' ')?;
        Some(Shown { fingerprint: Fingerprint::new(fingerprint).ok()?, kind: kind.to_owned() })
    }
}

/// The longest path of a folder in which ssh can make the socket of a connection, in bytes: a
/// socket's path has 108 (unix(7)), of which the folder of openssh's crate, its name and ssh's own
/// ending of it take 46.
const SOCKETS: usize = 60;

/// Where temporary files go: the user's place for them, unless ssh could not use it, because it is
/// too long for a socket or has a letter that means something in ssh's configuration.
pub fn scratch() -> PathBuf {
    let usual = std::env::temp_dir();
    let usable = usual.to_str().is_some_and(|path| {
        path.len() <= SOCKETS && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._+,@=-".contains(c))
    });
    if usable { usual } else { PathBuf::from("/tmp") }
}

/// The fingerprints that known_hosts files have for a name, each with its place, as `ssh-keygen -l
/// -F` prints them.
pub fn in_files(files: &[PathBuf], name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let asked = std::process::Command::new("ssh-keygen").args(["-l", "-F", name, "-f"]).arg(file).output();
        let text = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let fields = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        let fingerprints = fields.filter(|field| field.starts_with("SHA256:"));
        found.extend(fingerprints.map(|fingerprint| format!("{fingerprint} ({})", file.display())));
    }
    found
}
