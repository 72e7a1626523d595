//! Where playbooks and templates come from: the program itself, and the user's own folders beside
//! `petasos.yaml`, which win file by file.

use crate::config::settings::Role;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;

static PLAYBOOKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// What hosts of every role have.
const BASE: [&str; 3] = ["10-base.yaml", "12-kernel.yaml", "35-alarm.yaml"];

/// The texts, by name relative to their folder.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub playbooks: BTreeMap<String, String>,
    pub templates: BTreeMap<String, String>,
}

impl Sources {
    /// What comes with the program.
    pub fn embedded() -> Self {
        Self { playbooks: texts(&PLAYBOOKS, |name| name.ends_with(".yaml")), templates: texts(&TEMPLATES, is_template) }
    }

    /// The playbooks themselves, for a host of this role; `reference.yaml` documents the kinds, and
    /// `data/` is what other files are made of.
    pub fn books(&self, role: Role) -> impl Iterator<Item = (&String, &String)> {
        self.playbooks.iter().filter(move |(name, _)| match (role, name.split_once('/')) {
            (_, Some((folder, _))) => folder == role.as_str(),
            (Role::Agent, None) => *name != "reference.yaml",
            (Role::Vault, None) => BASE.contains(&name.as_str()),
        })
    }

    /// One digest over all of them.
    pub fn digest(&self) -> String {
        let texts = self.playbooks.iter().chain(&self.templates);
        crate::resource::digest(&texts.map(|(name, text)| format!("{name} {}\n{text}", text.len())).collect::<String>())
    }

    /// The same with the user's own files in place of those of the same name.
    pub fn overridden(mut self, playbooks: BTreeMap<String, String>, templates: BTreeMap<String, String>) -> Self {
        self.playbooks.extend(playbooks);
        self.templates.extend(templates);
        self
    }
}

/// Only these are filled in for hosts; reports are part of the program.
pub fn is_template(name: &str) -> bool {
    name.ends_with(".tera") && !name.starts_with("report/")
}

fn texts(dir: &Dir<'_>, wanted: fn(&str) -> bool) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in dir.entries() {
        if let Some(dir) = entry.as_dir() {
            texts.extend(self::texts(dir, wanted));
        }
        if let Some(file) = entry.as_file() {
            let name = file.path().to_string_lossy().into_owned();
            if let Some(text) = file.contents_utf8().filter(|_| wanted(&name)) {
                texts.insert(name, text.to_owned());
            }
        }
    }
    texts
}
