//! A symbolic link.

use super::directory::in_the_way;
use super::{Change, ResolveContext, Resource, Risk, Touches, access, effects, stamp};
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
    pub path: AbsPath,
    pub target: AbsPath,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("symlink {}", self.path)
    }

    fn kind(&self) -> &'static str {
        "symlink"
    }

    fn touches(&self) -> Touches {
        Touches::nothing().path(self.path.as_str()).tree(stamp::ALL)
    }

    fn least_risk(&self) -> Risk {
        access::risk_of_path(&self.path)
    }

    /// A mask keeps a service down that a package brings, and stays with the package.
    fn stays(&self) -> bool {
        effects::is_below(self.path.as_str(), "/etc/systemd/system")
    }

    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        vec![(self.path.clone(), stamp::link_digest(self.target.as_str()))]
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let target = self.target.as_str();
        let mut acts = vec![stamp::forget(&self.path), Act::sh("link atomically", LINK, [target, self.path.as_str()])];
        acts.extend(stamp::reload(&self.path));
        match seen(&facts.paths, &self.path)? {
            Seen::Absent => Ok(vec![Change::new("exists", "no", target, acts)]),
            Seen::Is(entry) => match &entry.kind {
                PathKind::Symlink(is) if is == target => Ok(Vec::new()),
                PathKind::Symlink(is) => Ok(vec![Change::new("target", is, target, acts)]),
                PathKind::File(_) => Ok(vec![Change::new("kind", "a file", target, acts)]),
                PathKind::Directory | PathKind::Other => {
                    Ok(vec![in_the_way(&self.path, &entry.kind, "a symbolic link")])
                }
            },
            Seen::Unreadable(why) => Err(Fault::new(why)),
        }
    }
}

/// A new link under another name, renamed over the old one: there is never a moment without.
const LINK: &str = include_str!("../../remote/file/link.sh");
