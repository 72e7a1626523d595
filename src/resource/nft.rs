//! An nft table: what the kernel has must be what the table's file makes.

use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Address family and name: `inet petasos`.
    pub table: String,
    /// The file that fills it, and nothing else: it must replace the table as a whole.
    pub file: AbsPath,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Table { table: self.table.clone(), file: self.file.clone() });
        queries.insert(Query::Path(self.file.clone()));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(LoadedTable { spec: self.clone(), digest: context.provided.get(&self.file).cloned() })])
    }
}

struct LoadedTable {
    spec: Spec,
    /// What the file will be, where the playbook writes it.
    digest: Option<String>,
}

impl Resource for LoadedTable {
    fn id(&self) -> String {
        format!("nft {}", self.spec.table)
    }

    fn kind(&self) -> &'static str {
        "nft"
    }

    /// Tables alone, and those are kept whole with every run.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        Risk::Lockout
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let load = vec![Act::run(["nft", "-f", self.spec.file.as_str()])];
        let on_disk = match seen(&facts.paths, &self.spec.file)? {
            Seen::Is(entry) => match &entry.kind {
                PathKind::File(digest) => Some(digest),
                PathKind::Directory | PathKind::Symlink(_) | PathKind::Other => None,
            },
            Seen::Absent | Seen::Unreadable(_) => None,
        };
        let file_changes = self.digest.is_some() && self.digest.as_ref() != on_disk;
        let table = match seen(&facts.tables, &self.spec.table)? {
            Seen::Is(table) => table,
            // nft itself comes with a package of the same plan.
            Seen::Absent | Seen::Unreadable(_) => return Ok(vec![Change::new("loaded", "no", "yes", load)]),
        };
        let Some(wanted) = &table.wanted else {
            return Ok(vec![Change::new("loaded", "no", "yes", load)]);
        };
        if table.live.is_empty() {
            return Ok(vec![Change::new("loaded", "no", "yes", load)]);
        }
        if file_changes {
            return Ok(vec![Change::new("rules", "of the old file", "of the new file", load)]);
        }
        let (is, want): (BTreeSet<&str>, BTreeSet<&str>) = (trimmed(&table.live), trimmed(wanted));
        if table.live == *wanted {
            return Ok(Vec::new());
        }
        let joined = |lines: Vec<&&str>| lines.into_iter().copied().collect::<Vec<_>>().join("; ");
        let (extra, missing) = (joined(is.difference(&want).collect()), joined(want.difference(&is).collect()));
        Ok(vec![Change::new("rules", or(extra, "other order"), or(missing, "as in the file"), load)])
    }
}

fn trimmed(lines: &[String]) -> BTreeSet<&str> {
    lines.iter().map(|line| line.trim()).collect()
}

fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}
