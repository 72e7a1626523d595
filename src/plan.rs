//! The ordered changes that a host needs, as data.

use crate::act::Act;
use crate::fact::Facts;
use crate::resource::{Change, Diff, Resource, Risk};
use crate::shell::Script;
use serde::Serialize;

/// A resource in its place of a playbook.
pub struct PlannedResource {
    /// The playbook's words for it.
    pub title: String,
    /// The least risk that a change of it has.
    pub risk: Risk,
    pub resource: Box<dyn Resource>,
}

/// A change with the resource that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub id: String,
    pub title: String,
    #[serde(flatten)]
    pub change: Change,
}

/// A resource that could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    pub id: String,
    pub why: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In the order of the playbooks.
    pub steps: Vec<Step>,
    pub unknown: Vec<Unknown>,
    /// How many resources are as they should be.
    pub met: usize,
}

impl Plan {
    /// Judges every resource.
    pub fn of(items: &[PlannedResource], facts: &Facts) -> Self {
        let mut plan = Self::default();
        for item in items {
            let id = item.resource.id();
            match item.resource.judge(facts) {
                Diff::Met => plan.met += 1,
                Diff::Unknown(why) => plan.unknown.push(Unknown { id, why }),
                Diff::Drift(changes) => plan.steps.extend(changes.into_iter().map(|change| Step {
                    id: id.clone(),
                    title: item.title.clone(),
                    change: change.risking(item.risk),
                })),
            }
        }
        plan
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.unknown.is_empty()
    }
}

/// Writes the steps that carry changes out; their frames are named `s0`, `s1`, … in the order of
/// the steps.
pub fn write(script: &mut Script, steps: &[&Step]) {
    for (index, step) in steps.iter().enumerate() {
        script.step(&format!("s{index}"));
        for act in &step.change.acts {
            Act::write(act, script);
        }
    }
}
