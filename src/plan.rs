//! The ordered changes that a host needs, as data.

use crate::act::Act;
use crate::fact::Facts;
use crate::fault::Fault;
use crate::name::Account;
use crate::resource::effects::is_below;
use crate::resource::{Change, Diff, Need, Resource, Risk, Touches, package};
use crate::shell::Script;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A resource in its place of a playbook.
pub struct PlannedResource {
    /// Its name in the playbook.
    pub title: String,
    /// The risk that the playbook gives it, where that is more than its own.
    pub risk: Risk,
    /// The ids of the controls that it is a part of.
    pub controls: BTreeSet<String>,
    pub resource: Box<dyn Resource>,
}

/// A change with the resource that it belongs to, and what that declares of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub id: String,
    pub kind: &'static str,
    pub title: String,
    /// The controls that are not as declared until it is made.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub controls: BTreeSet<String>,
    #[serde(skip_serializing_if = "Touches::is_empty")]
    pub touches: Touches,
    #[serde(skip)]
    pub needs_room: &'static [Need],
    /// How long it may take.
    #[serde(skip)]
    pub patience: Duration,
    /// Whether it stays when the run is undone.
    #[serde(skip)]
    pub stays: bool,
    #[serde(flatten)]
    pub change: Change,
}

/// A resource that could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    pub id: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub controls: BTreeSet<String>,
    #[serde(flatten)]
    pub why: Fault,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In the order of the playbooks.
    pub steps: Vec<Step>,
    pub unknown: Vec<Unknown>,
    /// How many resources are as they should be.
    pub met: usize,
    /// The controls that any resource of this host is a part of.
    #[serde(skip)]
    pub controls: BTreeSet<String>,
}

impl Plan {
    /// Judges every resource.
    pub fn of(items: &[PlannedResource], facts: &Facts) -> Self {
        let mut plan =
            Self { controls: items.iter().flat_map(|item| item.controls.clone()).collect(), ..Self::default() };
        let makers = makers(items);
        for item in items {
            let id = item.resource.id();
            match item.resource.judge(facts) {
                Diff::Met => plan.met += 1,
                Diff::Unknown(why) => plan.unknown.push(Unknown { id, controls: item.controls.clone(), why }),
                Diff::Drift(changes) => {
                    plan.steps.extend(changes.into_iter().map(|change| item.step(&id, change, &makers)));
                }
            }
        }
        plan
    }

    /// The packages that are to be installed.
    pub fn installs(&self) -> Vec<String> {
        self.steps.iter().flat_map(|step| package::installs(&step.change)).cloned().collect()
    }

    /// What apt takes away for new packages stands before the first of them, and nothing else goes.
    pub fn take_away(&mut self, removals: &[String]) {
        let installs = |step: &Step| package::installs(&step.change).next().is_some();
        let Some(at) = self.steps.iter().position(installs) else { return };
        self.steps.iter_mut().for_each(|step| package::allow(&mut step.change, removals));
        let declared = |name: &&String| !self.steps.iter().any(|step| step.change.field == **name);
        let step = |name: &String| Step {
            kind: package::KIND,
            stays: true,
            ..Step::of_run(format!("package {name}"), "what apt takes away for new packages", package::removal(name))
        };
        let steps: Vec<Step> = removals.iter().filter(declared).map(step).collect();
        self.steps.splice(at..at, steps);
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.unknown.is_empty()
    }
}

impl Step {
    /// Whether it is part of what lets this user in and be root, and of nobody else's login: the
    /// account, what is in its home, sudo's rules.
    pub fn is_login_of(&self, user: &Account) -> bool {
        let (kind, name) = self.id.split_once(' ').unwrap_or_default();
        match kind {
            "user" => name == user.as_str(),
            "file" | "directory" => ["/etc/sudoers.d", &format!("/home/{user}")].iter().any(|at| is_below(name, at)),
            _ => false,
        }
    }

    /// A step of a run's own, which no resource stands behind.
    pub fn of_run(id: impl Into<String>, title: &str, change: Change) -> Self {
        Self {
            id: id.into(),
            kind: "run",
            title: title.to_owned(),
            controls: BTreeSet::new(),
            touches: Touches::nothing().and_acts(&change.acts),
            needs_room: &[],
            patience: Duration::from_secs(300),
            stays: false,
            change,
        }
    }
}

/// The controls of whatever decides a file's content.
type Makers<'a> = BTreeMap<String, &'a BTreeSet<String>>;

fn makers(items: &[PlannedResource]) -> Makers<'_> {
    let of = |item: &'_ PlannedResource| item.resource.content_digests().into_iter().map(|(path, _)| path.to_string());
    items.iter().flat_map(|item| of(item).map(move |path| (path, &item.controls))).collect()
}

impl PlannedResource {
    fn step(&self, id: &str, change: Change, makers: &Makers<'_>) -> Step {
        // A service that has not read a file yet is not what the entry of that file claims.
        let of_files: BTreeSet<String> =
            change.files.iter().filter_map(|file| makers.get(file)).flat_map(|controls| (*controls).clone()).collect();
        Step {
            id: id.to_owned(),
            kind: self.resource.kind(),
            title: self.title.clone(),
            controls: if of_files.is_empty() { self.controls.clone() } else { of_files },
            touches: self.resource.touches().and_acts(&change.acts),
            needs_room: self.resource.needs_room(),
            patience: self.resource.patience(),
            stays: self.resource.stays(),
            change: change.risking(self.resource.least_risk()).risking(self.risk),
        }
    }
}

/// Writes the steps that carry changes out; their frames are named `s0`, `s1`, … in the order of
/// the steps.
pub fn write(script: &mut Script, steps: &[&Step]) {
    for (index, step) in steps.iter().enumerate() {
        script.step(&format!("s{index}"));
        script.allow(step.patience);
        for act in &step.change.acts {
            Act::write(act, script);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, Unknown};
    use crate::fault::Fault;
    use crate::name::Account;
    use crate::resource::Change;
    use serde_json::{json, to_value};
    use std::collections::BTreeSet;

    #[test]
    fn what_lets_a_user_in_is_told_from_what_lets_others_in() {
        let of = |id: &str| Step::of_run(id, "", Change::new("x", "", "", Vec::new()));
        let ops = Account::new("ops").unwrap();
        for id in [
            "user ops",
            "file /home/ops/.ssh/authorized_keys",
            "directory /home/ops/.ssh",
            "file /etc/sudoers.d/90-petasos",
        ] {
            assert!(of(id).is_login_of(&ops), "{id}");
        }
        for id in
            ["user opsy", "file /home/opsy/.ssh/authorized_keys", "file /etc/ssh/sshd_config.d/00-petasos.conf", "ufw"]
        {
            assert!(!of(id).is_login_of(&ops), "{id}");
        }
    }

    /// The form that docs and scripts rely on: `why` is a text, and a hint stands beside it.
    #[test]
    fn what_could_not_be_observed_has_its_hint_beside_the_reason() {
        let unknown = |why| to_value(Unknown { id: "user ops".into(), controls: BTreeSet::new(), why }).unwrap();
        assert_eq!(unknown(Fault::new("no key")), json!({ "id": "user ops", "why": "no key" }));
        let hinted = json!({ "id": "user ops", "why": "no key", "hint": "name one" });
        assert_eq!(unknown(Fault::new("no key").hint("name one")), hinted);
    }
}
