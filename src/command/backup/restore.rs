//! `petasos backup restore`.

use super::elsewhere;
use super::escrow::Escrow;
use super::fetching::{Fetching, From};
use super::list::now_signed;
use super::vault::{Kept, backed_up, kept_by};
use crate::backup::Snapshot;
use crate::backup::retention::{Why, kept};
use crate::calendar::calendar;
use crate::command::hosts::{HostArgs, Subject};
use crate::config::backup::Backup;
use crate::fault::Fault;
use crate::run::backup::Listing;
use crate::run::restore::{Fetched, Put};
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
    /// The host that gets the data, which is up and has its backups in the same place [default: the
    /// same host]
    #[arg(long, value_name = "HOST")]
    to: Option<String>,
    /// The key to the backups, such as that of an earlier machine [default: keys/HOST.age]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The backup, by the first digits of its id [default: the newest by its arrival]
    #[arg(long, value_name = "ID")]
    snapshot: Option<String>,
    /// The key that a first try printed is let in now (only where `backup.repository` is `ssh://`)
    #[arg(long)]
    admitted: bool,
}

impl RestoreArgs {
    /// The same host's data, of a backup that is named.
    pub fn of_snapshot(hosts: HostArgs, id: String) -> Self {
        Self { hosts, to: None, key: None, snapshot: Some(id), admitted: false }
    }
}

/// Whether a host has this backup, and its key is here.
///
/// # Errors
/// When it has not, or nobody can say while the host is closed off.
pub async fn find(hosts: &HostArgs, id: &str) -> Result<()> {
    let (vault, kept) = kept_by(hosts, |host| Escrow::open(hosts, host))?.pop().context("it was named")?;
    if kept.key.is_none() {
        let host = &kept.host;
        let fault = Fault::new(format!(
            "`{host}` stays closed: its backups are at {}, which cannot be asked for `{}` while it is closed",
            kept.backup.shown(),
            ui::line(id)
        ));
        bail!(fault.hint(format!("`petasos incident close {host} --data empty`, then `petasos backup restore {host} --snapshot {}` with the key to the old backups", ui::line(id))));
    }
    let watch = hosts.watch(std::slice::from_ref(&vault.name), true);
    let listing = kept.listing(&vault, &watch).await?;
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
    let (asked, kept) = kept_by(&args.hosts, key)?.pop().context("it was named")?;
    let to = HostArgs { hosts: vec![args.to.clone().unwrap_or_else(|| host.clone())], ..args.hosts.clone() };
    let choice = backed_up(&to)?.pop().context("it was named")?;
    let place = |backup: &Backup| (backup.vault.clone(), backup.repository.clone());
    if choice.settings.backup.as_ref().is_some_and(|backup| place(backup) != place(&kept.backup)) {
        let fault = Fault::new(format!("`{}` has its backups in another place than `{host}`", choice.label));
        bail!(fault.hint("restore to a host with the same `vault` or `repository`"));
    }
    let (job, _) = to.agents(Subject::Host)?.pop().context("it was named")?;
    let watch = args.hosts.watch(&[asked.name.clone(), job.name.clone()], args.hosts.json);
    let (databases, put, which) = match &kept.key {
        Some(escrow) => {
            let listing = kept.listing(&asked, &watch).await?;
            let snapshot = chosen(&listing, &kept, args.snapshot.as_deref())?.clone();
            let from = From::Vault(&asked, &listing.folder);
            let (fetched, put) =
                restored(&Fetching { from, job: &job, key: escrow, watch: &watch }, &snapshot.id).await?;
            let arrived = calendar(snapshot.arrived.max(0).unsigned_abs());
            (fetched.databases, put, format!("{} of `{host}`, which arrived {arrived},", ui::line(snapshot.short())))
        }
        None => {
            let escrow = key(host)?;
            let source = elsewhere::source(&args.hosts, &kept, &escrow, &choice, args.admitted)?;
            let from = From::Elsewhere(&source);
            let fetching = Fetching { from, job: &job, key: &escrow, watch: &watch };
            let (fetched, put) = restored(&fetching, args.snapshot.as_deref().unwrap_or("newest")).await?;
            let short = fetched.snapshot.get(..8).unwrap_or_default();
            (fetched.databases, put, format!("{} of `{host}`", ui::line(short)))
        }
    };
    drop(watch);
    ui::out(&format!(
        "{}: snapshot {which} is restored: {}, the agent was well after {} s; {:.0} s in all\n  what was there before is in {}\n",
        job.name,
        count(usize::try_from(databases).unwrap_or(0), "database"),
        put.healthy,
        began.elapsed().as_secs_f64(),
        ui::line(&put.aside),
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn restored(fetching: &Fetching<'_>, snapshot: &str) -> Result<(Fetched, Put)> {
    let done = async {
        let fetched = fetching.fetch(snapshot).await?;
        anyhow::Ok((fetched, fetching.job.put_backup(fetching.watch).await?))
    };
    let done = done.await;
    let ended = fetching.end(done.is_ok()).await;
    let done = done?;
    ended?;
    Ok(done)
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
