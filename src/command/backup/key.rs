//! `petasos backup key`.

use super::escrow::{Escrow, file};
use super::vault::backed_up;
use crate::act::Text;
use crate::command::each::each;
use crate::command::hosts::{HostArgs, Subject, random};
use crate::command::secrets_file::recipients;
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

/// # Errors
/// When a file is not sound, nobody may decrypt the keys, or one cannot be written.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let (mut hosts, mut codes) = (Vec::new(), Vec::new());
    for choice in backed_up(args)? {
        let path = file(&args.files, &choice.label);
        if path.exists() {
            // One that nobody here can open is no key.
            Escrow::open(args, &choice.label)?;
            ui::note(&format!("{}: `{}` is there, and opens", choice.label, path.display()));
        } else {
            hosts.push(choice.label);
        }
    }
    if hosts.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything is changed: whether there is somebody to encrypt for.
    recipients(&args.files, &args.files.read()?)?;
    let jobs = HostArgs { hosts, ..args.clone() }.agents(Subject::Host)?;
    let with_password = |(job, _)| Ok((job, Text::secret(random()?)));
    let jobs = jobs.into_iter().map(with_password).collect::<Result<Vec<_>>>()?;
    let done = each(jobs, args, |job, password, watch| async move {
        let repository = job.add_backup_key(&password, &watch).await?;
        Ok(Escrow { repository, password: (*password).clone() })
    });
    for done in done.await {
        match done.result {
            Ok(escrow) => {
                let path = escrow.write(args, &done.job.name)?;
                ui::out(&format!("{}: a second key to its backups is in `{}`: keep it where the host is not\n", done.job.name, path.display()))?;
            }
            Err(error) => {
                codes.push(exit::of_run(&error));
                ui::error(&error.fault());
            }
        }
    }
    Ok(ExitCode::from(exit::worst(codes)))
}
