//! `down`: nothing of a host stays, and with the last one nothing of the lab but its caches.
use super::host;
use super::record::Record;
use super::{InternetHold, Lab, NETWORK, SAME_HOST, Say, lock, net, paths};
use anyhow::{Context, Result};

impl Lab {
    /// Removes one host; with the last one the internet goes too.
    pub async fn down(&self, name: &str) -> Result<()> {
        host::check_name(name)?;
        let say: Say<'_> = &mut |_: &str| {};
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        // A lived-in tree takes its time to remove: nobody else waits for that.
        self.remove(name).await?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        if self.internet_is_used() {
            return Ok(());
        }
        self.stop_internet().await
    }

    /// Whether a host hangs on the internet, or somebody holds it; the caller holds the lab's lock.
    pub(super) fn internet_is_used(&self) -> bool {
        let mut hosts = Record::all(&self.paths).into_iter().map(|record| record.name);
        hosts.any(|host| self.in_use(&host)) || lock::taken(&self.hold_path())
    }

    /// Removes everything but images and caches: hosts, snapshots, internet, bridge.
    pub async fn down_all(&self) -> Result<()> {
        let say: Say<'_> = &mut |_: &str| {};
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        let records = Record::all(&self.paths).into_iter().map(|record| record.name);
        let mut names: Vec<String> = records.chain(net::names()).chain(self.groups.names()).collect();
        names.sort();
        names.dedup();
        for name in names.iter().filter(|name| host::check_name(name).is_ok()) {
            self.remove(name).await?;
        }
        self.stop_internet().await?;
        // Trees without a record, from a run that was cut off.
        paths::remove_tree(&self.paths.hosts())?;
        paths::remove_tree(&self.paths.snapshots())?;
        self.paths.create_all()
    }

    /// Removes the images and caches too; the next `up` builds them again.
    pub async fn forget(&self) -> Result<()> {
        self.down_all().await?;
        paths::remove_tree(&self.paths.cache())?;
        self.paths.create_all()
    }

    pub(super) fn hold_internet(&self) -> Result<InternetHold> {
        let path = self.hold_path();
        let file = lock::open(&path)?;
        file.lock_shared().with_context(|| format!("cannot lock `{}`", path.display()))?;
        Ok(InternetHold(file))
    }

    fn hold_path(&self) -> std::path::PathBuf {
        self.paths.lock("internet-hold")
    }

    /// A host that runs, or that somebody is making right now.
    pub(super) fn in_use(&self, name: &str) -> bool {
        self.groups.alive(name) || lock::taken(&self.paths.lock(&format!("host-{name}")))
    }

    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        self.groups.kill(name).await?;
        net::remove(name).await?;
        paths::remove_tree(&self.paths.host(name))
    }
}
