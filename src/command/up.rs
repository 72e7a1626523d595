//! `petasos up`.

use super::hosts::{HostArgs, provider_key};
use crate::config::Settings;
use crate::config::settings::EgressMode;
use crate::run::{Job, Outcome, RunError, Watch};
use crate::ui::{exit, progress, report};
use anyhow::Result;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
}

pub async fn run(args: &UpArgs) -> Result<ExitCode> {
    let jobs = args.hosts.jobs(false)?;
    let done = each(jobs, &args.hosts, |job, watch| async move { job.up(&watch).await }).await;
    Ok(ExitCode::from(finish(&args.hosts, done, true, false)))
}

/// The result of one host, with what it should be.
pub type Done = (String, Settings, Result<Outcome, RunError>);

/// Runs something for every host, several at once; one host's failure does not stop the others.
pub async fn each<F, R>(jobs: Vec<(Job, Settings)>, args: &HostArgs, run: F) -> Vec<Done>
where
    F: Fn(Arc<Job>, Watch) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Outcome, RunError>> + Send,
{
    let names: Vec<String> = jobs.iter().map(|(job, _)| job.name.clone()).collect();
    let watch = progress::watch(&names, args.json);
    let places = Arc::new(Semaphore::new(args.parallel.max(1)));
    let mut tasks = JoinSet::new();
    for (index, (job, settings)) in jobs.into_iter().enumerate() {
        let (run, watch, places) = (run.clone(), watch.clone(), places.clone());
        tasks.spawn(async move {
            // The semaphore is never closed; without a place the host would still be served.
            let _place = places.acquire().await;
            let name = job.name.clone();
            let result = run(Arc::new(job), watch).await;
            (index, (name, settings, result))
        });
    }
    let mut done: Vec<(usize, Done)> = tasks.join_all().await;
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Reports on every host; the exit code is the worst of theirs.
pub fn finish(args: &HostArgs, done: Vec<Done>, applied: bool, diff: bool) -> u8 {
    let mut worst = exit::DONE;
    let mut reports = Vec::new();
    for (name, settings, result) in done {
        match result {
            Ok(outcome) => {
                if !applied {
                    worst = worst.max(report::plan_code(&outcome.plan));
                }
                if args.json {
                    reports.push(serde_json::to_value(&outcome).unwrap_or_default());
                } else {
                    print!("{}", report::plan(&outcome, diff, applied));
                    if applied {
                        print!("{}", report::table(&state(&settings)));
                    }
                }
            }
            Err(error) => {
                // An error outranks drift; a host that was taken back outranks both.
                let code = super::code_of(&error);
                worst = if worst == exit::REVERTED || code == exit::REVERTED {
                    exit::REVERTED
                } else if worst == exit::ERROR {
                    worst
                } else {
                    code
                };
                if args.json {
                    reports.push(serde_json::json!({ "host": name, "error": error.to_string(), "exit": code }));
                }
                eprintln!("error: {error}");
            }
        }
    }
    if args.json {
        println!("{}", serde_json::Value::Array(reports));
    }
    worst
}

/// What is on, and what is still missing.
fn state(settings: &Settings) -> Vec<(String, String)> {
    let agent = &settings.agent;
    let row = |left: &str, right: String| (left.to_owned(), right);
    let mut rows = vec![
        row("administrator", format!("{}, by key; root login closed", settings.admin.user)),
        row("agent", format!("{} on {}", agent.model, agent.provider)),
        row(
            "inbound",
            format!("ssh, {}", settings.network.inbound.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ),
        row(
            "egress",
            match settings.network.egress.mode {
                EgressMode::Names if settings.network.egress.enforce => {
                    "HTTPS to the names that the agent needs, nothing else".into()
                }
                EgressMode::Names => {
                    "LEARNING: every name is let out and noted; then set `network.egress.enforce: true`".into()
                }
                EgressMode::Ports => "the agent reaches tcp/443 and DNS anywhere; `mode: names` says where".into(),
                EgressMode::Open => "OPEN: set `network.egress.mode: names`".into(),
            },
        ),
    ];
    if let Some(key) = provider_key(settings).filter(|key| std::env::var(key.as_str()).is_err()) {
        rows.push(row("to check", format!("`{key}` was not given by this run: the host keeps the one it has, if any")));
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
    rows.push(row("missing", "no backup: this version sets none up".into()));
    rows
}
