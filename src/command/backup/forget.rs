//! `petasos backup forget`.

use super::elsewhere;
use super::list::{aside, now_signed};
use super::vault::{Kept, backed_up, kept as all_kept};
use crate::backup::Snapshot;
use crate::backup::retention::kept;
use crate::command::each::each;
use crate::command::hosts::HostArgs;
use crate::ui::report::count;
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// Show what would be taken away, and take away nothing
    #[arg(long)]
    dry_run: bool,
}

/// # Errors
/// When a file is not sound, or a key is not here.
pub async fn run(args: &ForgetArgs) -> Result<ExitCode> {
    let dry = args.dry_run;
    let places = elsewhere::places(&args.hosts, &backed_up(&args.hosts)?)?;
    let done = each(all_kept(&args.hosts)?, &args.hosts, move |job, about, watch| async move {
        let Kept { host, backup, key } = &*about;
        let listing = about.listing(&job, &watch).await?;
        let whys = kept(&listing.snapshots, backup.keep, now_signed());
        let goes: Vec<Snapshot> =
            listing.snapshots.iter().zip(&whys).filter(|(_, why)| why.is_none()).map(|(one, _)| one.clone()).collect();
        let mut said = listing.aside;
        let ids: Vec<&str> = goes.iter().map(|snapshot| snapshot.id.as_str()).collect();
        if let Some(key) = key.as_ref().filter(|_| !goes.is_empty() && !dry) {
            said.extend(job.forget_backups_of(&key.of(host), &ids, &watch).await?);
        }
        Ok((listing.snapshots.len(), goes, said))
    });
    let mut codes = Vec::new();
    for done in done.await {
        match &done.result {
            Ok((all, goes, said)) => {
                let by_hand = done.about.key.is_none();
                let (host, went) = (&done.about.host, if dry || by_hand { "would be forgotten" } else { "forgotten" });
                let mut text = format!("{host}: {} of {} {went}\n", goes.len(), count(*all, "backup"));
                text.extend(goes.iter().map(|one| format!("  {}\n", ui::line(one.short()))));
                if by_hand && !goes.is_empty() {
                    let place = places.get(host).map(String::as_str).unwrap_or_default();
                    text += &elsewhere::forget_by_hand(&done.about, place, goes);
                    codes.push(exit::ERROR);
                }
                ui::out(&(text + &aside(said)))?;
            }
            Err(error) => {
                codes.push(exit::of_run(error));
                ui::error(&error.fault());
            }
        }
    }
    Ok(ExitCode::from(exit::worst(codes)))
}
