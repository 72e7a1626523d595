//! The lab: disposable hosts with a real systemd, and an internet of their own.
//!
//! A host is an overlay over a cached image, booted by systemd-nspawn in a network namespace that
//! hangs on the lab's bridge; see `templates/lab/boot.sh`. The internet is one more namespace, which
//! owns every address that a test dials. Hosts reach nothing else, except the package registries that
//! this machine itself uses, through one relay per registry.
mod boot;
mod ca;
mod cgroup;
mod github;
mod host;
mod image;
mod index;
mod internet;
mod lock;
mod machine;
mod names;
mod need;
mod net;
mod paths;
mod registry;
mod tool;
mod tools;

use anyhow::{Result, bail};
use host::Record;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

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

/// A host that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabHost {
    pub name: String,
    pub suite: String,
    pub address: Ipv4Addr,
    /// `ssh -F` this file reaches the host by address or name, as any user, without a question.
    pub ssh_config: PathBuf,
}

impl Lab {
    /// Opens the lab of this machine; it needs Linux and root.
    pub fn open() -> Result<Lab> {
        if !cfg!(target_os = "linux") {
            bail!("the lab boots Linux containers and this is not Linux\nhint: use a Linux machine, or a virtual one");
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
        if uid != Some("0") {
            bail!("the lab makes namespaces, mounts and containers and needs root\nhint: run it under `sudo`");
        }
        let paths = paths::Paths;
        paths.create_all()?;
        Ok(Lab { paths, groups: cgroup::Groups::find()? })
    }

    /// A running host of that name, made now if there is none.
    pub async fn up(&self, name: &str, suite: Option<&str>, say: Say<'_>) -> Result<LabHost> {
        host::check_name(name)?;
        need::install(say).await?;
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        if let Some(record) = Record::read(&self.paths, name).filter(|_| self.groups.alive(name)) {
            if suite.is_some_and(|suite| suite != record.suite) {
                bail!(
                    "lab host `{name}` runs {}, not {}\nhint: `petasos lab down {name}` first, or take another name",
                    record.suite,
                    suite.unwrap_or_default()
                );
            }
            if net::exists(name) && self.internet_is_up() {
                host::wait_for_ssh(&self.paths, &self.groups, &record, Duration::from_secs(60)).await?;
                return Ok(self.shown(record));
            }
            say(&format!("lab host {name} has lost its network; making it anew"));
        }
        let machine = machine::look().await?;
        let suite = suite.unwrap_or(machine.default_suite());
        let internet_needs = self.prepare_internet(&machine, say).await?;
        let image = self.host_image(&machine, &internet_needs, suite, say).await?;
        let record = {
            let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
            self.remove(name).await?;
            self.ensure_internet(&machine, &internet_needs, say).await?;
            let address = host::free_address(&Record::all(&self.paths))?;
            let record = Record { name: name.to_owned(), suite: suite.to_owned(), address, image };
            record.write(&self.paths)?;
            record
        };
        let started = Instant::now();
        let made = self.boot(&record).await;
        if let Err(error) = made {
            // The tree stays for a look; the next `up` or `down` clears it.
            self.groups.kill(name).await?;
            return Err(error);
        }
        say(&format!(
            "lab host {name} ({suite}) answers ssh at {} after {:.1} s",
            record.address,
            started.elapsed().as_secs_f64()
        ));
        Ok(self.shown(record))
    }

    async fn boot(&self, record: &Record) -> Result<()> {
        net::build_host(&record.name, record.address).await?;
        host::prepare(&self.paths, record).await?;
        let dir = self.paths.host(&record.name);
        boot::start(&self.groups, &record.name, &record.image, &dir, &host::boot_words()).await?;
        host::wait_for_ssh(&self.paths, &self.groups, record, Duration::from_secs(90)).await.map(drop)
    }

    /// Removes one host; with the last one the internet goes too.
    pub async fn down(&self, name: &str) -> Result<()> {
        host::check_name(name)?;
        let say: Say<'_> = &mut |_: &str| {};
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        self.remove(name).await?;
        if Record::all(&self.paths).is_empty() { self.stop_internet().await } else { Ok(()) }
    }

    /// Removes everything that runs: hosts, internet, bridge. Images and caches stay.
    pub async fn down_all(&self) -> Result<()> {
        let say: Say<'_> = &mut |_: &str| {};
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        let mut names: Vec<String> = Record::all(&self.paths).into_iter().map(|record| record.name).collect();
        names.extend(net::names());
        names.extend(self.groups.names());
        names.sort();
        names.dedup();
        for name in names.iter().filter(|name| *name != net::INTERNET) {
            self.remove(name).await?;
        }
        self.stop_internet().await
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

    async fn remove(&self, name: &str) -> Result<()> {
        self.groups.kill(name).await?;
        net::remove(name).await?;
        paths::remove_tree(&self.paths.host(name))
    }

    fn shown(&self, record: Record) -> LabHost {
        LabHost {
            ssh_config: self.paths.host(&record.name).join("ssh_config"),
            name: record.name,
            suite: record.suite,
            address: record.address,
        }
    }
}
