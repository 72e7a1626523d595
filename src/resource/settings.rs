//! Single lines `NAME value` of a file that a package brought, such as /etc/login.defs; all other
//! lines stay.

use super::file::File;
use super::{ResolveContext, Resource};
use crate::act::Text;
use crate::fact::{Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, EnvName, Mode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    pub mode: Mode,
    pub set: BTreeMap<EnvName, String>,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
        queries.insert(Query::Text(self.path.clone()));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        for (name, value) in &self.set {
            if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == '#') {
                return Err(Fault::new(format!("`{name}` of `{}` must be one word, not `{value}`", self.path)));
            }
        }
        let text = match seen(&context.facts.texts, &self.path)? {
            Seen::Is(text) => text.as_str(),
            Seen::Absent => "",
            Seen::Unreadable(why) => return Err(Fault::new(why)),
        };
        Ok(vec![Box::new(File {
            path: self.path.clone(),
            content: Text::open(with(text, &self.set)),
            owner: Account::root(),
            group: Account::root(),
            mode: self.mode.clone(),
            check: Vec::new(),
        })])
    }
}

/// The text with these settings, each in the place of the first line that has its name, or at the
/// end. A second line of a name goes: of two, login(1) takes the last and PAM the first.
fn with(text: &str, set: &BTreeMap<EnvName, String>) -> String {
    let (mut left, mut out) = (set.clone(), String::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().and_then(|word| set.keys().find(|name| name.as_str() == word));
        let Some(name) = name else {
            out += &format!("{line}\n");
            continue;
        };
        if let Some(value) = left.remove(name) {
            let same = words.eq([value.as_str()]);
            out += &if same { format!("{line}\n") } else { format!("{name}\t\t{value}\n") };
        }
    }
    out.extend(left.iter().map(|(name, value)| format!("{name}\t\t{value}\n")));
    out
}
