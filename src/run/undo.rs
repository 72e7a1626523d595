//! Bringing a host back to before its last run, and telling of its runs.

use super::lockout_guard::ConfirmBy;
use super::script::Batch;
use super::{Job, Outcome, RunError, Session, Watch};
use crate::act::Act;
use crate::fault::Fault;
use crate::guard::{self, Scope};
use crate::plan::{Plan, Step};
use crate::resource::{Change, Risk};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A run, by the host's own record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    pub run: String,
    /// When it began, by the host's clock (RFC 3339).
    pub begun: String,
    /// None for a run that died; its outcome may still be known.
    pub ended: Option<String>,
    pub verb: String,
    pub by: String,
    pub petasos: String,
    pub playbooks: String,
    /// `id: field` of each.
    pub changes: Vec<String>,
    pub outcome: Option<String>,
    /// Whether what it replaced is still kept.
    pub kept: bool,
}

/// How a host is after an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// How many changes `up` would make now, if that can be told.
    pub changes: Option<usize>,
    /// As sshd has `PermitRootLogin` in force.
    pub root_login: Option<String>,
}

const READ: &str = include_str!("../../remote/run/history.sh");

const READ_SCOPE: &str = include_str!("../../remote/guard/scope.sh");

const FORGET: &str = include_str!("../../remote/guard/forget.sh");

/// Reads the record: lines that are not JSON are left out, as a host whose disk filled up may have
/// one.
fn runs(text: &str) -> Vec<RunRecord> {
    let (lines, kept) = text.split_once("== kept\n").unwrap_or((text, ""));
    let mut runs: BTreeMap<String, RunRecord> = BTreeMap::new();
    for line in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let field = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let run = runs.entry(field("run")).or_insert_with(|| RunRecord { run: field("run"), ..RunRecord::default() });
        match field("event").as_str() {
            "begun" => {
                let change = |change: &Value| {
                    let part = |index: usize| change.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
                    format!("{}: {}", part(0), part(1))
                };
                // A second pass begins again.
                if run.begun.is_empty() {
                    (run.begun, run.verb, run.by) = (field("time"), field("verb"), field("by"));
                    (run.petasos, run.playbooks) = (field("petasos"), field("playbooks"));
                }
                let changes = line.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                run.changes.extend(changes.iter().map(change));
            }
            "ended" => (run.ended, run.outcome) = (Some(field("time")), Some(field("outcome"))),
            // The host itself took a change back; what the run says of its end tells more.
            "reverted" if run.outcome.is_none() => {
                run.outcome = Some("rolled back: nobody confirmed the change in time".to_owned());
            }
            _ => {}
        }
    }
    for name in kept.lines() {
        if let Some(run) = runs.get_mut(name) {
            run.kept = true;
        }
    }
    runs.into_values().collect()
}

impl Job {
    /// All runs on record, oldest first.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn history(&self, watch: &Watch) -> Result<Vec<RunRecord>, RunError> {
        let mut session = Session::open(self, watch).await?;
        let runs = session.runs().await;
        session.close().await;
        runs
    }

    /// Brings files, units and firewall back to before the last run, under guard. Packages and data
    /// stay.
    ///
    /// # Errors
    /// When there is nothing to undo; else see [`RunError`].
    pub async fn undo(&self, watch: &Watch) -> Result<Outcome, RunError> {
        let mut session = Session::open(self, watch).await?;
        let done = session.undo_last().await;
        if let Ok(_) | Err(RunError::RolledBack { .. } | RunError::Step { .. }) = &done {
            session.end(&done).await;
        }
        let step = match done {
            Ok(step) => step,
            Err(error) => return session.finish(Err(error)).await,
        };
        // Undone it is, whatever is seen now.
        let now = session.observe().await.ok();
        let undone = Undone {
            changes: now.as_ref().map(|now| now.plan.steps.len()),
            root_login: now.as_ref().and_then(|now| now.root_login.clone()),
        };
        let system = now.map_or_else(|| "unknown system".to_owned(), |now| now.system);
        let plan = Plan { steps: vec![step], ..Plan::default() };
        session.finish(Ok((system, plan, Vec::new()))).await.map(|outcome| Outcome { undone: Some(undone), ..outcome })
    }
}

impl Session<'_> {
    async fn runs(&mut self) -> Result<Vec<RunRecord>, RunError> {
        let frame = self.first_frame("history", &Act::sh("read the record", READ, Vec::<String>::new())).await?;
        if frame.rc != 0 {
            return Err(self.host_error("the record of runs cannot be read"));
        }
        Ok(runs(&frame.text()))
    }

    async fn undo_last(&mut self) -> Result<Step, RunError> {
        self.no_incident().await?;
        let runs = self.runs().await?;
        let last = runs.iter().rev().find(|run| run.kept && run.verb == "up");
        let last =
            last.ok_or_else(|| self.host_error("there is no run to undo: no backup of replaced files is left"))?;
        let kept = format!("{}/{}", guard::RUNS, last.run);
        let scope = self.scope(&kept).await?;
        let acts = vec![guard::restore(&last.run), Act::sh("it cannot be undone twice", FORGET, [kept])];
        let change = Change::new("undone", format!("run of {}", last.begun), "as before it", acts);
        let step = Step::of_run(format!("run {}", last.run), "undo the last run", change.risking(Risk::Lockout));
        let line = [self.job.begun("undo", &[&step])];
        self.execute_all(Batch::of_acts("begin", &line)).await?;
        self.guarded(&[&step], (0, 1), &scope, ConfirmBy::Any).await?;
        Ok(step)
    }

    /// What a run kept.
    async fn scope(&mut self, kept: &str) -> Result<Scope, RunError> {
        let frame = self.first_frame("scope", &Act::sh("read what a run kept", READ_SCOPE, [kept])).await?;
        if frame.rc != 0 {
            return Err(self.host_error(Fault::new(format!("`{kept}` cannot be read"))));
        }
        let text = frame.text();
        let (paths, units) = text.split_once("--\n").unwrap_or((&text, ""));
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Ok(Scope { paths: lines(paths), units: lines(units) })
    }
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn what_the_host_took_back_is_said_of_a_run_that_died() {
        let begun = |run: &str| format!("{{\"time\":\"t1\",\"run\":\"{run}\",\"event\":\"begun\"}}\n");
        let reverted = |run: &str| format!("{{\"time\":\"t2\",\"run\":\"{run}\",\"event\":\"reverted\"}}\n");
        let ended = "{\"time\":\"t3\",\"run\":\"2\",\"event\":\"ended\",\"outcome\":\"rolled back: no\"}\n";
        let runs = runs(&format!("{}{}{}{}{ended}", begun("1"), reverted("1"), begun("2"), reverted("2")));
        let outcome = |at: usize| runs[at].outcome.as_deref();
        assert_eq!(outcome(0), Some("rolled back: nobody confirmed the change in time"));
        assert_eq!((outcome(1), runs[0].ended.as_ref()), (Some("rolled back: no"), None));
    }

    #[test]
    fn a_run_that_died_has_no_end() {
        let text = "{\"time\":\"t1\",\"run\":\"1-a\",\"event\":\"begun\",\"verb\":\"up\",\"by\":\"me\",\"changes\":[[\"file /x\",\"content\"]]}\n\
                    {\"time\":\"t2\",\"run\":\"1-a\",\"event\":\"ended\",\"outcome\":\"converged\"}\n{\"time\":\"t3\",\"run\":\"2-b\",\"event\":\"begun\"}\n{\"ti\n== kept\n2-b\n";
        let runs = runs(text);
        assert_eq!(runs.len(), 2);
        assert_eq!(
            (runs[0].outcome.as_deref(), runs[0].kept, runs[0].changes.as_slice()),
            (Some("converged"), false, &["file /x: content".to_owned()][..])
        );
        assert_eq!((runs[1].outcome.as_deref(), runs[1].kept), (None, true));
    }
}
