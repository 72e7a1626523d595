//! `petasos backup key`.

use super::elsewhere;
use super::escrow::{Escrow, file};
use super::vault::backed_up;
use crate::act::Text;
use crate::command::each::{Done, each};
use crate::command::hosts::{HostArgs, Subject, random};
use crate::command::secrets_file::recipients;
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

/// What is known of a host's key beforehand.
struct Before {
    /// The repository that the key which is here opens.
    repository: Option<String>,
    /// For a new one.
    password: Text,
    /// Where that one is, if not on a vault.
    place: Option<String>,
    /// Whether the key which is here says the same.
    is_there: bool,
}

/// # Errors
/// When a file is not sound, nobody may decrypt the keys, or one cannot be written.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let choices = backed_up(args)?;
    let places = elsewhere::places(args, &choices)?;
    let hosts: Vec<String> = choices.into_iter().map(|choice| choice.label).collect();
    // Before anything is changed: whether there is somebody to encrypt for.
    recipients(&args.files, &args.files.read()?)?;
    let jobs = HostArgs { hosts, ..args.clone() }.agents(Subject::Host)?;
    let before = |(job, _): (crate::run::Job, _)| {
        // One that nobody here can open is no key.
        let there = file(&args.files, &job.name).exists().then(|| Escrow::open(args, &job.name)).transpose()?;
        let is_there = there.as_ref().is_some_and(|escrow| escrow.place.as_ref() == places.get(&job.name));
        let repository = there.map(|escrow| escrow.repository);
        let place = places.get(&job.name).cloned();
        Ok((job, Before { repository, password: Text::secret(random()?), place, is_there }))
    };
    let jobs = jobs.into_iter().map(before).collect::<Result<Vec<_>>>()?;
    let done = each(jobs, args, |job, before, watch| async move {
        let known = job.first_backup(&watch).await?;
        if before.repository.as_ref() == Some(&known) && before.is_there {
            return Ok(None);
        }
        let repository = job.add_backup_key(&before.password, &watch).await?;
        Ok(Some(Escrow { repository, password: before.password.clone(), place: before.place.clone() }))
    });
    let mut codes = Vec::new();
    for Done { job, about, result } in done.await {
        let path = file(&args.files, &job.name);
        match result {
            Ok(None) => ui::out(&format!("{}: `{}` opens its backups\n", job.name, path.display()))?,
            Ok(Some(escrow)) => {
                // That of an earlier machine or key, whose backups it still opens.
                if let Some(old) = about.repository.as_ref().and_then(|id| id.get(..8)) {
                    let kept = path.with_file_name(format!("{}-{old}.age", job.name));
                    std::fs::rename(&path, &kept)?;
                    ui::out(&format!("{}: the key to its earlier backups is in `{}`\n", job.name, kept.display()))?;
                }
                escrow.write(args, &job.name)?;
                ui::out(&format!(
                    "{}: a second key to its backups is in `{}`: keep it where the host is not\n",
                    job.name,
                    path.display()
                ))?;
            }
            Err(error) => {
                codes.push(exit::of_run(&error));
                ui::error(&error.fault());
            }
        }
    }
    Ok(ExitCode::from(exit::worst(codes)))
}
