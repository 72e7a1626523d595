//! `petasos backup`: a backup now, a second key to it, and what is done with backups on the vault.

mod alarm;
mod drill;
pub mod elsewhere;
pub mod escrow;
mod fetching;
mod forget;
mod key;
mod list;
mod now;
pub mod restore;
mod runbook;
mod vault;

use super::hosts::HostArgs;
use anyhow::Result;
use std::process::ExitCode;

/// Make backups, drill, restore, list, check and forget them, and keep a second key
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    #[command(subcommand)]
    verb: BackupVerb,
}

#[derive(Debug, clap::Subcommand)]
enum BackupVerb {
    /// Make a backup now; exit code 2 if it is not good
    Now(HostArgs),
    /// Tell people that this is a test, by each way of `backup.alarm`
    Alarm(HostArgs),
    /// Keep a second key to a host's backups in keys/, encrypted for the operators
    Key(HostArgs),
    /// List a host's backups, as the vault has them, and which are kept
    List(HostArgs),
    /// Read all the backups of a host; an error names what is damaged
    Check(HostArgs),
    /// Restore the last good backup on the host and start an agent on it, beside the running one
    Drill(drill::DrillArgs),
    /// Bring a host's data back, onto it or another one
    Restore(restore::RestoreArgs),
    /// Print what to do when a host is gone, and whether all that it takes is here
    Runbook(HostArgs),
    /// Take away for good what need not be kept, or say how where Petasos has no login
    Forget(forget::ForgetArgs),
}

/// # Errors
/// When a file is not sound, or a host or its vault cannot be asked.
pub async fn run(args: &BackupArgs) -> Result<ExitCode> {
    match &args.verb {
        BackupVerb::Now(args) => now::run(args).await,
        BackupVerb::Alarm(args) => alarm::run(args).await,
        BackupVerb::Key(args) => key::run(args).await,
        BackupVerb::List(args) => list::run(args).await,
        BackupVerb::Check(args) => list::check(args).await,
        BackupVerb::Drill(args) => drill::run(args).await,
        BackupVerb::Restore(args) => restore::run(args).await,
        BackupVerb::Runbook(args) => runbook::run(args),
        BackupVerb::Forget(args) => forget::run(args).await,
    }
}
