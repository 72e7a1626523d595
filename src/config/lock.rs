//! `petasos.lock`: facts, not wishes. Which release each name stands for, to the last bit, and
//! the host keys that were accepted. The user commits it; `petasos pin` writes it.
use super::atomic;
use crate::fault::Fault;
use crate::name::{Account, Fingerprint, PublicKey};
pub use crate::release::pinned::{Commit, Date, ModuleName, Policy, Release, Review, Sha256, Suite, Tag, Tree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The only format this program reads or writes.
pub const FORMAT: u32 = 1;

/// The lock file, as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// The format of the file.
    pub version: u32,
    /// The release that a host gets when nothing else is said for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<semver::Version>,
    /// What is known of single hosts, by their name in `petasos.yaml`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, HostFacts>,
    /// Every pinned release, by version.
    #[serde(default)]
    pub releases: BTreeMap<semver::Version, Release>,
}

/// What is known of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// The release of this host, where it differs from the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<semver::Version>,
    /// The fingerprint of the host's SSH key (`SHA256:…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<Fingerprint>,
    /// Where its SSH listens, once it moved away from where the address says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_port: Option<u16>,
    /// Whose login worked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Account>,
    /// Its SSH key, by which other hosts know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key: Option<PublicKey>,
    /// The key that its backups come in by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_key: Option<PublicKey>,
    /// Of a vault: whose backups it lets in, by which key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub admits: BTreeMap<String, PublicKey>,
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("no lock file `{}`", .0.display())]
    Missing(PathBuf),
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("`{}` is not a lock file: {message}", path.display())]
    Parse { path: PathBuf, message: String },
    #[error("`{}` has format {found}, this petasos reads {FORMAT}", path.display())]
    Format { path: PathBuf, found: u32 },
    #[error("no release is pinned for `{0}`")]
    NoRelease(String),
    #[error("release {0} is named in the lock, but its entry is missing")]
    NotPinned(semver::Version),
}

impl LockError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("`petasos pin VERSION` resolves a release and writes it".into()),
            Self::Parse { .. } => Some("it is written by `petasos pin`; restore it from version control".into()),
            Self::NoRelease(_) => Some("`petasos pin VERSION`".into()),
            Self::NotPinned(version) => Some(format!("`petasos pin {version}`")),
            Self::Format { .. } => Some("use the petasos that wrote it, or a newer one".into()),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}

impl Default for LockFile {
    fn default() -> Self {
        Self { version: FORMAT, release: None, hosts: BTreeMap::new(), releases: BTreeMap::new() }
    }
}

impl LockFile {
    /// Reads the lock at `path`.
    ///
    /// # Errors
    /// `Missing` where there is no such file, and the reason where it cannot be read or is
    /// malformed.
    pub fn load(path: &Path) -> Result<Self, LockError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LockError::Missing(path.to_owned()));
            }
            Err(source) => {
                let path = path.to_owned();
                return Err(LockError::Read { path, source });
            }
        };
        let text = crate::yaml::text(&path.display().to_string(), &bytes).map_err(|fault| no_lock(path, fault))?;
        Self::parse(text, path)
    }

    /// Parses the text of a lock; `path` is only for the error.
    ///
    /// # Errors
    /// An unknown key, a malformed digest, another format.
    pub fn parse(text: &str, path: &Path) -> Result<Self, LockError> {
        if text.trim().is_empty() {
            return Err(no_lock(path, "it is empty".into()));
        }
        let lock: Self = crate::yaml::read(&path.display().to_string(), text).map_err(|fault| no_lock(path, fault))?;
        if lock.version != FORMAT {
            let (path, found) = (path.to_owned(), lock.version);
            return Err(LockError::Format { path, found });
        }
        Ok(lock)
    }

    /// The text of the file: the same lock gives the same bytes.
    pub fn render(&self) -> String {
        #[expect(clippy::expect_used, reason = "strings, booleans and maps of them: YAML holds all of it")]
        let body = serde_yaml::to_string(self).expect("a lock is plain data");
        format!("# Written by `petasos pin`. Commit this file.\n{body}")
    }

    /// Writes the lock atomically: a temporary file beside it, then a rename.
    ///
    /// # Errors
    /// The directory or the file cannot be written; the old file is then untouched.
    pub fn save(&self, path: &Path) -> Result<(), LockError> {
        let written = atomic::write(path, self.render().as_bytes(), 0o644);
        written.map_err(|source| LockError::Write { path: path.to_owned(), source })
    }

    /// The release of the host named `host`: its own, else the default.
    ///
    /// # Errors
    /// Nothing is pinned, or a version is named whose facts are missing.
    pub fn release_of(&self, host: &str) -> Result<(&semver::Version, &Release), LockError> {
        let own = self.hosts.get(host).and_then(|facts| facts.release.as_ref());
        let Some(version) = own.or(self.release.as_ref()) else {
            return Err(LockError::NoRelease(host.to_owned()));
        };
        self.releases.get_key_value(version).ok_or_else(|| LockError::NotPinned(version.clone()))
    }
}

fn no_lock(path: &Path, fault: Fault) -> LockError {
    LockError::Parse { path: path.to_owned(), message: fault.message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            source: "https://example.com/agent".into(),
            tag: "v2026.7.20".parse().unwrap(),
            commit: "a".repeat(40).parse().unwrap(),
            // Digits only: a YAML reader that guesses types would make a number of it.
            tree: "1".repeat(40).parse().unwrap(),
            archive_sha256: format!("{}e{}", "1".repeat(10), "2".repeat(53)).parse().unwrap(),
            uv_lock_sha256: "0".repeat(64).parse().unwrap(),
            signed: false,
            requires_python: ">=3.11,<3.14".into(),
            python: None,
            policy: None,
        }
    }

    fn lock() -> LockFile {
        let version = semver::Version::new(0, 19, 0);
        let facts = HostFacts {
            release: Some(version.clone()),
            host_key: Fingerprint::new(format!("SHA256:{}", "a".repeat(43))).ok(),
            ssh_port: Some(2222),
            user: Account::new("ops").ok(),
            backup_key: PublicKey::new(format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", "b".repeat(43))).ok(),
            ..HostFacts::default()
        };
        LockFile {
            release: Some(version.clone()),
            hosts: BTreeMap::from([("staging".to_owned(), facts)]),
            releases: BTreeMap::from([(version, release())]),
            ..LockFile::default()
        }
    }

    #[test]
    fn what_is_saved_is_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("petasos.lock");
        lock().save(&path).unwrap();
        assert_eq!(LockFile::load(&path).unwrap(), lock());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lock().render());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_lock_names_the_command() {
        let error = LockFile::load(Path::new("/nonexistent/petasos.lock")).unwrap_err();
        assert!(matches!(error, LockError::Missing(_)));
        assert!(error.fault().to_string().contains("petasos pin VERSION"));
    }

    #[test]
    fn an_unknown_key_and_a_short_digest_are_errors() {
        let good = lock().render();
        let path = Path::new("petasos.lock");
        assert!(LockFile::parse(&good.replace("signed:", "singed:"), path).is_err());
        assert!(LockFile::parse(&good.replace(&"a".repeat(40), "abc"), path).is_err());
        assert!(LockFile::parse(&good.replacen("version: 1", "version: 2", 1), path).is_err());
        let says = |text: &str| LockFile::parse(text, path).unwrap_err().to_string();
        assert!(says(&good.replace("0.19.0", "0.19")).contains("no whole version"));
        assert!(says(" \n").ends_with("it is empty"));
    }

    #[test]
    fn a_host_has_its_own_release_or_the_default() {
        let mut lock = lock();
        assert_eq!(lock.release_of("other").unwrap().0.to_string(), "0.19.0");
        lock.release = None;
        assert_eq!(lock.release_of("staging").unwrap().0.to_string(), "0.19.0");
        assert!(matches!(lock.release_of("other"), Err(LockError::NoRelease(_))));
        lock.releases.clear();
        assert!(matches!(lock.release_of("staging"), Err(LockError::NotPinned(_))));
    }
}
