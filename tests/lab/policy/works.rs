//! With all of it in force, the agent does what it is for.

use super::super::harness::Shared;
use super::super::telegram::bot::{polling_as, until};
use super::yolo::told;
use super::{Kind, bot_of, ours};
use anyhow::{Result, ensure};

/// A job as the agent keeps it, due at once, without a script.
const JOB: &str = r#"cd / && HERMES_HOME=/home/hermes/.hermes exec /opt/hermes/current/venv/bin/python -P -B -c '
from cron.jobs import create_job, load_jobs, save_jobs
create_job(prompt="how are you", schedule="every 1m", deliver="local")
jobs = load_jobs()
for job in jobs:
    job["next_run_at"] = job["created_at"]
save_jobs(jobs)
'"#;

/// What it says when it ran, and its model's answer, which it leaves there.
const RAN: &str =
    "cd /home/hermes/.hermes/cron; grep -q '\"last_status\": \"ok\"' jobs.json && grep -rq 'STUB OK' output";

/// It answers by its API and by Telegram, runs a tool for both, and a timed job by itself.
pub fn all(kind: Kind) -> Result<()> {
    let Shared { host, .. } = &*ours(kind)?;
    let clean = "rm -rf /home/hermes/.hermes/cron/jobs.json /home/hermes/.hermes/cron/output";
    host.sh(clean)?;
    polling_as(bot_of(host)?, host)?;
    ensure!(host.chat("good day")? == "STUB OK: good day");
    let said = host.chat("RUN: echo madebyapi")?;
    ensure!(said.contains("TOOL SAID") && said.contains("madebyapi"), "{said}");
    told(host, "good day", "STUB OK")?;
    told(host, "RUN: echo madebytelegram", "madebytelegram")?;
    host.as_agent(JOB)?;
    let ran = until(100, "the job ran", || host.holds(RAN));
    let state = host.run("cat /home/hermes/.hermes/cron/jobs.json; tail -n 20 /home/hermes/.hermes/logs/agent.log")?;
    host.sh(clean)?;
    ran.map_err(|error| error.context(state.all())).map(drop)
}
