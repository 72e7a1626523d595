//! Which release is the current one. Switching restarts the agent, waits until it is well, and goes back when it is not.

use super::directory::said;
use super::symlink::link_word;
use super::{Change, Resource, Risk, Scene};
use crate::act::Act;
use crate::fact::path::Kind;
use crate::fact::{Ask, Facts, Seen, seen};
use crate::name::{AbsPath, UnitName};
use crate::release::steps;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The directory of the release.
    pub release: AbsPath,
    pub unit: UnitName,
    /// Where the agent says that it is well: `http` on loopback.
    pub health: String,
    /// How long it may take until it is, in seconds.
    pub patience: u32,
}

fn link() -> Result<AbsPath, String> {
    AbsPath::new(format!("{}/current", steps::ROOT))
}

/// Left by a switch that was killed half-way.
fn mark() -> Result<AbsPath, String> {
    AbsPath::new(format!("{}/.switching", steps::ROOT))
}

impl super::Spec for Spec {
    fn asks(&self, asks: &mut BTreeSet<Ask>) {
        asks.extend([link(), mark()].into_iter().flatten().map(Ask::Path));
    }

    fn settle(&self, _: &Scene<'_>) -> Result<Vec<Box<dyn Resource>>, String> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        "current release".into()
    }

    fn provides(&self) -> Vec<(AbsPath, String)> {
        link().into_iter().map(|link| (link, link_word(self.release.as_str()))).collect()
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, String> {
        let target = self.release.as_str();
        let is = match seen(&facts.paths, &link()?)? {
            Seen::Absent => "none".to_owned(),
            Seen::Is(entry) => match &entry.kind {
                Kind::Symlink(is) => is.clone(),
                Kind::File(_) | Kind::Directory | Kind::Other => {
                    return Err(format!("`{}` is {}, not a link", link()?, said(&entry.kind)));
                }
            },
            Seen::Unreadable(why) => return Err(why.clone()),
        };
        let half_way = matches!(seen(&facts.paths, &mark()?)?, Seen::Is(_));
        if is == target && !half_way {
            return Ok(Vec::new());
        }
        let health = steps::Health { unit: self.unit.to_string(), url: self.health.clone(), patience: self.patience };
        let act = Act::run(steps::switch_to(target, &health));
        let from = if half_way { format!("{is}, half-way") } else { is };
        Ok(vec![Change::new("link", from, target, vec![act]).risking(Risk::Restart)])
    }
}
