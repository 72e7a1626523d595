//! Where the lab keeps things: three places, so that a cache survives a `down --all` and a reboot
//! of the machine leaves no runtime state behind.
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const CACHE: &str = "/var/cache/petasos-lab";
const STATE: &str = "/var/lib/petasos-lab";
const RUNTIME: &str = "/run/petasos-lab";

#[derive(Debug, Clone)]
pub struct Paths;

impl Paths {
    /// All that survives `down --all`.
    pub fn cache(&self) -> PathBuf {
        PathBuf::from(CACHE)
    }

    pub fn images(&self) -> PathBuf {
        PathBuf::from(CACHE).join("images")
    }

    /// The lab's own certificate authority.
    pub fn authority(&self) -> PathBuf {
        PathBuf::from(CACHE).join("ca")
    }

    /// A Python environment with the tools that build the lab's github.com.
    pub fn tools(&self) -> PathBuf {
        PathBuf::from(CACHE).join("tools")
    }

    pub fn git(&self) -> PathBuf {
        PathBuf::from(CACHE).join("git")
    }

    /// What `petasos pin` takes for its table of Pythons.
    pub fn pythons(&self) -> PathBuf {
        PathBuf::from(CACHE).join("pythons.yaml")
    }

    pub fn registries(&self) -> PathBuf {
        PathBuf::from(CACHE).join("registries.json")
    }

    pub fn hosts(&self) -> PathBuf {
        PathBuf::from(STATE).join("hosts")
    }

    pub fn host(&self, name: &str) -> PathBuf {
        self.hosts().join(name)
    }

    pub fn snapshots(&self) -> PathBuf {
        PathBuf::from(STATE).join("snapshots")
    }

    pub fn snapshot(&self, name: &str) -> PathBuf {
        self.snapshots().join(name)
    }

    pub fn internet(&self) -> PathBuf {
        PathBuf::from(STATE).join("internet")
    }

    /// The directory that the internet's services write their logs to.
    pub fn internet_logs(&self) -> PathBuf {
        self.internet().join("log")
    }

    pub fn key(&self) -> PathBuf {
        PathBuf::from(STATE).join("id_ed25519")
    }

    pub fn lock(&self, name: &str) -> PathBuf {
        PathBuf::from(RUNTIME).join(format!("{name}.lock"))
    }

    pub fn create_all(&self) -> Result<()> {
        for dir in [self.images(), self.git(), self.hosts(), PathBuf::from(RUNTIME)] {
            create_dir(&dir)?;
        }
        Ok(())
    }
}

pub fn create_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create `{}`", dir.display()))
}

pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Removes a whole tree; a tree that is not there is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
