//! What the lab keeps on disk about a host and about a snapshot, for the programs that come after
//! the one that made them.
use super::like::{Like, USER};
use super::net;
use super::paths::{Paths, write};
use super::vm::{Accel, DISK};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// What is remembered of a host between two runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub name: String,
    pub suite: String,
    /// No other host has it. A host with IPv6 only has the one of version 6 that stands beside it.
    pub address: Ipv4Addr,
    pub image: PathBuf,
    /// Whether it has IPv6 only.
    #[serde(default)]
    pub ipv6: bool,
    #[serde(default)]
    pub ssh_socket: bool,
    #[serde(default)]
    pub like: Option<Like>,
    /// Set for a virtual machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<Accel>,
    /// The snapshots between the image and the host, the upper ones first.
    #[serde(default)]
    pub snapshots: Vec<String>,
}

impl Record {
    pub fn read(paths: &Paths, name: &str) -> Option<Record> {
        let text = std::fs::read_to_string(paths.host(name).join("host.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub fn all(paths: &Paths) -> Vec<Record> {
        let mut names: Vec<String> = std::fs::read_dir(paths.hosts())
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names.iter().filter_map(|name| Record::read(paths, name)).collect()
    }

    /// Whom the provider lets in.
    pub fn user(&self) -> &'static str {
        self.like.map_or("root", |_| USER)
    }

    pub fn reached_at(&self) -> IpAddr {
        if self.ipv6 { net::six(self.address).into() } else { self.address.into() }
    }

    /// The layers below the host, the upper ones first.
    pub fn layers(&self, paths: &Paths) -> Vec<PathBuf> {
        let snapshots = self.snapshots.iter().map(|name| paths.snapshot(name).join("upper"));
        snapshots.chain([self.image.clone()]).collect()
    }

    /// The disk that a virtual machine starts on a copy of.
    pub fn disk(&self, paths: &Paths) -> PathBuf {
        let snapshot = self.snapshots.first().map(|name| paths.snapshot(name));
        snapshot.unwrap_or_else(|| self.image.clone()).join(DISK)
    }

    pub fn write(&self, paths: &Paths) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).context("cannot encode a host's record")?;
        write(&paths.host(&self.name).join("host.json"), text)
    }
}

/// A kept disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub name: String,
    pub suite: String,
    pub ipv6: bool,
    pub ssh_socket: bool,
    #[serde(default)]
    pub like: Option<Like>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<Accel>,
    /// The image at the bottom.
    pub image: PathBuf,
    /// The snapshots between the image and this one, the upper ones first.
    pub below: Vec<String>,
}

impl Snapshot {
    /// A host on top of it.
    pub(super) fn host(self, name: &str, address: Ipv4Addr) -> Record {
        let snapshots = [&self.name].into_iter().chain(&self.below).cloned().collect();
        let Snapshot { suite, ipv6, ssh_socket, like, vm, image, .. } = self;
        Record { name: name.to_owned(), suite, address, image, ipv6, ssh_socket, like, vm, snapshots }
    }
}
