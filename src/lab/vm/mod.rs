//! Hosts with a kernel of their own: the image of the other hosts with its distribution's kernel,
//! in QEMU, on the same bridge.
pub mod cable;
pub mod disk;
pub mod run;
pub mod seed;

use crate::fault::Fault;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Who runs the machine's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// QEMU itself, on any machine.
    Tcg,
    /// The processor. Where this machine is a virtual one itself, guests may die of it.
    Kvm,
}

impl Accel {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcg => "tcg",
            Self::Kvm => "kvm",
        }
    }
}

impl FromStr for Accel {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let known = [Self::Tcg, Self::Kvm].into_iter().find(|accel| accel.name() == text);
        known.ok_or_else(|| Fault::new(format!("QEMU has no way `{text}` here")).hint("tcg or kvm"))
    }
}

/// How long a start may take until sshd answers: emulated, a minute is usual.
pub const START: Duration = Duration::from_secs(400);

/// The kernel that a suite has for virtual machines.
pub const KERNEL: &str = "linux-image-cloud-amd64";

/// What this form cannot be, said before anything is built.
pub fn check(codename: &str, debian: bool) -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        bail!(
            Fault::new(format!(
                "virtual machines of the lab are x86_64, and this machine is {}",
                std::env::consts::ARCH
            ))
            .hint("without `--vm` the host is a container")
        );
    }
    if !debian {
        bail!(
            Fault::new(format!(
                "virtual machines of the lab have Debian's kernel, and this machine's mirror is of `{codename}`"
            ))
            .hint("without `--vm` the host is a container; docs/vagrant.md has boxes of Ubuntu")
        );
    }
    Ok(())
}

/// A disk's name, in the directories of images, hosts and snapshots.
pub const DISK: &str = "disk.raw";

/// Where the agent inside listens for commands of the console.
pub fn socket(dir: &Path) -> PathBuf {
    dir.join("console.sock")
}
