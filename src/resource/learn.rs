//! A public text of the host's that petasos.lock keeps, so that other hosts can be told of it. It
//! changes nothing on the host.

use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::fact::{Facts, Query, Seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What it is.
    pub name: Lesson,
    /// The file that says it.
    pub from: AbsPath,
}

/// What petasos.lock keeps of a host beside how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lesson {
    /// The host's own SSH key.
    SshKey,
    /// The key that its backups come in by.
    BackupKey,
    /// Of a vault: whose backups it lets in, a line each as sshd reads it.
    Admits,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Text(self.from.clone()));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("learn {}", self.from)
    }

    fn kind(&self) -> &'static str {
        "learn"
    }

    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn changes(&self, _: &Facts) -> Result<Vec<Change>, Fault> {
        Ok(Vec::new())
    }

    fn learned(&self, facts: &Facts) -> Option<(Lesson, String)> {
        match facts.texts.get(&self.from) {
            Some(Seen::Is(text)) => Some((self.name, text.clone())),
            Some(Seen::Absent | Seen::Unreadable(_)) | None => None,
        }
    }
}
