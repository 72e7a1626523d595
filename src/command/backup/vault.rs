//! The hosts that have a backup, and the vaults that keep it.

use super::escrow::Escrow;
use crate::command::hosts::{HostArgs, Subject};
use crate::config::backup::Backup;
use crate::config::settings::Role;
use crate::desired::Choice;
use crate::fault::Fault;
use crate::run::Job;
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
        bail!(fault.hint("name a vault for it in petasos.yaml: `backup: { vault: NAME }`"));
    }
    if choices.is_empty() {
        let fault = Fault::new("no host has a backup");
        bail!(fault.hint("name a vault in petasos.yaml: `backup: { vault: NAME }`"));
    }
    Ok(choices)
}

/// A host's backups, and the key to them.
pub struct Kept {
    pub host: String,
    pub backup: Backup,
    pub key: Escrow,
}

/// For each host its vault, and what opens its backups there.
///
/// # Errors
/// As for [`backed_up`], and when the key of one is not here or does not open.
pub fn on_vaults(args: &HostArgs) -> Result<Vec<(Job, Kept)>> {
    on_vaults_by(args, |host| Escrow::open(args, host))
}

/// The same by other keys than those of the hosts' names.
///
/// # Errors
/// As for [`on_vaults`].
pub fn on_vaults_by(args: &HostArgs, key: impl Fn(&str) -> Result<Escrow, Fault>) -> Result<Vec<(Job, Kept)>> {
    let of = |choice: Choice| {
        let backup = choice.settings.backup.context("it has a backup")?;
        let hosts = vec![backup.vault.clone()];
        let (job, _) = HostArgs { hosts, ..args.clone() }.jobs(Subject::Host)?.pop().context("the vault is a host")?;
        let host = choice.label;
        let key = key(&host)?;
        Ok((job, Kept { host, backup, key }))
    };
    backed_up(args)?.into_iter().map(of).collect()
}
