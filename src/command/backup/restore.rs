//! `petasos backup restore`.

use super::escrow::Escrow;
use super::list::now_signed;
use super::vault::{Kept, backed_up, on_vaults_by};
use crate::backup::Snapshot;
use crate::backup::retention::{Why, kept};
use crate::calendar::calendar;
use crate::command::hosts::{HostArgs, Subject};
use crate::fault::Fault;
use crate::run::backup::{Listing, Put};
use crate::run::{Job, Watch};
use crate::ui;
use crate::ui::report::count;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// The host that gets the data, which is up and has its backups on the same vault [default: the
    /// same host]
    #[arg(long, value_name = "HOST")]
    to: Option<String>,
    /// The key to the backups, such as that of an earlier machine [default: keys/HOST.age]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The backup, by the first digits of its id [default: the newest by its arrival]
    #[arg(long, value_name = "ID")]
    snapshot: Option<String>,
}

impl RestoreArgs {
    /// The same host's data, of a backup that is named.
    pub fn of_snapshot(hosts: HostArgs, id: String) -> Self {
        Self { hosts, to: None, key: None, snapshot: Some(id) }
    }
}

/// Whether a host has this backup, and its key is here.
///
/// # Errors
/// When it has not.
pub async fn find(hosts: &HostArgs, id: &str) -> Result<()> {
    let (vault, kept) = on_vaults_by(hosts, |host| Escrow::open(hosts, host))?.pop().context("it was named")?;
    let watch = hosts.watch(std::slice::from_ref(&vault.name), true);
    let listing = vault.backups_of(&kept.key.of(&kept.host), &watch).await?;
    chosen(&listing, &kept, Some(id)).map(drop)
}

/// # Errors
/// When a file is not sound, no key is here, or the data does not come back whole.
pub async fn run(args: &RestoreArgs) -> Result<ExitCode> {
    let began = Instant::now();
    let [host] = args.hosts.hosts.as_slice() else {
        bail!(Fault::new("one host is restored at a time").hint("name it: `petasos backup restore production`"));
    };
    let key = |host: &str| match &args.key {
        Some(path) => Escrow::open_file(&args.hosts, host, path),
        None => Escrow::open(&args.hosts, host),
    };
    let (vault, kept) = on_vaults_by(&args.hosts, key)?.pop().context("it was named")?;
    let to = HostArgs { hosts: vec![args.to.clone().unwrap_or_else(|| host.clone())], ..args.hosts.clone() };
    let choice = backed_up(&to)?.pop().context("it was named")?;
    if choice.settings.backup.is_some_and(|backup| backup.vault != kept.backup.vault) {
        let fault = Fault::new(format!("`{}` has its backups on another vault than `{host}`", choice.label));
        bail!(fault.hint("restore to a host of the same vault"));
    }
    let (job, _) = to.agents(Subject::Host)?.pop().context("it was named")?;
    let watch = args.hosts.watch(&[vault.name.clone(), job.name.clone()], args.hosts.json);
    let listing = vault.backups_of(&kept.key.of(host), &watch).await?;
    let snapshot = chosen(&listing, &kept, args.snapshot.as_deref())?.clone();
    let fetching = Fetching { vault: &vault, job: &job, key: &kept.key, watch: &watch };
    let done = restored(&fetching, &listing.folder, &snapshot).await;
    let ended = fetching.end().await;
    let (databases, put) = done?;
    ended?;
    drop(watch);
    ui::out(&format!(
        "{}: snapshot {} of `{host}`, which arrived {}, is restored: {}, the agent was well after {} s; {:.0} s in all\n  what was there before is in {}\n",
        job.name,
        ui::line(snapshot.short()),
        calendar(snapshot.arrived.max(0).unsigned_abs()),
        count(usize::try_from(databases).unwrap_or(0), "database"),
        put.healthy,
        began.elapsed().as_secs_f64(),
        ui::line(&put.aside),
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn restored(fetching: &Fetching<'_>, folder: &str, snapshot: &Snapshot) -> Result<(u64, Put)> {
    let databases = fetching.fetch(folder, snapshot).await?;
    Ok((databases, fetching.job.put_backup(fetching.watch).await?))
}

/// A host's backups, their vault, the key to them, and the host that gets one.
pub struct Fetching<'a> {
    pub vault: &'a Job,
    pub job: &'a Job,
    pub key: &'a Escrow,
    pub watch: &'a Watch,
}

impl Fetching<'_> {
    /// Fetches a snapshot by the operators' key, and its databases compared; how many there are.
    ///
    /// # Errors
    /// When it does not arrive, or is not what was backed up.
    pub async fn fetch(&self, folder: &str, snapshot: &Snapshot) -> Result<u64> {
        let public = self.job.begin_restore(self.watch).await?;
        self.vault.restore_door(Some((&public, folder)), self.watch).await?;
        Ok(self.job.fetch_backup(&self.key.password, &snapshot.id, self.watch).await?)
    }

    /// Whatever came of it, no key and no copy stays.
    ///
    /// # Errors
    /// When host or vault cannot be asked.
    pub async fn end(&self) -> Result<()> {
        let ends = (self.vault.restore_door(None, self.watch).await, self.job.end_restore(self.watch).await);
        ends.0?;
        Ok(ends.1?)
    }
}

/// The one that is named; else the newest by its arrival of those that say of themselves what is
/// so.
pub fn chosen<'a>(listing: &'a Listing, about: &Kept, named: Option<&str>) -> Result<&'a Snapshot> {
    if let Some(id) = named {
        let mut fits = listing.snapshots.iter().filter(|one| one.id.starts_with(id));
        return match (fits.next(), fits.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => bail!(unlisted(&about.host, format!("`{}` has no backup `{id}`", about.host))),
            (Some(_), Some(_)) => bail!(unlisted(&about.host, format!("several backups begin with `{id}`"))),
        };
    }
    let whys = kept(&listing.snapshots, about.backup.keep, now_signed());
    let real = |why: &Option<Why>| !matches!(why, Some(Why::Odd | Why::Other));
    let real = listing.snapshots.iter().zip(&whys).filter(|(one, why)| real(why) && one.host == about.host);
    real.map(|(one, _)| one).max_by_key(|one| one.arrived).with_context(|| {
        unlisted(&about.host, format!("no backup of `{}` says of itself what is so", about.host)).to_string()
    })
}

fn unlisted(host: &str, why: String) -> Fault {
    Fault::new(why).hint(format!("`petasos backup list {host}` shows them; `--snapshot ID` takes one of them"))
}
