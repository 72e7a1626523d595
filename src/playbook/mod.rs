//! Playbooks: which resources a host has, in which order. YAML, with `{{ … }}` where the user's
//! settings go.
//!
//! An entry has one resource, or is a group: several under one name and one set of conditions.
//!
//! A playbook is read twice. The first reading finds what is misspelt, with line and caret. Then
//! every text in it is rendered with what `petasos.yaml` says, and read again, which checks the
//! values. `when`, `content`, `ssh_port` and templates are rendered only after the facts are
//! gathered: they may name `host.*`, `ssh_port` and `moved_port`.

mod book;
mod render;
mod source;

pub use book::{Entry, KINDS, Playbook};
pub use render::Renderer;
pub use source::{Sources, is_template};

use crate::act::Text;
use crate::config::lesson::Lesson;
use crate::fact::{Facts, Query, Seen};
use crate::fault::Fault;
use crate::name::{AbsPath, EnvName};
use crate::plan::PlannedResource;
use crate::resource::ResolveContext;
use std::collections::{BTreeMap, BTreeSet};

/// What a host should have, as far as it is known before the facts are gathered.
pub struct DesiredState {
    playbooks: Vec<Playbook>,
    renderer: Renderer,
    secrets: BTreeMap<EnvName, Text>,
    /// 32 random bytes in hexadecimal; names are mixed in, so that no two values are the same.
    seed: Text,
    lessons: Vec<(Lesson, AbsPath)>,
}

impl DesiredState {
    pub fn new(playbooks: Vec<Playbook>, renderer: Renderer, secrets: BTreeMap<EnvName, Text>, seed: Text) -> Self {
        Self { playbooks, renderer, secrets, seed, lessons: Vec::new() }
    }

    /// The same; and petasos.lock is to keep what these files of the host say.
    pub fn with_lessons(self, lessons: Vec<(Lesson, AbsPath)>) -> Self {
        Self { lessons, ..self }
    }

    /// What petasos.lock is to keep of the host; nothing of what is not there yet.
    pub fn learned(&self, facts: &Facts) -> Vec<(Lesson, String)> {
        let text = |path| facts.texts.get(path).and_then(Seen::is).cloned();
        self.lessons.iter().filter_map(|(what, path)| Some((*what, text(path)?))).collect()
    }

    /// That of a host of which nothing is asked but what it is.
    ///
    /// # Errors
    /// None that a renderer without templates could cause.
    pub fn nothing() -> Result<Self, Fault> {
        let renderer = Renderer::new(&BTreeMap::new(), &serde_json::json!({}))?;
        Ok(Self::new(Vec::new(), renderer, BTreeMap::new(), Text::secret(String::new())))
    }

    /// Whether a secret of this name goes to the host, and is not merely kept there.
    pub fn has_secret(&self, name: &EnvName) -> bool {
        self.secrets.contains_key(name)
    }

    /// What must be observed to judge it all.
    pub fn queries(&self) -> BTreeSet<Query> {
        let mut queries = BTreeSet::new();
        for entry in self.entries() {
            entry.spec().queries(&mut queries);
        }
        queries.extend(self.lessons.iter().map(|(_, path)| Query::Text(path.clone())));
        queries
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.playbooks.iter().flat_map(|playbook| &playbook.entries)
    }

    /// The resources, now that the facts are gathered.
    ///
    /// # Errors
    /// When a condition, a template or a secret cannot be filled in; the message names the playbook
    /// and the entry.
    pub fn resolve(&self, facts: &Facts) -> Result<Vec<PlannedResource>, Fault> {
        let renderer = self.renderer.with_host(facts);
        let mut provided: BTreeMap<AbsPath, String> = BTreeMap::new();
        let mut items = Vec::new();
        let mut ids = BTreeSet::new();
        for playbook in &self.playbooks {
            for entry in &playbook.entries {
                let place = |fault: Fault| fault.at(format!("`{}` in {}", entry.name, playbook.name));
                if !holds(&renderer, &entry.when).map_err(place)? {
                    continue;
                }
                let context = ResolveContext {
                    facts,
                    template: &|name| renderer.template(name),
                    text: &|text| renderer.text(text),
                    secret: &|name| self.secrets.get(name).cloned(),
                    fresh: &|name| Text::secret(crate::resource::digest(&format!("{}/{name}", self.seed.reveal()))),
                    provided: &provided,
                };
                let resources = entry.spec().resolve(&context).map_err(place)?;
                for resource in resources {
                    if !ids.insert(resource.id()) {
                        let twice = Fault::new(format!("`{}` is listed twice", resource.id()));
                        return Err(place(twice.hint("a resource belongs to one entry")));
                    }
                    provided.extend(resource.content_digests());
                    items.push(PlannedResource {
                        title: entry.name.clone(),
                        risk: entry.risk,
                        controls: entry.controls.clone(),
                        resource,
                    });
                }
            }
        }
        Ok(items)
    }
}

/// Whether all conditions hold; the first that does not ends it, so that a group's guards those of
/// its resources.
fn holds(renderer: &Renderer, conditions: &[String]) -> Result<bool, Fault> {
    for condition in conditions {
        if !renderer.holds(condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}
