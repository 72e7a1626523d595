//! The lab: disposable hosts with a real systemd, and an internet of their own.
//!
//! A host is an overlay over a cached image, booted by systemd-nspawn in a network namespace that
//! hangs on the lab's bridge; see `remote/lab/boot.sh`. The internet is one more namespace, which
//! owns every address that a test dials. Hosts reach nothing else, except the package registries
//! that this machine itself uses, through one relay per registry.
mod boot;
mod bootstrap;
mod ca;
mod cgroup;
mod console;
mod down;
mod form;
mod github;
mod host;
mod image;
mod index;
mod internet;
mod like;
mod limits;
mod lock;
mod machine;
mod names;
mod need;
mod net;
mod paths;
mod python;
mod record;
mod registry;
mod snapshot;
mod tool;
mod tools;
mod up;
mod vm;

use crate::fault::Fault;
use anyhow::{Result, bail};
use record::Record;
use serde::Serialize;
use std::fs::File;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

pub use form::Form;
pub use like::Like;
pub use record::Snapshot;
pub use vm::Accel;

const NETWORK: &str = "it arranges the lab's network";
const SAME_HOST: &str = "it works on the same host";

/// What happens, in words, for whoever watches.
pub type Say<'a> = &'a mut (dyn FnMut(&str) + Send);

/// An opened lab.
#[derive(Debug, Clone)]
pub struct Lab {
    paths: paths::Paths,
    groups: cgroup::Groups,
}

/// As long as this lives, the internet outlives the last host (but not `down_all`).
#[derive(Debug)]
pub struct InternetHold(#[expect(dead_code, reason = "held, not read")] File);

/// A host that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabHost {
    pub name: String,
    pub suite: String,
    /// The release of Ubuntu's that it is like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<Like>,
    /// Who runs it, where it is a virtual machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<Accel>,
    /// Where it answers ssh.
    pub address: IpAddr,
    /// Its address of version 6, which it has beside or in place of one of version 4.
    pub ipv6: Ipv6Addr,
    /// `ssh -F` this file reaches the host by address or name, as any user, without a question.
    pub ssh_config: PathBuf,
}

impl LabHost {
    /// Whom the provider lets in.
    pub fn user(&self) -> &'static str {
        self.like.map_or("root", |_| like::USER)
    }
}

impl Lab {
    /// Whether its hosts may take so many bytes of this machine's disk.
    ///
    /// # Errors
    /// They may not, or nobody knows.
    pub fn has_room(&self, bytes: u64) -> Result<()> {
        let folder = self.paths.hosts();
        limits::enough(limits::room(&folder)?, bytes, &folder)
    }

    /// Opens the lab of this machine; it needs Linux and root.
    pub fn open() -> Result<Lab> {
        if !cfg!(target_os = "linux") {
            bail!(
                Fault::new("the lab boots Linux containers and this is not Linux")
                    .hint("use a Linux machine, or a virtual one")
            );
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
        if uid != Some("0") {
            bail!(
                Fault::new("the lab makes namespaces, mounts and containers and needs root")
                    .hint("run it under `sudo`")
            );
        }
        let paths = paths::Paths;
        paths.create_all()?;
        Ok(Lab { paths, groups: cgroup::Groups::find()? })
    }

    /// The hosts that run.
    pub async fn list(&self) -> Result<Vec<LabHost>> {
        let records = Record::all(&self.paths);
        Ok(records
            .into_iter()
            .filter(|record| self.groups.alive(&record.name))
            .map(|record| self.shown(record))
            .collect())
    }

    fn shown(&self, record: Record) -> LabHost {
        LabHost {
            ssh_config: self.paths.host(&record.name).join("ssh_config"),
            address: record.reached_at(),
            ipv6: net::six(record.address),
            name: record.name,
            like: record.like,
            vm: record.vm,
            suite: record.suite,
        }
    }
}
