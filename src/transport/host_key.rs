//! Who the host is: its key, as ssh saw it, against the one that is known.
//!
//! ssh itself decides, with the user's known_hosts, or with the one fingerprint that is recorded. A
//! small command that ssh calls with every key that a host shows (`KnownHostsCommand`, OpenSSH 8.5)
//! writes down what was shown, and vouches for the recorded one.

use crate::config::Target;
use crate::name::Fingerprint;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// The key of one host, for all connections of a run.
#[derive(Default)]
pub struct HostKey(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// The one key that counts.
    known: Option<Fingerprint>,
    /// Its type, once it was shown.
    kind: Option<Kind>,
    /// Whether nothing about it is news any more.
    recorded: bool,
    /// What the host itself, over a connection that the known key vouches for, says that it will
    /// show from now on.
    announced: Vec<Fingerprint>,
}

impl HostKey {
    /// `recorded`: whether the known key is one that was kept from an earlier run.
    pub fn new(known: Option<Fingerprint>, recorded: bool) -> Self {
        Self(Mutex::new(Memory { known, recorded, ..Memory::default() }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn known(&self) -> Option<Fingerprint> {
        self.memory().known.clone()
    }

    /// All that vouch for the host: the known key first.
    pub fn accepted(&self) -> Vec<Fingerprint> {
        let memory = self.memory();
        memory.known.iter().chain(&memory.announced).cloned().collect()
    }

    /// The type to ask for: the known key's, as far as that is known; the best where the host has
    /// said what it has.
    pub fn kind(&self) -> Option<Kind> {
        let memory = self.memory();
        if memory.announced.is_empty() { memory.kind } else { Some(Kind::Ed25519) }
    }

    /// From now on these count as well as the known one; whichever is shown first takes its place.
    pub fn announce(&self, fingerprints: Vec<Fingerprint>) {
        self.memory().announced = fingerprints;
    }

    /// From now on only this key counts. Says whether it was not recorded before.
    pub fn learn(&self, shown: &Shown) -> bool {
        let mut memory = self.memory();
        let same = memory.known.as_ref() == Some(&shown.fingerprint);
        let news = !(same && memory.recorded);
        *memory = Memory {
            known: Some(shown.fingerprint.clone()),
            kind: shown.kind(),
            recorded: true,
            announced: Vec::new(),
        };
        news
    }
}

/// The types of host keys that Petasos tells apart, the one that it asks for first at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ed25519,
    Rsa,
    Ecdsa,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::Rsa, Self::Ecdsa];

    /// As `HostKeyAlgorithms` names those of the type.
    fn algorithms(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::Rsa => "rsa-sha2-512,rsa-sha2-256",
            Self::Ecdsa => "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
        }
    }
}

/// A key that a host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub fingerprint: Fingerprint,
    /// `ssh-ed25519`.
    pub name: String,
}

impl Shown {
    pub fn kind(&self) -> Option<Kind> {
        let begins = |with: &str| self.name.starts_with(with);
        match () {
            () if begins("ssh-ed25519") => Some(Kind::Ed25519),
            () if begins("ssh-rsa") => Some(Kind::Rsa),
            () if begins("ecdsa-") => Some(Kind::Ecdsa),
            () => None,
        }
    }
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
    /// Where keys are accepted, no others count, and the host is asked for one of this type first.
    /// With `apart`, the user's known_hosts, ssh reads and writes a copy of them.
    ///
    /// # Errors
    /// When no temporary file can be written.
    pub fn write(
        target: &Target,
        user_config: Option<&Path>,
        (accepted, kind): (&[Fingerprint], Kind),
        apart: Option<&[PathBuf]>,
    ) -> std::io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("petasos-ssh.").tempdir_in(scratch())?;
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("command"), COMMAND)?;
        let lines = accepted.iter().map(|key| format!("{key}\n"));
        std::fs::write(path("known"), lines.collect::<String>())?;
        let mut config = std::fs::File::create(path("config"))?;
        // What it says of a failure is read here, whatever the user wants to read.
        writeln!(config, "LogLevel INFO")?;
        // Only for this host: one on the way to it (ProxyJump) is reached with the same
        // configuration.
        // Nothing of the user's is lent to a host, nor to one on the way. A command of the user's
        // would hold the login up, and a port is free for one connection only.
        writeln!(config, "ForwardAgent no\nForwardX11 no\nPermitLocalCommand no\nClearAllForwardings yes")?;
        writeln!(config, "Host {}", target.host)?;
        writeln!(config, "  KnownHostsCommand /bin/sh {} %I %f %t %H %K", path("command").display())?;
        if !accepted.is_empty() {
            // They alone count, whatever known_hosts says.
            writeln!(config, "  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null")?;
            writeln!(config, "  HostKeyAlgorithms ^{}", kind.algorithms())?;
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
        let (fingerprint, name) = text.lines().last()?.split_once(' ')?;
        Some(Shown { fingerprint: Fingerprint::new(fingerprint).ok()?, name: name.to_owned() })
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
