//! `petasos incident rotate`.

use super::{hex, opened, subject};
use crate::act::Text;
use crate::command::backup::elsewhere::line_for;
use crate::command::hosts::{HostArgs, random, variable};
use crate::config::Settings;
use crate::desired::{packs, rotation};
use crate::fault::Fault;
use crate::incident::{Credential, Rotated, State, credentials};
use crate::name::EnvName;
use crate::run::incident::{Incident, IncidentRecord, IncidentState};
use crate::run::{Job, Watch, now};
use crate::ui::{self, exit};
use anyhow::{Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// List the host's credentials, and what became of each; exit code 2 while one is left
///
/// A new value comes from the environment or from `petasos secret set`; one that is the host's own
/// still is not accepted.
#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// Say that one was made anew where nobody can look, such as a login
    #[arg(long, value_name = "NAME")]
    done: Vec<String>,
    /// Let one stay as it is, and say why
    #[arg(long, value_name = "NAME=WHY", value_parser = waiver)]
    waive: Vec<(String, String)>,
}

fn waiver(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, why)) if !name.is_empty() && !why.trim().is_empty() => Ok((name.to_owned(), why.trim().to_owned())),
        _ => Err("a name and a reason are expected, such as `ssh-host-keys=\"nobody was root\"`".to_owned()),
    }
}

/// # Errors
/// When no incident is open, or a credential that is named is none of this host.
pub async fn run(args: &RotateArgs) -> Result<ExitCode> {
    let (job, settings) = subject(&args.hosts, "rotate")?;
    let watch = args.hosts.watch(std::slice::from_ref(&job.name), args.hosts.json);
    let state = job.incident(&watch).await?;
    let incident = opened(&job, &state)?;
    let at = Rotation { args: &args.hosts, job: &job, settings: &settings, watch: &watch };
    let before = at.credentials(&state).await?;
    let said = said(args, &job, &before)?;
    let after = if said.is_empty() {
        before
    } else {
        let record = job.update_incident(&IncidentRecord { fetched: None, rotated: said }, &watch).await?;
        at.credentials(&IncidentState { record: Some(record), ..state }).await?
    };
    drop(watch);
    let left = after.iter().filter(|one| !one.state.settled()).count();
    if args.hosts.json {
        ui::json(&after)?;
    } else {
        ui::out(&text(&job, &incident, &after, left))?;
    }
    Ok(ExitCode::from(if left == 0 { exit::DONE } else { exit::DRIFT }))
}

/// What the operator says now.
fn said(args: &RotateArgs, job: &Job, known: &[Credential]) -> Result<BTreeMap<String, Rotated>> {
    let by = || Rotated { waived: None, by: job.run_id.owner.clone(), time: now() };
    let done = args.done.iter().map(|name| (name, by()));
    let waived = args.waive.iter().map(|(name, why)| (name, Rotated { waived: Some(why.clone()), ..by() }));
    let mut said = BTreeMap::new();
    for (name, rotated) in done.chain(waived) {
        let Some(one) = known.iter().find(|one| one.name == *name) else {
            let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
            bail!(
                Fault::new(format!("`{}` has no credential `{name}`", job.name))
                    .hint(format!("it has {}", names.join(", ")))
            );
        };
        if rotated.waived.is_none() && matches!(one.state, State::Old | State::NoValue) {
            let fault = Fault::new(format!("`--done {name}` is not accepted, for its value is compared: {}", one.what));
            bail!(fault.hint(format!("`petasos secret set {name}`, or `--waive {name}=WHY`")));
        }
        said.insert(name.clone(), rotated);
    }
    Ok(said)
}

/// A host's credentials, and what the operator has for them.
pub struct Rotation<'a> {
    pub args: &'a HostArgs,
    pub job: &'a Job,
    pub settings: &'a Settings,
    pub watch: &'a Watch,
}

impl Rotation<'_> {
    /// # Errors
    /// When the host cannot be asked, or the file of secrets cannot be opened.
    pub async fn credentials(&self, state: &IncidentState) -> Result<Vec<Credential>> {
        // The new values do not go to a host that somebody may be root on.
        let salt = random()?;
        let given = self.given()?;
        let digest = |name: &str| Some(hex(&Sha256::digest(format!("{salt}{}", given.get(name)?.reveal()))));
        let mut answers = self.job.credentials(&salt, self.watch).await?;
        // Its own list is the agent's to write.
        let needs = packs::needs(self.settings, &self.args.files.sources()?)?;
        let own = self.settings.agent.provider.clone();
        if needs.login && !answers.logins.contains(&own) {
            answers.logins.push(own);
        }
        let said = state.record.as_ref().map(|record| record.rotated.clone()).unwrap_or_default();
        let pages = rotation::pages(&self.args.files.sources()?)?;
        let door = line_for(self.args, &self.job.name)?.map(|(at, line)| {
            let key = line.rsplit_once(" ssh-").map_or(line.as_str(), |(_, key)| key);
            format!("remove the line with `ssh-{key}` from .ssh/authorized_keys of {at}: whoever was root has that key")
        });
        Ok(credentials(&answers, &said, door.as_deref(), digest, |name| pages.get(name).cloned()))
    }

    /// The operator's values of all that the host may have.
    fn given(&self) -> Result<BTreeMap<String, Text>> {
        let needs = packs::needs(self.settings, &self.args.files.sources()?)?;
        let kept = self.args.secrets();
        let kept = kept.values()?;
        let value = |name: &&EnvName| {
            let set = variable(name.as_str()).filter(|value| !value.is_empty()).map(Text::secret);
            let value = set.or_else(|| kept?.get(Some(&self.job.name), name).cloned())?;
            Some((name.to_string(), value))
        };
        Ok(rotation::names(self.settings, &needs).iter().filter_map(value).collect())
    }
}

fn text(job: &Job, incident: &Incident, all: &[Credential], left: usize) -> String {
    let mut text = format!("{}: incident {}: credentials\n", job.name, ui::line(&incident.id));
    for one in all {
        let state = match &one.state {
            State::New => "new value is here".to_owned(),
            State::ByClose => "made anew by `close`".to_owned(),
            State::Done(by) => format!("done, says {by}"),
            State::Waived(why) => format!("stays: {why}"),
            State::Old | State::NoValue | State::ToDo => one.what.clone(),
        };
        let mark = if one.state.settled() { "ok   " } else { "TO DO" };
        text += &format!("  {mark}  {:24} {}\n", ui::line(&one.name), ui::line(&state));
        if let (false, Some(page)) = (one.state.settled(), &one.page) {
            text += &format!("         {:24} {page}\n", "");
        }
    }
    text += &match left {
        0 => format!("next: `petasos incident close {}`\n", job.name),
        left => format!(
            "{left} left: `petasos secret set NAME` for a new value, `--done NAME` for what nobody can look at, `--waive NAME=WHY`\n"
        ),
    };
    text
}
