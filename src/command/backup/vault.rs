//! The hosts that have a backup, and who is asked about it.

use super::escrow::Escrow;
use crate::command::hosts::{HostArgs, Subject};
use crate::config::backup::Backup;
use crate::config::settings::Role;
use crate::desired::Choice;
use crate::fault::Fault;
use crate::run::backup::{Checked, Listing};
use crate::run::{Job, RunError, Watch};
use anyhow::{Context, Result, bail};

/// The hosts that the command line names, or all that have a backup.
///
/// # Errors
/// When one that is named has none, or there is none.
pub fn backed_up(args: &HostArgs) -> Result<Vec<Choice>> {
    let config = args.files.read()?;
    let mut choices = args.choose(&config, Some(Role::Agent))?;
    if args.hosts.is_empty() {
        choices.retain(|choice| choice.settings.backup.is_some());
    }
    let without = choices.iter().find(|choice| choice.settings.backup.is_none() || choice.name.is_none());
    if let Some(choice) = without {
        let fault = Fault::new(format!("`{}` has no backup", choice.label));
        bail!(fault.hint("say where to in petasos.yaml: `backup: { vault: NAME }`"));
    }
    if choices.is_empty() {
        let fault = Fault::new("no host has a backup");
        bail!(fault.hint("say where to in petasos.yaml: `backup: { vault: NAME }`"));
    }
    Ok(choices)
}

/// A host's backups, and who is asked about them: its vault, with the operators' key; or, where
/// Petasos has no login at the other side, the host itself.
pub struct Kept {
    pub host: String,
    pub backup: Backup,
    /// None where the host itself is asked.
    pub key: Option<Escrow>,
}

impl Kept {
    /// Its backups.
    ///
    /// # Errors
    /// When whoever is asked cannot say.
    pub async fn listing(&self, job: &Job, watch: &Watch) -> Result<Listing, RunError> {
        match &self.key {
            Some(key) => job.backups_of(&key.of(&self.host), watch).await,
            None => job.own_backups(watch).await,
        }
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// As for [`Kept::listing`], and when something is damaged.
    pub async fn check(&self, job: &Job, watch: &Watch) -> Result<Checked, RunError> {
        match &self.key {
            Some(key) => job.check_backups_of(&key.of(&self.host), watch).await,
            None => job.check_own_backups(watch).await,
        }
    }
}

/// For each host who is asked about its backups.
///
/// # Errors
/// As for [`backed_up`], and when the key of one on a vault is not here or does not open.
pub fn kept(args: &HostArgs) -> Result<Vec<(Job, Kept)>> {
    kept_by(args, |host| Escrow::open(args, host))
}

/// The same by other keys than those of the hosts' names.
///
/// # Errors
/// As for [`kept`].
pub fn kept_by(args: &HostArgs, key: impl Fn(&str) -> Result<Escrow, Fault>) -> Result<Vec<(Job, Kept)>> {
    let of = |choice: Choice| {
        let backup = choice.settings.backup.context("it has a backup")?;
        let host = choice.label;
        let (asked, key) = match &backup.vault {
            Some(vault) => (vault.clone(), Some(key(&host)?)),
            None => (host.clone(), None),
        };
        let hosts = vec![asked];
        let (job, _) = HostArgs { hosts, ..args.clone() }.jobs(Subject::Host)?.pop().context("it is a host")?;
        Ok((job, Kept { host, backup, key }))
    };
    backed_up(args)?.into_iter().map(of).collect()
}
