//! A group.

use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::Account;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub name: Account,
    /// Takes its number from the range for services.
    #[serde(default)]
    pub system: bool,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Group(self.name.clone()));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("group {}", self.name)
    }

    fn kind(&self) -> &'static str {
        "group"
    }

    fn touches(&self) -> Touches {
        // With the copies that groupadd(8) leaves.
        ["/etc/group", "/etc/group-", "/etc/gshadow", "/etc/gshadow-"]
            .into_iter()
            .fold(Touches::nothing(), Touches::path)
    }

    /// A group is only ever added.
    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let argv = |system: &[&'static str]| {
            let argv = ["groupadd"].iter().chain(system).map(ToString::to_string);
            argv.chain([self.name.to_string()]).collect::<Vec<_>>()
        };
        Ok(match seen(&facts.groups, &self.name)? {
            Seen::Absent => {
                let act = Act::run(argv(if self.system { &["--system"] } else { &[] }));
                vec![Change::new("exists", "no", "yes", vec![act])]
            }
            Seen::Is(_) | Seen::Unreadable(_) => Vec::new(),
        })
    }
}
