//! All that is known of a host when it is judged.

use super::answer::{Answer, AttackRun, Inspected, Runs};
use super::report::AttackOutcome;
use crate::plan::Plan;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub struct Evidence {
    pub answer: Answer,
    /// What `petasos up` would change.
    pub plan: Plan,
    /// Ports of the host that were dialled from the operator's machine.
    pub scan: Scan,
}

/// What own connections from outside found.
#[derive(Debug, Clone)]
pub enum Scan {
    /// The ports that answered, and those that did not.
    Made { open: BTreeSet<u16>, closed: BTreeSet<u16> },
    /// Why none of them would have spoken of the host.
    NotMade(String),
}

impl Evidence {
    pub fn by_agent(&self, id: &str) -> AttackRun {
        run_of(&self.answer.agent, id)
    }

    pub fn by_root(&self, id: &str) -> AttackRun {
        run_of(&self.answer.root, id)
    }

    /// What root saw.
    pub fn inspected(&self) -> &Inspected {
        &self.answer.inspected
    }
}

/// An attack without an answer is an error of the probe's, never a refusal.
fn run_of(runs: &Runs, id: &str) -> AttackRun {
    runs.runs.iter().find(|run| run.id == id).cloned().unwrap_or_else(|| {
        let last = runs.complaints.trim().lines().last().unwrap_or("it said nothing");
        AttackRun {
            id: id.to_owned(),
            outcome: AttackOutcome::Error,
            detail: format!("the probe did not answer: {last}"),
            seconds: 0.0,
        }
    })
}
