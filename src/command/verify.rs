//! `petasos verify`.

use super::each::{Done, each};
use super::hosts::{HostArgs, Subject};
use crate::desired::claims::claims;
use crate::fault::Fault;
use crate::ui::{self, exit, html, verify_text};
use crate::verify::report::{HostReport, Report};
use anyhow::Result;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Attack hosts from inside, as the agent's user, and say which controls are met; changes nothing
///
/// Exit codes: 0 each control is met, 1 error, 2 one is not met, 3 one could not be observed.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Show each attack, its outcome and its positive control
    #[arg(short, long)]
    pub verbose: bool,
    /// Make the outbound attacks as root too, to see them succeed; only where every address is your
    /// own, as in the lab
    #[arg(long)]
    pub full: bool,
    /// Write the report as one self-contained HTML page, evidence included
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// # Errors
/// When the files are not sound, or the page cannot be written; a host's failure is part of the
/// report.
pub async fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let jobs = args
        .hosts
        .jobs_with(Subject::Host, |choice, read| claims(choice, read.config, read.lock, read.sources, args.full))?;
    let done = each(jobs, &args.hosts, |job, claims, watch| async move { job.verify(&claims, &watch).await }).await;
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut report = Report { petasos: env!("CARGO_PKG_VERSION").into(), time: time.as_secs(), hosts: Vec::new() };
    let mut codes = Vec::new();
    for Done { job, result, .. } in done {
        match result {
            Ok(host) => {
                codes.push(verify_text::code(host.verdict));
                report.hosts.push(host);
            }
            Err(error) => {
                codes.push(exit::of_run(&error));
                let fault = error.fault();
                ui::error(&fault);
                let failed = HostReport::failed(&job.name, &job.login.target.host, &fault.message);
                report.hosts.push(HostReport { hint: fault.hint, ..failed });
            }
        }
    }
    if args.hosts.json {
        ui::json(&report)?;
    } else {
        ui::out(&verify_text::text(&report, args.verbose))?;
    }
    if let Some(path) = &args.html {
        write_page(path, &report)?;
    }
    Ok(ExitCode::from(exit::worst(codes)))
}

/// The page names a host's weak places: it is for its owner's eyes until the owner passes it on.
fn write_page(path: &Path, report: &Report) -> Result<()> {
    let page = html::page(report)?;
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        let fault = Fault::new(format!("cannot write `{}`: it is there, and is no plain file", path.display()));
        return Err(fault.hint("choose the name of a new file").into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new file of mode 0600 takes the old one's place: never half of one, never another's mode.
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(page.as_bytes())?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|why| {
        let path = path.display();
        let fault = Fault::new(format!("cannot write `{path}`: {why}"));
        fault.hint("choose a file in a folder that exists and that you may write to").into()
    })
}
