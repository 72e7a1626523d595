//! `petasos incident close`.

use super::rotate::Rotation;
use super::{opened, subject};
use crate::command::backup::escrow::Escrow;
use crate::command::backup::restore::{self, RestoreArgs};
use crate::command::hosts::HostArgs;
use crate::command::up::{self, UpArgs};
use crate::command::verify::{self, VerifyArgs};
use crate::fault::Fault;
use crate::incident::State;
use crate::run::incident::{Forget, IncidentState};
use crate::run::{Job, Watch};
use crate::ui;
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Open the host again, once the evidence is here and each credential is made anew
///
/// Removes the old values from the host, opens it, then brings it up with the new ones and verifies
/// it: the exit code is that of `up` if it fails, else that of `verify`.
#[derive(Debug, clap::Args)]
pub struct CloseArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// What the agent starts on: `keep` what is there, `empty`, or `snapshot=ID`, a backup of
    /// before
    #[arg(long, default_value = "keep", value_name = "DATA", value_parser = data)]
    data: Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Data {
    Keep,
    Empty,
    Snapshot(String),
}

fn data(text: &str) -> Result<Data, String> {
    match (text, text.split_once('=')) {
        ("keep", _) => Ok(Data::Keep),
        ("empty", _) => Ok(Data::Empty),
        (_, Some(("snapshot", id))) if !id.is_empty() => Ok(Data::Snapshot(id.to_owned())),
        _ => Err("`keep`, `empty` or `snapshot=ID` is expected".to_owned()),
    }
}

/// # Errors
/// When no incident is open, something is left to do first, or the host does not come up.
pub async fn run(args: &CloseArgs) -> Result<ExitCode> {
    let (job, settings) = subject(&args.hosts, "close")?;
    let watch = args.hosts.watch(std::slice::from_ref(&job.name), args.hosts.json);
    let state = job.incident(&watch).await?;
    let incident = opened(&job, &state)?;
    if incident.drill {
        job.end_drill(&incident.id, 0.0, 0, &watch).await?;
        job.open_again(&incident, &watch).await?;
        ui::note(&format!("{}: a drill that did not end is over", job.name));
        return Ok(ExitCode::SUCCESS);
    }
    startable(&job.name, &state)?;
    fetched(&job.name, &state)?;
    let host = HostArgs { hosts: vec![job.name.clone()], ..args.hosts.clone() };
    let rotation = Rotation { args: &args.hosts, job: &job, settings: &settings, watch: &watch };
    let all = rotation.credentials(&state).await?;
    let left: Vec<&str> = all.iter().filter(|one| !one.state.settled()).map(|one| one.name.as_str()).collect();
    if !left.is_empty() {
        let fault = Fault::new(format!("`{}` stays closed: not made anew yet: {}", job.name, left.join(", ")));
        bail!(fault.hint(format!("`petasos incident rotate {}` says what to do for each", job.name)));
    }
    if args.data != Data::Keep && !copied(&state) {
        let fault = Fault::new(format!("`{}` stays closed: its evidence has no copy of the agent's data", job.name));
        bail!(fault.hint(format!(
            "copy /home/hermes/.hermes by hand, then `--data keep`; or make room on the host, `rm {}/{}/sealed.json` there, and `petasos incident evidence {}`",
            crate::incident::FOLDER,
            ui::line(&incident.id),
            job.name
        )));
    }
    if settings.backup.is_some() {
        second_key(&args.hosts, &job, &watch).await?;
    }
    if let Data::Snapshot(id) = &args.data {
        // Before anything goes: that backup is there, and a key that opens it.
        restore::find(&host, id).await?;
    }
    let names = all.iter().filter(|one| one.state == State::New).map(|one| one.name.clone()).collect();
    let backup = settings.backup.is_some();
    let data = if args.data == Data::Keep { "keep" } else { "empty" };
    job.forget_credentials(&Forget { names, backup, data }, &watch).await?;
    job.open_again(&incident, &watch).await?;
    drop(watch);
    ui::note(&format!("{}: incident {} is closed; bringing the host up", job.name, ui::line(&incident.id)));
    let vault = settings.backup.iter().filter_map(|backup| backup.vault.clone());
    let both = HostArgs { hosts: host.hosts.iter().cloned().chain(vault).collect(), ..host.clone() };
    let up = Box::pin(up::run(&UpArgs { hosts: both })).await?;
    if up != ExitCode::SUCCESS {
        let name = &job.name;
        let data = match &args.data {
            Data::Snapshot(id) => format!(", then `petasos backup restore {name} --snapshot {id}`"),
            Data::Keep | Data::Empty => String::new(),
        };
        ui::warning(&format!(
            "the incident is closed, and `{name}` is not up yet: `petasos up {name}`{data}, then `petasos verify {name}`; do not close it again"
        ));
        return Ok(up);
    }
    if let Data::Snapshot(id) = &args.data {
        Box::pin(restore::run(&RestoreArgs::of_snapshot(host.clone(), id.clone()))).await?;
    }
    let verified = Box::pin(verify::run(&VerifyArgs { hosts: host, verbose: false, full: false, html: None })).await?;
    if backup {
        ui::note(&format!("`petasos backup key {}` keeps the second key to its new repository", job.name));
    }
    Ok(verified)
}

/// # Errors
/// When systemd would not start the agent again.
fn startable(host: &str, state: &IncidentState) -> Result<()> {
    if state.stuck.is_empty() {
        return Ok(());
    }
    let units = state.stuck.iter().map(|unit| ui::line(unit)).collect::<Vec<_>>().join(", ");
    let fault = Fault::new(format!(
        "`{host}` stays closed: its systemd holds {units} for frozen, though nothing of it runs, and would not start it"
    ));
    bail!(
        fault.hint(format!("restart the host (it stays closed over that), then `petasos incident close {host}` again"))
    )
}

/// # Errors
/// When no operator has the evidence.
fn fetched(host: &str, state: &IncidentState) -> Result<()> {
    if state.record.as_ref().is_some_and(|record| record.fetched.is_some()) {
        return Ok(());
    }
    let fault = Fault::new(format!("`{host}` stays closed: nobody has its evidence yet"));
    bail!(fault.hint(format!("`petasos incident evidence {host}` fetches it")))
}

/// The host's own key to its backups goes: there has to be another one.
///
/// # Errors
/// When none is here.
async fn second_key(args: &HostArgs, job: &Job, watch: &Watch) -> Result<()> {
    // Where nothing was backed up yet, there is nothing to lose.
    let Some(repository) = job.backup_repository(watch).await? else { return Ok(()) };
    let opens = Escrow::open(args, &job.name).is_ok_and(|key| key.repository == repository);
    if opens {
        return Ok(());
    }
    let fault =
        Fault::new(format!("`{0}` stays closed: no key of yours opens its backups, and its own one goes", job.name));
    bail!(fault.hint(format!("`petasos backup key {}` makes one", job.name)))
}

fn copied(state: &IncidentState) -> bool {
    let files = state.sealed.iter().flat_map(|sealed| &sealed.files);
    files.map(|file| file.name.as_str()).any(|name| name == "home.tar.gz")
}
