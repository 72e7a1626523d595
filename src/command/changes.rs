//! `petasos changes`: what the agent made of itself.

use super::each::{Done, each, report};
use super::egress::moment;
use super::hosts::{HostArgs, Subject};
use crate::config::Settings;
use crate::run::Job;
use crate::run::changes::{Changes, FileChange};
use crate::ui::report::count;
use crate::ui::{self, exit};
use anyhow::Result;
use std::process::ExitCode;

/// Show what has changed of the agent's prompt, memories, skills and timed jobs
///
/// The agent may write these, and they shape what it does: somebody who talks to it may have talked
/// it into something. The first look at a host takes what it finds as accepted. Exit code 2:
/// something has changed.
#[derive(Debug, clap::Args)]
pub struct ChangesArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Take what is there now as accepted: later runs show what differs from it
    #[arg(long)]
    pub accept: bool,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &ChangesArgs) -> Result<ExitCode> {
    let jobs = args.hosts.agents(Subject::Host)?;
    let accept = args.accept;
    let done = each(jobs, &args.hosts, move |job, _, watch| async move { job.changes(accept, &watch).await }).await;
    let of = |one: &Done<Settings, Changes>| match &one.result {
        Ok(found) if accept || found.changes.is_empty() => exit::DONE,
        Ok(_) => exit::DRIFT,
        Err(error) => exit::of_run(error),
    };
    let code = exit::worst(done.iter().map(of));
    let text = |job: &Job, _: &Settings, found: &Changes| text(&job.name, found, accept);
    report(done, args.hosts.json, |_, found| serde_json::to_value(found), text)?;
    Ok(ExitCode::from(code))
}

fn text(host: &str, found: &Changes, accepted: bool) -> String {
    let since = found.since.map_or("a first look".to_owned(), |since| format!("since {}", moment(since)));
    let changes = count(found.changes.len(), "change");
    let mut text =
        format!("{host}: {changes} of {}, {since}\n", count(usize::try_from(found.files).unwrap_or(0), "file"));
    for file in &found.changes {
        let (change, time) = (word(file.change), moment(u64::try_from(file.time).unwrap_or_default()));
        text += &format!("  {change:8} {:>9} bytes  {time}  {}\n", file.size, ui::line(&file.path));
    }
    if found.more > 0 {
        text += &format!("  and {} more\n", found.more);
    }
    if found.full {
        text += "  there are more files than are looked at\n";
    }
    for folder in &found.set_aside {
        text += &format!("  put aside: /home/hermes/.hermes/{}\n", ui::line(folder));
    }
    if accepted {
        text += "  accepted: later runs show what differs from this\n";
    } else if !found.changes.is_empty() {
        text += "  `petasos changes --accept` takes these as they are\n";
    }
    text
}

fn word(change: FileChange) -> &'static str {
    match change {
        FileChange::New => "new",
        FileChange::Changed => "changed",
        FileChange::Gone => "gone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::changes::ChangedFile;

    #[test]
    fn a_name_adds_no_line() {
        let name = "memories/a\nhost: 0 changes".to_owned();
        let file = ChangedFile { path: name.clone(), change: FileChange::New, size: 1, time: 0 };
        let (changes, set_aside) = (vec![file], vec![".set-aside-\nx".to_owned()]);
        let found = Changes { since: None, files: 1, full: false, changes, more: 0, set_aside };
        let text = text("host", &found, false);
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
