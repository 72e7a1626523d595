//! The first run of a unit that ends, such as a nightly job: nobody waits a night to see that it
//! works.

use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, UnitName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub unit: UnitName,
    /// What a run that went well leaves behind; where it is, there is nothing to do.
    pub leaves: AbsPath,
    /// It waits for this, where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// How long it may take, in seconds.
    #[serde(rename = "timeout", default = "an_hour")]
    pub timeout_secs: u32,
}

/// A file of the host's that begins with this text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    pub file: AbsPath,
    pub says: String,
}

fn an_hour() -> u32 {
    3600
}

const FIRST: &str = include_str!("../../remote/unit/first.sh");

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.leaves.clone()));
        queries.extend(self.once.as_ref().map(|once| Query::Text(once.file.clone())));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("first_run {}", self.unit)
    }

    fn kind(&self) -> &'static str {
        "first_run"
    }

    /// What it leaves is the job's, and no setting that `undo` takes back.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.into())
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        if let Some(Once { file, says }) = &self.once {
            let text = seen(&facts.texts, file)?.is();
            if !text.is_some_and(|text| text.starts_with(says.as_str())) {
                return Ok(Vec::new());
            }
        }
        match seen(&facts.paths, &self.leaves)? {
            Seen::Is(_) => Ok(Vec::new()),
            Seen::Absent => {
                let act = Act::sh("run it once", FIRST, [self.unit.as_str(), self.leaves.as_str()]);
                Ok(vec![Change::new("first run", "no", "yes", vec![act])])
            }
            Seen::Unreadable(why) => Err(Fault::new(why)),
        }
    }
}
