//! Snapshots: what a host wrote, kept under a name. New hosts lie on top of it, so nothing is ever
//! copied; virtual machines start on a copy of the disk.
use super::host;
use super::paths::{create_dir, remove_tree, write};
use super::record::{Record, Snapshot};
use super::vm::DISK;
use super::{Lab, NETWORK, SAME_HOST, Say, lock, net};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};

impl Lab {
    /// Stops a host and keeps its disk as it is, as if the power went; the host is gone then.
    ///
    /// # Errors
    /// When no such host runs, or the snapshot's name is taken.
    pub async fn snapshot(&self, name: &str, snapshot: &str) -> Result<()> {
        host::check_name(name)?;
        host::check_name(snapshot)?;
        let say: Say<'_> = &mut |_: &str| {};
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        let Some(record) = Record::read(&self.paths, name).filter(|_| self.groups.alive(name)) else {
            bail!(
                Fault::new(format!("no lab host `{name}` runs"))
                    .hint(format!("`petasos lab up {name}`, or see `petasos lab list`"))
            );
        };
        if self.paths.snapshot(snapshot).exists() {
            bail!(
                Fault::new(format!("there is a snapshot `{snapshot}`"))
                    .hint(format!("`petasos lab snapshots --remove {snapshot}` first"))
            );
        }
        self.groups.kill(name).await?;
        net::remove(name).await?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        let Record { suite, image, ipv6, ssh_socket, like, vm, snapshots: below, .. } = record;
        // The disk of a virtual machine is a whole one.
        let below = if vm.is_some() { Vec::new() } else { below };
        let part_of_host = if vm.is_some() { DISK } else { "upper" };
        let kept = Snapshot { name: snapshot.to_owned(), suite, ipv6, ssh_socket, like, vm, image, below };
        // It is there with its name, or not at all.
        let part = self.paths.snapshot(&format!(".{snapshot}"));
        remove_tree(&part)?;
        create_dir(&part)?;
        let text = serde_json::to_vec_pretty(&kept).context("cannot encode a snapshot's record")?;
        write(&part.join("snapshot.json"), text)?;
        let of_host = self.paths.host(name).join(part_of_host);
        for (from, to) in [(of_host, part.join(part_of_host)), (part.clone(), self.paths.snapshot(snapshot))] {
            std::fs::rename(&from, &to).with_context(|| format!("cannot keep `{}`", from.display()))?;
        }
        remove_tree(&self.paths.host(name))
    }

    /// All snapshots, by name.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let mut names: Vec<String> = std::fs::read_dir(self.paths.snapshots())
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names.iter().filter(|name| !name.starts_with('.')).filter_map(|name| self.kept(name)).collect()
    }

    /// Removes a snapshot; one that is not there is fine. What is left of hosts on it that neither
    /// run nor are being made goes with it: nothing starts such a host again.
    ///
    /// # Errors
    /// When a host that runs, or another snapshot, lies on it.
    pub async fn remove_snapshot(&self, snapshot: &str) -> Result<()> {
        host::check_name(snapshot)?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, &mut |_: &str| {}).await?;
        let uses = |chain: &[String]| chain.iter().any(|name| name == snapshot);
        let upon = Record::all(&self.paths).into_iter().filter(|record| uses(&record.snapshots));
        let (used, dead): (Vec<Record>, Vec<Record>) = upon.partition(|record| self.in_use(&record.name));
        if let Some(host) = used.first() {
            bail!(
                Fault::new(format!("lab host `{}` lies on the snapshot `{snapshot}`", host.name))
                    .hint(format!("`petasos lab down {}` first", host.name))
            );
        }
        if let Some(other) = self.snapshots().into_iter().find(|other| uses(&other.below)) {
            bail!(
                Fault::new(format!("the snapshot `{}` lies on `{snapshot}`", other.name))
                    .hint(format!("`petasos lab snapshots --remove {}` first", other.name))
            );
        }
        for host in &dead {
            self.remove(&host.name).await?;
        }
        remove_tree(&self.paths.snapshot(snapshot))
    }

    /// A snapshot that a host can start from.
    pub(super) fn find_snapshot(&self, name: &str) -> Result<Snapshot> {
        host::check_name(name)?;
        let snapshot = self.kept(name).with_context(|| {
            Fault::new(format!("there is no snapshot `{name}`"))
                .hint(format!("`petasos lab snapshots` lists them, `petasos lab snapshot HOST {name}` makes one"))
        })?;
        if !snapshot.image.is_dir() {
            bail!(
                Fault::new(format!("the image below the snapshot `{name}` is gone: `{}`", snapshot.image.display()))
                    .hint(format!("`petasos lab snapshots --remove {name}`, and make it again"))
            );
        }
        Ok(snapshot)
    }

    fn kept(&self, name: &str) -> Option<Snapshot> {
        let text = std::fs::read_to_string(self.paths.snapshot(name).join("snapshot.json")).ok()?;
        serde_json::from_str(&text).ok()
    }
}
