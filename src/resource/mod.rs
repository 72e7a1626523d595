//! What a host should have. One file per kind: its form in a playbook, the judgement against
//! what was observed, and what its changes alter and risk (`effects.rs`, `access.rs`).
//!
//! How to add a kind is in ARCHITECTURE.md.

pub mod access;
mod authorized_keys;
pub mod current;
pub mod directory;
pub mod disk;
pub mod drop_in;
mod drop_in_apt;
pub mod effects;
pub mod env_file;
pub mod file;
pub mod first_run;
pub mod group;
mod healthy;
mod inbound;
mod interpreter;
pub mod key;
pub mod nft;
pub mod package;
pub mod program;
pub mod release;
pub mod settings;
pub mod sshd;
mod sshd_login;
pub mod stamp;
pub mod symlink;
pub mod sysctl;
pub mod ufw;
mod ufw_rule;
mod ufw_ssh;
pub mod unit;
pub mod user;
mod user_keys;

pub use effects::{Need, Touches};

use crate::act::{Act, Text};
use crate::fact::{Facts, Query};
use crate::fault::Fault;
use crate::name::{AbsPath, EnvName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Calls a macro with the registry of kinds: the key in a playbook, and the module that holds it.
macro_rules! registry {
    ($with:path) => {
        $with! {
            package: package, group: group, user: user, directory: directory, disk: disk, file: file, program: program, symlink: symlink, env_file: env_file,
            settings: settings, unit: unit, sysctl: sysctl, sshd: sshd, ufw: ufw, nft: nft, release: release, current: current,
            key: key, first_run: first_run,
        }
    };
}
pub(crate) use registry;

/// What a change may do to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    #[default]
    None,
    /// A service is restarted or reloaded.
    Restart,
    /// Done wrong, nobody gets in any more.
    Lockout,
    /// The same, but only for what exists: creating it shuts nobody out.
    LockoutWhenChanged,
}

/// One difference between the actual and the desired state, with the acts that correct it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub field: String,
    pub from: String,
    pub to: String,
    pub risk: Risk,
    pub acts: Vec<Act>,
    /// The files that it is about, where those are other entries': then it counts for the controls
    /// of those entries.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<String>,
    /// The room that it needs beside what its resource's changes need.
    #[serde(skip)]
    pub needs_room: Vec<Need>,
    /// Why nobody can make it before somebody has done something about it: then nothing is changed.
    #[serde(skip)]
    pub blocked: Option<Fault>,
    /// What waits for it to come about by itself, and for no longer than that may take: it counts
    /// only if it is still there then.
    #[serde(skip)]
    pub settles: Option<Act>,
    /// The texts before and after, where a file's content changes and the old text was asked for;
    /// never a secret's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<(String, String)>,
}

impl Change {
    pub fn new(field: &str, from: impl Into<String>, to: impl Into<String>, acts: Vec<Act>) -> Self {
        Self {
            field: field.to_owned(),
            from: from.into(),
            to: to.into(),
            risk: Risk::None,
            acts,
            files: BTreeSet::new(),
            needs_room: Vec::new(),
            blocked: None,
            settles: None,
            texts: None,
        }
    }

    pub fn about(mut self, files: impl IntoIterator<Item = String>) -> Self {
        self.files.extend(files);
        self
    }

    /// With at least this risk.
    pub fn risking(mut self, risk: Risk) -> Self {
        let risk = match risk {
            Risk::LockoutWhenChanged if self.field == "exists" => Risk::None,
            Risk::LockoutWhenChanged => Risk::Lockout,
            Risk::None | Risk::Restart | Risk::Lockout => risk,
        };
        self.risk = self.risk.max(risk);
        self
    }
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Diff {
    Met,
    Drift(Vec<Change>),
    /// It could not be observed; why.
    Unknown(Fault),
}

/// A thing that a host should have, with every value known.
pub trait Resource {
    /// `kind name`, unique in a playbook.
    fn id(&self) -> String;

    /// Its kind's key in a playbook.
    fn kind(&self) -> &'static str;

    /// What its changes alter on the host, beside what their `Put` and `Remove` name.
    fn touches(&self) -> Touches;

    /// The risk of its changes, whatever a playbook says, which may only raise it.
    fn least_risk(&self) -> Risk;

    /// The room that its changes need.
    fn needs_room(&self) -> &'static [Need] {
        &[]
    }

    /// How long one of its changes may take on a slow host: longer than that, and the host is taken
    /// for one that answers no more.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Whether it stays when a run is undone: then what the run replaces is kept only after it,
    /// with the files that it brings.
    fn stays(&self) -> bool {
        false
    }

    /// The changes that are missing; none when all is as it should be.
    ///
    /// # Errors
    /// Why it could not be observed.
    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault>;

    /// The paths whose content this resource decides, with a digest that changes when the content
    /// does.
    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        Vec::new()
    }

    fn judge(&self, facts: &Facts) -> Diff {
        match self.changes(facts) {
            Ok(changes) if changes.is_empty() => Diff::Met,
            Ok(changes) => Diff::Drift(changes),
            Err(why) => Diff::Unknown(why),
        }
    }
}

/// A resource as a playbook declares it, before the facts are gathered.
pub trait ResourceSpec {
    /// What must be observed to judge it.
    fn queries(&self, queries: &mut BTreeSet<Query>);

    /// The resources that it stands for on this host.
    ///
    /// # Errors
    /// What is missing: a template, a secret, a fact.
    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault>;
}

/// All that a spec may use when it is resolved.
pub struct ResolveContext<'a> {
    pub facts: &'a Facts,
    /// Renders a template by its name.
    pub template: &'a dyn Fn(&str) -> Result<String, Fault>,
    /// Renders a text.
    pub text: &'a dyn Fn(&str) -> Result<String, Fault>,
    /// A secret's value, by name.
    pub secret: &'a dyn Fn(&EnvName) -> Option<Text>,
    /// A fresh random value in hexadecimal, 32 bytes, made for this run under this name.
    pub fresh: &'a dyn Fn(&EnvName) -> Text,
    /// What the resources so far decide of the contents of files.
    pub provided: &'a BTreeMap<AbsPath, String>,
}

/// The SHA-256 of a text, in hexadecimal.
pub fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
