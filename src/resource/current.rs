//! Which release is the current one. Switching restarts the agent, waits until it is healthy, and
//! goes back when it is not.

use super::directory::in_the_way;
use super::stamp::link_digest;
use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, UnitName};
use crate::release::steps;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The directory of the release.
    pub release: AbsPath,
    pub unit: UnitName,
    /// Where the agent reports that it is healthy: `http` on loopback.
    pub health: String,
    /// How long it may take until it is, in seconds.
    #[serde(rename = "timeout")]
    pub timeout_secs: u32,
}

/// Leads to the policy of the current release.
const POLICY: &str = "/etc/hermes/policy.json";

fn link() -> Result<AbsPath, Fault> {
    AbsPath::new(format!("{}/current", steps::ROOT))
}

/// Left by a switch that was killed half-way.
fn mark() -> Result<AbsPath, Fault> {
    AbsPath::new(format!("{}/.switching", steps::ROOT))
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.extend([link(), mark(), self.manifest()].into_iter().flatten().map(Query::Path));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let manifest = self.manifest()?;
        let built = match seen(&context.facts.paths, &manifest)? {
            Seen::Is(entry) => Some(entry.kind.clone()),
            Seen::Absent | Seen::Unreadable(_) => None,
        };
        let rebuilt = built.is_some() && context.provided.get(&manifest).cloned().map(PathKind::File) != built;
        Ok(vec![Box::new(Current { spec: self.clone(), rebuilt })])
    }
}

impl Spec {
    fn manifest(&self) -> Result<AbsPath, Fault> {
        self.release.join(".petasos-release")
    }
}

struct Current {
    spec: Spec,
    /// Whether the same plan rebuilds the release in its place: the agent that runs from it must
    /// start again.
    rebuilt: bool,
}

impl Resource for Current {
    fn id(&self) -> String {
        "current release".into()
    }

    fn kind(&self) -> &'static str {
        "current"
    }

    /// The agent's health is waited for, after a way back once more, longer while it works.
    fn patience(&self) -> Duration {
        Duration::from_secs(10 * 60 + 10 * u64::from(self.spec.timeout_secs))
    }

    fn touches(&self) -> Touches {
        let links = [link(), mark(), AbsPath::new(POLICY)].into_iter().flatten();
        links.fold(Touches::nothing().unit(self.spec.unit.as_str()), Touches::path)
    }

    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        link().into_iter().map(|link| (link, link_digest(self.spec.release.as_str()))).collect()
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let target = self.spec.release.as_str();
        let is = match seen(&facts.paths, &link()?)? {
            Seen::Absent => "none".to_owned(),
            Seen::Is(entry) => match &entry.kind {
                PathKind::Symlink(is) => is.clone(),
                PathKind::File(_) | PathKind::Directory | PathKind::Other => {
                    return Ok(vec![in_the_way(&link()?, &entry.kind, "a symbolic link")]);
                }
            },
            Seen::Unreadable(why) => return Err(Fault::new(why)),
        };
        let half_way = matches!(seen(&facts.paths, &mark()?)?, Seen::Is(_));
        let Spec { unit, health, timeout_secs, .. } = &self.spec;
        let health = steps::Health { unit: unit.to_string(), url: health.clone(), timeout_secs: *timeout_secs };
        if is == target && !half_way {
            let acts = vec![Act::run(["systemctl", "try-restart", unit.as_str()]), Act::run(steps::healthy(&health))];
            let restart =
                Change::new("running", "what was there before", "the rebuilt release", acts).risking(Risk::Restart);
            return Ok(if self.rebuilt { vec![restart] } else { Vec::new() });
        }
        let act = Act::run(steps::switch(target, &health));
        let from = if half_way { format!("{is}, half-way") } else { is };
        Ok(vec![Change::new("link", from, target, vec![act]).risking(Risk::Restart)])
    }
}
