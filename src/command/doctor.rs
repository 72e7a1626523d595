//! `petasos doctor`: what will be in the way, here and on the hosts. It changes nothing, neither
//! there nor here: not even a host's key is recorded.

mod here;

use super::each::each_watched;
use super::hosts::{HostArgs, Reached, Read, desired, once, placed};
use super::{explain, pin, reach};
use crate::config::Config;
use crate::config::lock::LockFile;
use crate::config::settings::Role;
use crate::desired::{Choice, packs, vars};
use crate::fault::Fault;
use crate::playbook::{DesiredState, Sources};
use crate::run::doctor::{Finding, Level};
use crate::run::{Event, Watch};
use crate::transport::Login;
use crate::ui::{self, doctor_text, exit, progress};
use anyhow::{Error, Result};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

/// Look at this machine and at hosts, and say what will be in the way; changes nothing
///
/// Exit codes: 0 nothing is in the way, 1 error, 2 something is.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// # Errors
/// When a host that is named is unknown; all else is a finding.
pub async fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let args = &args.hosts;
    let (mut here, mut places) = (Vec::new(), Vec::new());
    let read = files(args, &mut here);
    let pinned = read.as_ref().is_some_and(|(_, lock, _)| lock.release.is_some());
    here.splice(0..0, here::of_machine(pinned).await);
    if let Some((config, lock, sources)) = &read {
        let secrets = args.secrets();
        let read = Read { config, lock, sources, secrets: Some(&secrets) };
        let choices =
            if args.hosts.is_empty() && config.names().is_empty() { Vec::new() } else { args.choose(config, None)? };
        args.one_key(&choices)?;
        let mut jobs = Vec::new();
        let mut reached = Reached::new();
        for choice in choices {
            let label = choice.label.clone();
            let mut findings = Vec::new();
            let desired = of_files(&read, &choice, &mut findings)?;
            match login(args, &read, &choice, &mut reached) {
                Ok(login) => {
                    // Most hosts are reached alike.
                    let new = here::of_login(&choice, &login).into_iter().filter(|finding| !here.contains(finding));
                    here.extend(new.collect::<Vec<_>>());
                    jobs.push((args.job(&read, choice, login, desired, false)?, places.len()));
                }
                Err(error) => findings.push(wrong("ssh", &error)),
            }
            places.push((label, findings));
        }
        if places.is_empty() {
            here.extend(here::of_nobody(reach::ssh_options(args.ssh_config.clone(), args.identity.clone())));
        }
        let names: Vec<String> = jobs.iter().map(|(job, _)| job.name.clone()).collect();
        let watch = forgetting(progress::watch(&names, args.json));
        let done = each_watched(jobs, args, watch, |job, _, watch| async move { Ok(job.diagnose(&watch).await) }).await;
        for done in done {
            if let (Some((_, findings)), Ok(found)) = (places.get_mut(*done.about), done.result) {
                findings.extend(found);
            }
        }
    }
    if read.is_none() {
        here.push(Finding::note("hosts", Fault::new("none was looked at").hint("mend the files above first")));
    }
    places.insert(0, ("here".to_owned(), here));
    let stops = places.iter().flat_map(|(_, findings)| findings).any(|finding| finding.level == Level::InTheWay);
    match args.json {
        true => ui::json(&BTreeMap::from_iter(places))?,
        false => ui::out(&doctor_text::text(&places))?,
    }
    Ok(ExitCode::from(if stops { exit::DRIFT } else { exit::DONE }))
}

fn wrong(about: &'static str, error: &Error) -> Finding {
    Finding::in_the_way(about, explain::fault(error))
}

/// The user's files; none where one of them is not sound, so that nobody knows what is wanted.
fn files(args: &HostArgs, here: &mut Vec<Finding>) -> Option<(Config, LockFile, Sources)> {
    let mut found = |about, read: Result<String>| {
        here.push(match &read {
            Ok(message) => Finding::ok(about, message),
            Err(error) => wrong(about, error),
        });
    };
    let (config, sources) = (args.files.read(), args.files.sources());
    let there = args.files.config.exists();
    let name = args.files.config.display();
    let sound = if there { format!("`{name}` is sound") } else { format!("there is no `{name}`: the defaults count") };
    let config = config.map_err(|error| found("petasos.yaml", Err(error))).ok();
    if config.is_some() {
        found("petasos.yaml", Ok(sound));
    }
    let sources = sources.map_err(|error| found("playbooks", Err(error))).ok();
    let lock = match LockFile::load(&args.files.lock) {
        Ok(lock) if lock.releases.is_empty() => {
            found("petasos.lock", Err(Fault::new("no release is pinned").hint("`petasos pin VERSION`").into()));
            Some(lock)
        }
        Ok(lock) => {
            let releases: Vec<String> = lock.releases.keys().map(ToString::to_string).collect();
            found("petasos.lock", Ok(format!("release {} is pinned", releases.join(", "))));
            Some(lock)
        }
        Err(error) => {
            let missing = pin::read(&args.files.lock);
            found("petasos.lock", Err(error.into()));
            // Without a lock file a host can be looked at all the same.
            missing.ok()
        }
    };
    Some((config?, lock?, sources?))
}

/// What the files say of one host: what it should be. Where nobody knows that, it is looked at for
/// what it is.
fn of_files(read: &Read<'_>, choice: &Choice, findings: &mut Vec<Finding>) -> Result<DesiredState> {
    let name = choice.name.as_deref();
    if choice.settings.role == Role::Vault {
        return desired(read, choice).or_else(|error| {
            findings.push(wrong("files", &placed(read.config, name, error)));
            Ok(DesiredState::nothing()?)
        });
    }
    let mut secrets = read.secrets;
    match read.stored(choice) {
        Ok(stored) => findings.extend(here::secrets(choice, read.sources, &stored)),
        // A provider that nobody knows is a finding of its own.
        Err(_) if packs::needs(&choice.settings, read.sources).is_err() => {}
        Err(error) => {
            findings.push(wrong("secrets", &error));
            secrets = None;
        }
    }
    let read = &Read { secrets, ..*read };
    match read.lock.release_of(name.unwrap_or_default()) {
        Ok((version, _)) => {
            let reviewed = vars::reviewed_release(choice, read.lock);
            let pinned = || Finding::ok("release", format!("{version} is pinned"));
            findings.push(reviewed.map_or_else(|error| wrong("release", &error), |()| pinned()));
        }
        // That there is none at all is a finding already.
        Err(_) if read.lock.releases.is_empty() => return Ok(DesiredState::nothing()?),
        Err(error) => findings.push(Finding::in_the_way("release", error.fault())),
    }
    desired(read, choice).or_else(|error| {
        if read.lock.release_of(name.unwrap_or_default()).is_ok() {
            findings.push(wrong("files", &placed(read.config, name, error)));
        }
        Ok(DesiredState::nothing()?)
    })
}

/// How a host is reached; what it shows stays out of known_hosts.
fn login(args: &HostArgs, read: &Read<'_>, choice: &Choice, reached: &mut Reached) -> Result<Login> {
    let mut login = args.login(read, choice)?;
    once(reached, &choice.label, &login).map_err(|error| placed(read.config, None, error))?;
    login.options.keeps_nothing = true;
    Ok(login)
}

/// Passes on what is news, but neither what `recording` would keep nor what the report says.
fn forgetting(watch: Watch) -> Watch {
    Arc::new(move |host, event| match event {
        Event::HostKey(_) | Event::Reached(_) | Event::Planned { .. } => {}
        event => watch(host, event),
    })
}
