//! Kernel parameters: in force now, and after the next start.

use super::file::File;
use super::{Change, Need, ResolveContext, Resource, Risk, Touches, access, drop_in};
use crate::act::{Act, Text};
use crate::fact::{Facts, Query, Seen, seen, sysctl};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The file of sysctl.d(5) that keeps them.
    pub file: AbsPath,
    /// Parameter (with dots) to value.
    pub set: BTreeMap<String, String>,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.file.clone()));
        drop_in::queries(&self.file, queries);
        queries.extend(self.set.keys().cloned().map(Query::Sysctl));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let text: String = self.set.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let file = File {
            path: self.file.clone(),
            content: Text::open(format!("# Managed by petasos.\n{text}")),
            owner: Account::root(),
            group: Account::root(),
            mode: Mode::new("0644")?,
            check: Vec::new(),
        };
        let mut resources: Vec<Box<dyn Resource>> = vec![Box::new(file)];
        for (key, value) in &self.set {
            resources.push(Box::new(LiveValue { key: key.clone(), value: value.clone() }));
        }
        Ok(resources)
    }
}

/// The value that the kernel has.
struct LiveValue {
    key: String,
    value: String,
}

impl Resource for LiveValue {
    fn id(&self) -> String {
        format!("sysctl {}", self.key)
    }

    fn kind(&self) -> &'static str {
        "sysctl"
    }

    fn touches(&self) -> Touches {
        Touches::nothing().path(sysctl::file(&self.key))
    }

    fn least_risk(&self) -> Risk {
        access::risk_of_parameter(&self.key, &self.value)
    }

    /// Some containers have the network's parameters read-only.
    fn needs_room(&self) -> &'static [Need] {
        if self.key.starts_with("net.") { &[Need { directory: "/proc/sys/net", mebibytes: 0 }] } else { &[] }
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        // The kernel prints several numbers with tabs between; facts have single spaces.
        let want = self.value.split_whitespace().collect::<Vec<_>>().join(" ");
        match seen(&facts.sysctls, &self.key)? {
            Seen::Is(is) if *is == want => Ok(Vec::new()),
            Seen::Is(is) => {
                let act = Act::Run {
                    argv: vec!["tee".into(), sysctl::file(&self.key)],
                    stdin: Some(Text::open(&self.value)),
                };
                Ok(vec![Change::new("value", is, &self.value, vec![act])])
            }
            // A kernel without IPv6 has nothing there to be hardened.
            Seen::Absent if self.key.starts_with("net.ipv6.") => Ok(Vec::new()),
            Seen::Absent => Err(Fault::new(format!("this kernel has no parameter `{}`", self.key))),
            Seen::Unreadable(why) => Err(Fault::new(why)),
        }
    }
}
