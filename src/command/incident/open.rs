//! `petasos incident open`.

use super::evidence::{self, Kept};
use super::subject;
use crate::calendar::calendar;
use crate::command::hosts::HostArgs;
use crate::config::Settings;
use crate::run::incident::{Incident, Sealed};
use crate::run::{Job, Watch, now};
use crate::ui;
use crate::ui::report::size;
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

/// Let nothing leave the host, stop the agent, seal the evidence and fetch it
///
/// What is closed off stays so over a restart of the host. `petasos up` and `undo` change nothing
/// until the incident is closed. If nobody can log in afterwards, the host itself opens again.
#[derive(Debug, clap::Args)]
pub struct OpenArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// What happened, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    /// Do all of it, take the time, and open the host again: the agent is paused for that long, and
    /// no evidence is kept
    #[arg(long)]
    drill: bool,
}

/// # Errors
/// When the host cannot be closed off, or its evidence does not arrive.
pub async fn run(args: &OpenArgs) -> Result<ExitCode> {
    let (job, settings) = subject(&args.hosts, "open")?;
    let watch = args.hosts.watch(std::slice::from_ref(&job.name), args.hosts.json);
    let new = Incident {
        id: moment(now()),
        opened: now(),
        by: job.run_id.owner.clone(),
        why: args.why.clone(),
        drill: args.drill,
    };
    let began = Instant::now();
    let (incident, was_open) = job.close_off(new, &watch).await?;
    let closed = began.elapsed().as_secs_f64();
    let at = Whole { args: &args.hosts, job: &job, settings: &settings, incident: &incident, watch: &watch };
    let done = at.sealed().await;
    if incident.drill {
        // Whatever came of it, a drill ends. The agent goes on first: the host is closed still.
        let (seconds, files) = match &done {
            Ok((sealed, _)) => (began.elapsed().as_secs_f64(), sealed.files.len()),
            Err(_) => (0.0, 0),
        };
        job.end_drill(&incident.id, seconds, files, &watch).await?;
        job.open_again(&incident, &watch).await?;
    }
    let (sealed, kept) = done?;
    drop(watch);
    let shown = Shown { job: &job, incident: &incident, was_open, closed, sealed: &sealed, kept: &kept };
    if args.hosts.json {
        ui::json(&shown.value())?;
    } else {
        ui::out(&shown.text(began.elapsed().as_secs_f64()))?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Whole<'a> {
    args: &'a HostArgs,
    job: &'a Job,
    settings: &'a Settings,
    incident: &'a Incident,
    watch: &'a Watch,
}

impl Whole<'_> {
    async fn sealed(&self) -> Result<(Sealed, Kept)> {
        let sealed = self.job.seal(self.incident, self.watch).await?;
        let place = evidence::Place { args: self.args, job: self.job, settings: self.settings, watch: self.watch };
        let kept = place.keep(self.incident, &sealed).await?;
        Ok((sealed, kept))
    }
}

struct Shown<'a> {
    job: &'a Job,
    incident: &'a Incident,
    was_open: bool,
    /// After how many seconds the host was closed off.
    closed: f64,
    sealed: &'a Sealed,
    kept: &'a Kept,
}

impl Shown<'_> {
    fn value(&self) -> serde_json::Value {
        let Self { incident, closed, sealed, kept, .. } = self;
        serde_json::json!({ "host": self.job.name, "incident": incident, "closed_off_after": closed, "sealed": sealed, "evidence": kept })
    }

    fn text(&self, seconds: f64) -> String {
        let Self { job, incident, was_open, closed, sealed, kept } = self;
        let (host, id) = (&job.name, ui::line(&incident.id));
        let mut text = match (incident.drill, was_open) {
            (true, _) => format!("{host}: a drill of an incident: all of it took {seconds:.1} s\n"),
            (false, true) => format!("{host}: incident {id} is open already, {}\n", calendar(incident.opened)),
            (false, false) => format!("{host}: incident {id} is open: nothing leaves the host\n"),
        };
        text += &format!("  {closed:5.1} s  closed off, and a fresh login works\n");
        for (what, after) in &sealed.laps {
            text += &format!("  {:5.1} s  {}\n", closed + after, ui::line(what));
        }
        for note in &sealed.notes {
            text += &format!("  NOT WHOLE: {}\n", ui::line(note));
        }
        let bytes = sealed.files.iter().map(|file| file.bytes).sum();
        text += &match incident.drill {
            true => format!("  evidence of {} came whole, and is gone again; the agent goes on\n", size(bytes)),
            false => format!("  evidence of {}: {}\n", size(bytes), kept.text()),
        };
        if !incident.drill {
            text += &format!(
                "next: `petasos incident rotate {host}` lists the credentials; the evidence contains secrets: keep the folder to yourself\n"
            );
        }
        text
    }
}

/// `20261126-101500`.
fn moment(seconds: u64) -> String {
    let minute: String = calendar(seconds).chars().filter(char::is_ascii_digit).collect();
    let (day, time) = minute.split_at_checked(8).unwrap_or((&minute, ""));
    format!("{day}-{time}{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn an_incident_is_named_by_its_moment() {
        assert_eq!(moment(1_795_357_151), "20261122-141911");
    }
}
