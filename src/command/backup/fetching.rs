//! A backup on its way to a host, by the operators' key.

use super::elsewhere::Source;
use super::escrow::Escrow;
use crate::fault::Fault;
use crate::run::restore::{Begun, Fetched, RestoreKey, Wanted};
use crate::run::{Job, Watch};
use anyhow::{Result, bail};

/// Where it comes from.
pub enum From<'a> {
    /// A folder of a vault, which opens a door for that long.
    Vault(&'a Job, &'a str),
    Elsewhere(&'a Source),
}

/// The host that gets it, and the key to it.
pub struct Fetching<'a> {
    pub from: From<'a>,
    pub job: &'a Job,
    pub key: &'a Escrow,
    pub watch: &'a Watch,
}

impl Fetching<'_> {
    /// Fetches a snapshot, and its databases compared.
    ///
    /// # Errors
    /// When it does not arrive, or is not what was backed up; when somebody has to let a key in
    /// first.
    pub async fn fetch(&self, snapshot: &str) -> Result<Fetched> {
        let Self { from, job, key, watch } = self;
        let password = &key.password;
        match from {
            From::Vault(vault, folder) => {
                let begun = job.begin_restore(RestoreKey::New, watch).await?;
                vault.restore_door(Some((&begun.key, folder)), watch).await?;
                let wanted = Wanted { password, snapshot, repository: "", kept: false };
                Ok(job.fetch_backup(&wanted, watch).await?)
            }
            From::Elsewhere(source) => {
                let Begun { key: public, repository } = job.begin_restore(source.key, watch).await?;
                if source.is_own() && repository.is_some_and(|now| now != key.repository) {
                    let fault =
                        Fault::new(format!("the key opens an earlier repository of `{}`, and not this one", job.name));
                    bail!(fault.hint(format!(
                        "`petasos backup key {0}` makes one; `petasos backup restore {0}` without `--key` takes it",
                        job.name
                    )));
                }
                if let (RestoreKey::New, Some(line)) = (source.key, source.line(&public)) {
                    let fault = Fault::new(format!(
                        "these backups are those of another key, and {} lets one in for one folder",
                        source.at
                    ));
                    bail!(fault.hint(format!("add this line to .ssh/authorized_keys there, run the same command with `--admitted`, then remove the line: {line}")));
                }
                let kept = source.key == RestoreKey::Kept;
                let wanted = Wanted { password, snapshot, repository: &source.repository, kept };
                Ok(job.fetch_backup(&wanted, watch).await?)
            }
        }
    }

    /// Whatever came of it, no copy stays; and no key but one that somebody has to let in.
    ///
    /// # Errors
    /// When host or vault cannot be asked.
    pub async fn end(&self, well: bool) -> Result<()> {
        match &self.from {
            From::Vault(vault, _) => {
                let ends = (vault.restore_door(None, self.watch).await, self.job.end_restore(self.watch).await);
                ends.0?;
                ends.1?;
            }
            From::Elsewhere(source) if !well && source.key != RestoreKey::Own => {
                self.job.pause_restore(self.watch).await?;
            }
            From::Elsewhere(_) => self.job.end_restore(self.watch).await?,
        }
        Ok(())
    }
}
