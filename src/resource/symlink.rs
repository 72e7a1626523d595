//! A symbolic link.

use super::directory::said;
use super::{Change, Resource, Scene};
use crate::act::Act;
use crate::fact::path::Kind;
use crate::fact::{Ask, Facts, Seen, seen};
use crate::name::AbsPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    pub target: AbsPath,
}

impl super::Spec for Spec {
    fn asks(&self, asks: &mut BTreeSet<Ask>) {
        asks.insert(Ask::Path(self.path.clone()));
    }

    fn settle(&self, _: &Scene<'_>) -> Result<Vec<Box<dyn Resource>>, String> {
        Ok(vec![Box::new(self.clone())])
    }
}

/// The word by which a link's target takes part in the stamps of services.
pub fn link_word(target: &str) -> String {
    format!("link:{target}")
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("symlink {}", self.path)
    }

    fn provides(&self) -> Vec<(AbsPath, String)> {
        vec![(self.path.clone(), link_word(self.target.as_str()))]
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, String> {
        let target = self.target.as_str();
        let mut acts =
            vec![super::unit::forget(&self.path), Act::sh("link atomically", LINK, [target, self.path.as_str()])];
        acts.extend(super::unit::reload(&self.path));
        match seen(&facts.paths, &self.path)? {
            Seen::Absent => Ok(vec![Change::new("exists", "no", target, acts)]),
            Seen::Is(entry) => match &entry.kind {
                Kind::Symlink(is) if is == target => Ok(Vec::new()),
                Kind::Symlink(is) => Ok(vec![Change::new("target", is, target, acts)]),
                Kind::File(_) => Ok(vec![Change::new("kind", "a file", target, acts)]),
                Kind::Directory | Kind::Other => Err(format!("`{}` is {}, not a link", self.path, said(&entry.kind))),
            },
            Seen::Unreadable(why) => Err(why.clone()),
        }
    }
}

/// A new link under another name, renamed over the old one: there is never a moment without.
const LINK: &str = r#"
ln -sfnT "$1" "$2.petasos-new"
mv -fT "$2.petasos-new" "$2"
"#;
