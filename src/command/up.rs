//! `petasos up`.

use super::backup::elsewhere::line_for;
use super::each::{Done, each, failure};
use super::hosts::{HostArgs, Read, Subject};
use crate::config::Settings;
use crate::config::lock::LockFile;
use crate::config::network::EgressMode;
use crate::config::packs::AgentNeeds;
use crate::config::settings::Role;
use crate::desired::{Choice, backup, login, packs, vars};
use crate::run::{Job, Outcome, Undone};
use crate::ui::{self, exit, report};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

pub async fn run(args: &UpArgs) -> Result<ExitCode> {
    let mut told = told(&args.hosts)?;
    let (mut next, mut all): (HostArgs, Vec<Done<About, Outcome>>) = (args.hosts.clone(), Vec::new());
    for _ in 0..ROUNDS {
        let jobs = next.jobs_with(Subject::Difference, reviewed)?;
        merge(&mut all, each(jobs, &next, |job, _, watch| async move { job.up(&watch).await }).await);
        let now = self::told(&args.hosts)?;
        // Who failed is not asked again.
        let well = all.iter().filter(|done| done.result.is_ok()).map(|done| &done.job.name);
        next.hosts = well.filter(|name| told.get(*name) != now.get(*name)).cloned().collect();
        if next.hosts.is_empty() {
            break;
        }
        ui::note(&format!("once more, with what the others say now: {}", next.hosts.join(", ")));
        told = now;
    }
    finish(&args.hosts, all, true, false)
}

/// A host shows its key, its vault lets it in, and it makes its first backup.
const ROUNDS: usize = 3;

/// What each host is told of others, as of now.
fn told(args: &HostArgs) -> Result<BTreeMap<String, Value>> {
    let (config, lock) = (args.files.read()?, LockFile::load(&args.files.lock)?);
    let of = |choice: Choice| Ok((choice.label.clone(), serde_json::to_value(backup::vars(&choice, &config, &lock)?)?));
    args.choose(&config, None)?.into_iter().map(of).collect()
}

/// A host's later run is another pass of its first.
fn merge(all: &mut Vec<Done<About, Outcome>>, later: Vec<Done<About, Outcome>>) {
    for done in later {
        let Some(first) = all.iter_mut().find(|first| first.job.name == done.job.name) else {
            all.push(done);
            continue;
        };
        match (&mut first.result, done.result) {
            (Ok(outcome), Ok(more)) => {
                outcome.second_pass.extend(more.plan.steps.into_iter().chain(more.second_pass));
                outcome.round_trips += more.round_trips;
                outcome.seconds += more.seconds;
            }
            (result, later) => *result = later,
        }
    }
}

/// What the report shows of a host's agent.
pub struct About {
    settings: Settings,
    /// None of a host without an agent.
    needs: Option<AgentNeeds>,
}

/// The same, of a host whose release somebody has looked at.
///
/// # Errors
/// As for [`about`], and when nobody has.
pub fn reviewed(choice: &Choice, read: &Read<'_>) -> Result<About> {
    if choice.settings.role == Role::Agent {
        vars::reviewed_release(choice, read.lock)?;
    }
    about(choice, read)
}

/// # Errors
/// When the table of providers is not sound.
pub fn about(choice: &Choice, read: &Read<'_>) -> Result<About> {
    let settings = choice.settings.clone();
    let needs = match settings.role {
        Role::Agent => Some(packs::needs(&settings, read.sources)?),
        Role::Vault => None,
    };
    Ok(About { needs, settings })
}

/// Reports on every host; the exit code is the worst of theirs.
///
/// # Errors
/// When the report cannot be written.
pub fn finish(args: &HostArgs, done: Vec<Done<About, Outcome>>, applied: bool, diff: bool) -> Result<ExitCode> {
    let (mut codes, mut reports) = (Vec::new(), Vec::new());
    for Done { job, about, result } in done {
        match result {
            Ok(outcome) => {
                codes.push(if applied { exit::DONE } else { report::plan_code(&outcome.plan) });
                if args.json {
                    reports.push(serde_json::to_value(&outcome)?);
                    continue;
                }
                ui::out(&report::plan(&outcome, diff, applied))?;
                if applied && outcome.made(FIRST_BACKUP) {
                    let name = &job.name;
                    ui::note(&format!(
                        "`petasos backup key {name}` keeps a second key to its backups: without it they are lost with the host"
                    ));
                }
                if applied {
                    let rows = outcome.undone.as_ref().map_or_else(|| state(&job, &about, &outcome.also_root), undone);
                    ui::out(&report::table(&rows))?;
                }
            }
            Err(error) => {
                codes.push(exit::of_run(&error));
                ui::error(&error.fault());
                if applied && error.fault().message.contains(FIRST_BACKUP) {
                    let_in(args, &job.name)?;
                }
                let mut failure = failure(&error);
                failure.insert("host".into(), job.name.clone().into());
                reports.push(Value::Object(failure));
            }
        }
    }
    if args.json {
        ui::json_line(&reports)?;
    }
    Ok(ExitCode::from(exit::worst(codes)))
}

const FIRST_BACKUP: &str = "first_run petasos-backup.service";

/// The line that people add where Petasos has no login: from its own files, not as the host says.
fn let_in(args: &HostArgs, host: &str) -> Result<()> {
    if let Some((at, line)) = line_for(args, host)? {
        ui::note(&format!(
            "{host}: if it is not let in yet, add this line to .ssh/authorized_keys of {at}, and run `petasos up {host}` again; its earlier line goes:\n{line}"
        ));
    }
    Ok(())
}

/// What is so after an undo, as the host says.
fn undone(now: &Undone) -> Vec<(String, String)> {
    let row = |left: &str, right: String| (left.to_owned(), right);
    let root = match now.root_login.as_deref() {
        Some("no") => "closed".to_owned(),
        Some("yes") => "open".to_owned(),
        Some("without-password" | "prohibit-password") => "open, by key".to_owned(),
        Some(other) => other.to_owned(),
        None => "unknown".to_owned(),
    };
    let next = |changes| format!("`petasos up` would make {}", report::count(changes, "change"));
    vec![
        row("root login", root),
        row("as before", "files, units and firewall rules that the run changed".into()),
        row("stays", "packages, users and data that it added".into()),
        row("next", now.changes.map_or_else(|| "see `petasos plan`".to_owned(), next)),
    ]
}

/// What is on, and what is still missing.
fn state(job: &Job, about: &About, also_root: &[String]) -> Vec<(String, String)> {
    let About { settings, needs } = about;
    let agent = &settings.agent;
    let row = |left: &str, right: String| (left.to_owned(), right);
    let inbound = settings.network.inbound.iter().map(ToString::to_string);
    let inbound = ["ssh".to_owned()].into_iter().chain(inbound).collect::<Vec<_>>().join(", ");
    let mut rows = vec![row("administrator", format!("{}, by key; root login closed", settings.admin.user))];
    if !also_root.is_empty() {
        rows.push(row("also root", format!("{}, by sudo without a password", also_root.join(", "))));
    }
    let Some(needs) = needs else {
        rows.extend([row("vault", "it keeps the backups of other hosts".into()), row("inbound", inbound)]);
        return rows;
    };
    rows.extend([
        row("agent", format!("{} on {}", agent.model, agent.provider)),
        row("inbound", inbound),
        row(
            "egress",
            match settings.network.egress.mode {
                EgressMode::Names if settings.network.egress.enforce => {
                    "HTTPS to the names that the agent needs, nothing else".into()
                }
                EgressMode::Names => {
                    "LEARNING: every name is allowed and logged; set `network.egress.enforce: true` afterwards".into()
                }
                EgressMode::Ports => {
                    "the agent reaches tcp/443 and DNS anywhere; `mode: names` restricts it to names".into()
                }
                EgressMode::Open => "OPEN: set `network.egress.mode: names`".into(),
            },
        ),
    ]);
    let keys = packs::provider_keys(settings, needs);
    if !keys.is_empty() && packs::given_key(keys, |key| job.desired.has_secret(key)).is_none() {
        let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ");
        rows.push(row(
            "check",
            format!("{keys} is neither set in this environment nor stored: the host keeps the one it has, if any"),
        ));
    }
    if needs.login {
        let by_name = settings.network.egress.mode == EgressMode::Names;
        let command = login::command(&agent.provider, by_name);
        rows.push(row(
            "check",
            format!("`{}` uses a login, not a key: log the agent in on the host once: {command}", agent.provider),
        ));
    }
    for (name, platform) in &agent.platforms {
        if platform.allowed_users.is_empty() {
            rows.push(row(
                "missing",
                format!("nobody may talk to the agent on {name:?}: `agent.platforms` has no `allowed_users`")
                    .to_lowercase(),
            ));
        }
    }
    if agent.platforms.is_empty() {
        rows.push(row("missing", "no messaging platform: the agent answers on its own API only".into()));
    }
    rows.push(match &settings.backup {
        Some(backup) => row("backup", format!("every night at {}, to `{}`", backup.at, backup.shown())),
        None => row("missing", "no backup: name a vault (`backup` in petasos.yaml)".into()),
    });
    rows
}
