//! `petasos audit`, and `petasos audit verify`.

use super::each::{Done, each, failure, report};
use super::hosts::{HostArgs, Subject};
use super::since::{checked, seconds};
use crate::audit::chain::{Judgement, Walk, judge};
use crate::audit::record::EVENTS;
use crate::config::tools;
use crate::fault::Fault;
use crate::run::audit::AuditQuery;
use crate::run::{Job, RunError, Watch};
use crate::ui::{self, audit_text, exit};
use anyhow::{Result, bail};
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::sync::Arc;

/// Show what the agent did, was asked and was refused, from its audit log
///
/// The words in it were chosen by whoever talked to the agent.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub verb: Option<AuditVerb>,
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Go on with each new line, until Ctrl-C; of one host
    #[arg(short, long)]
    pub follow: bool,
    /// Only what this user of any platform caused
    #[arg(long)]
    pub user: Option<String>,
    /// Only calls of this tool
    #[arg(long)]
    pub tool: Option<String>,
    /// Only this event, such as `command_denied`; may be given several times
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(EVENTS), hide_possible_values = true)]
    pub event: Vec<String>,
    /// How far to look back: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = checked)]
    pub since: String,
}

#[derive(Debug, clap::Subcommand)]
pub enum AuditVerb {
    /// Check that no line of the log was changed, moved or taken away
    ///
    /// Walks the chain; of a host's log also compares it with what the journal has on record.
    /// Exit codes: 0 intact, 1 error, 2 a line is wrong, 3 nothing says that it is all.
    Verify(Box<AuditVerifyArgs>),
}

#[derive(Debug, clap::Args)]
pub struct AuditVerifyArgs {
    /// Hosts as for other verbs, or files of one log, the oldest first: words with `/`, or that end
    /// with `.jsonl`
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// The most lines that one report has.
const MOST: usize = 2000;

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &AuditArgs) -> Result<ExitCode> {
    if let Some(AuditVerb::Verify(args)) = &args.verb {
        return verify(args).await;
    }
    if args.hosts.hosts.iter().any(|word| word == "verify") {
        let fault = Fault::new("`verify` must come right after `audit`, and all options after `verify`");
        ui::error(&fault.hint("`petasos audit verify HOST`, with options such as `--ssh-config FILE` at its end"));
        return Ok(ExitCode::from(exit::USAGE));
    }
    if let Some(tool) = args.tool.as_deref().filter(|tool| !tools::is_known(tool)) {
        let near = tools::nearest(tool).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        ui::warning(&format!("no reviewed release has a tool `{tool}`{near}"));
    }
    let query = AuditQuery {
        since: Some(seconds(&args.since)?),
        events: args.event.clone(),
        user: args.user.clone(),
        tool: args.tool.clone(),
        most: MOST,
        ..AuditQuery::default()
    };
    let jobs = args.hosts.agents(Subject::Host)?;
    if args.follow || args.hosts.json {
        let option = if args.follow { "--follow" } else { "--json" };
        let [(job, _)] = jobs.as_slice() else {
            let fault = Fault::new(format!("`{option}` shows the log of one host"));
            bail!(fault.hint(format!("name one: petasos audit HOST {option}")));
        };
        let watch = args.hosts.watch(std::slice::from_ref(&job.name), true);
        if args.follow {
            return follow(job, &args.hosts, &query, &watch).await;
        }
        let found = job.audit(&query, &watch).await?;
        if found.more > 0 {
            ui::warning(&format!("{} older lines are not shown: shorten `--since`, or copy the log", found.more));
        }
        ui::raw(&found.lines.iter().map(audit_text::original).collect::<String>())?;
        return Ok(ExitCode::from(exit::DONE));
    }
    let ask = move |job: Arc<Job>, _, watch: Watch| {
        let query = query.clone();
        async move { job.audit(&query, &watch).await }
    };
    let done = each(jobs, &args.hosts, ask).await;
    report(done, false, |_, _| Ok(Value::Null), |job, _, found| audit_text::lines(&job.name, &args.since, found))
}

async fn follow(job: &Job, args: &HostArgs, query: &AuditQuery, watch: &Watch) -> Result<ExitCode> {
    let unwritten = |error: std::io::Error| RunError::Host { host: job.name.clone(), fault: error.to_string().into() };
    let following = job.audit_follow(query, watch, |found| {
        for record in &found.lines {
            let shown =
                if args.json { ui::raw(&audit_text::original(record)) } else { ui::out(&audit_text::line_of(record)) };
            shown.map_err(unwritten)?;
        }
        Ok(())
    });
    tokio::select! {
        done = following => done?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::from(exit::DONE))
}

async fn verify(args: &AuditVerifyArgs) -> Result<ExitCode> {
    let is_file = |word: &String| word.contains('/') || word.ends_with(".jsonl");
    let (mut reports, mut codes) = (Map::new(), Vec::new());
    let mut note = |name: &str, judgement: &Judgement| -> Result<()> {
        codes.push(audit_text::code(judgement.state));
        if args.hosts.json {
            reports.insert(name.to_owned(), serde_json::to_value(judgement)?);
            return Ok(());
        }
        Ok(ui::out(&audit_text::judgement(name, judgement))?)
    };
    if !args.hosts.hosts.is_empty() && args.hosts.hosts.iter().all(is_file) {
        let mut walk = Walk::default();
        for name in &args.hosts.hosts {
            let content = std::fs::read(name).map_err(|why| {
                Fault::new(format!("cannot read `{name}`: {why}")).hint("give the path of a copy of the log")
            })?;
            walk.file(name, &content);
        }
        note(&args.hosts.hosts.join(" "), &judge(&walk, None))?;
    } else {
        let jobs = args.hosts.agents(Subject::Host)?;
        let done = each(jobs, &args.hosts, |job, _, watch| async move { job.audit_chain(&watch).await }).await;
        let mut failed = Vec::new();
        for Done { job, result, .. } in done {
            match result {
                Ok(chain) => note(&job.name, &judge(&chain.walk, Some(&chain.journal)))?,
                Err(error) => {
                    ui::error(&error.fault());
                    failed.push((job.name.clone(), error));
                }
            }
        }
        codes.extend(failed.iter().map(|(_, error)| exit::of_run(error)));
        reports.extend(failed.iter().map(|(name, error)| (name.clone(), Value::Object(failure(error)))));
    }
    if args.hosts.json {
        ui::json(&reports)?;
    }
    Ok(ExitCode::from(exit::worst(codes)))
}
