//! The host's own record of runs, and what a run keeps so that it can be undone.

use super::script::Batch;
use super::{Job, RunError, Session, lock};
use crate::act::Act;
use crate::guard::{self, Scope};
use crate::plan::Step;
use serde_json::{Value, json};
use std::time::Duration;

const LINE: &str = include_str!("../../remote/run/record.sh");

/// How long a connection that may be dead is waited for.
const SOON: Duration = Duration::from_secs(20);

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl Job {
    /// Keeps what a run may replace.
    pub(super) fn keep(&self, steps: &[&Step]) -> Vec<Act> {
        guard::keep_for_undo(&self.run_id.id, &Scope::of(steps))
    }

    /// The record's line for a run that begins.
    pub(super) fn begun(&self, verb: &str, steps: &[&Step]) -> Act {
        let changes: Vec<Value> = steps.iter().map(|step| json!([step.id, step.change.field])).collect();
        self.line(&json!({
            "run": self.run_id.id, "event": "begun", "verb": verb, "by": self.run_id.owner, "login": self.login.target.user,
            "petasos": env!("CARGO_PKG_VERSION"), "playbooks": self.playbooks, "changes": changes,
        }))
    }

    fn line(&self, line: &Value) -> Act {
        Act::sh("write to the record of runs", LINE, [line.to_string()])
    }
}

impl Session<'_> {
    /// The run's last entry in the record; the lock is free from then on.
    pub(super) async fn end<T>(&mut self, result: &Result<T, RunError>) {
        let outcome = match result {
            Ok(_) => "converged".to_owned(),
            Err(RunError::RolledBack { why, .. }) => format!("rolled back: {}", first_line(&why.message)),
            Err(RunError::ReleaseRolledBack { .. }) => "rolled back".to_owned(),
            Err(error) => format!("failed: {}", first_line(&error.to_string())),
        };
        let line = self.job.line(&json!({ "run": self.job.run_id.id, "event": "ended", "outcome": outcome }));
        let acts = [line, lock::release()];
        let said = tokio::time::timeout(SOON, self.execute_all(Batch::of_acts("ended", &acts))).await;
        // A change that is rolled back may have cut this connection. Where the host cannot be
        // reached any more, the record shows a run that never ended.
        if let (Err(_) | Ok(Err(_)), Err(RunError::RolledBack { .. })) = (said, result)
            && let Ok(fresh) = self.job.connect(self.watch).await
        {
            self.switch_to(fresh).await;
            let _ = self.execute_all(Batch::of_acts("ended", &acts)).await;
        }
    }
}
