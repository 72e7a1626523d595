//! `petasos backup alarm`.

use crate::command::each::{Done, each, report};
use crate::command::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::run::Job;
use crate::run::backup::AlarmTest;
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

/// # Errors
/// When a file is not sound; an alarm that fails is part of the report.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let jobs = args.jobs(Subject::Host)?;
    let done = each(jobs, args, |job, _, watch| async move { job.test_alarm(&watch).await }).await;
    let of = |one: &Done<Settings, AlarmTest>| match &one.result {
        Ok(test) if test.told => exit::DONE,
        Ok(_) => exit::ERROR,
        Err(error) => exit::of_run(error),
    };
    let code = exit::worst(done.iter().map(of));
    report(done, args.json, |_, test| serde_json::to_value(test), |job: &Job, _, test| text(&job.name, test))?;
    Ok(ExitCode::from(code))
}

fn text(host: &str, test: &AlarmTest) -> String {
    let lines: String = test.said.iter().map(|line| format!("  {}\n", ui::line(line))).collect();
    let head = if test.told { "the alarm works" } else { "the alarm does not work" };
    format!("{host}: {head}\n{lines}")
}
