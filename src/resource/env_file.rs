//! A file of `NAME=value` lines: plain settings, the caller's secrets, and values that the host
//! keeps once they were made.

use super::file::File;
use super::{ResolveContext, Resource};
use crate::act::Text;
use crate::fact::{Query, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, EnvName, Mode};
use crate::release::environment::{line, read};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    #[serde(default = "Account::root")]
    pub owner: Account,
    #[serde(default = "Account::root")]
    pub group: Account,
    pub mode: Mode,
    /// Plain settings; an empty one is left out.
    #[serde(default)]
    pub set: BTreeMap<EnvName, String>,
    /// Names of secrets whose values come from the caller; a list, or one text with spaces
    /// between them.
    #[serde(default)]
    pub secrets: StringList,
    /// The same, but left out where neither the caller nor the host has a value.
    #[serde(default)]
    pub optional: StringList,
    /// Another file of this form, where an older petasos kept these values: what this one lacks is
    /// taken from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<AbsPath>,
    /// Secrets made on the first run, 32 random bytes in hexadecimal, and kept from then on.
    #[serde(default)]
    pub generate: Vec<EnvName>,
}

/// A list, or one text that is split at white space; the latter can come from `{{ … }}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StringList {
    List(Vec<String>),
    Text(String),
    #[default]
    None,
}

impl StringList {
    pub fn list(&self) -> Vec<String> {
        match self {
            Self::List(list) => list.clone(),
            Self::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::None => Vec::new(),
        }
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
        queries.insert(Query::Text(self.path.clone()));
        queries.extend(self.kept_from.clone().map(Query::Text));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let values_in = |path: &AbsPath| -> Result<BTreeMap<String, String>, Fault> {
            Ok(seen(&context.facts.texts, path)?.is().map(|text| read(text)).unwrap_or_default())
        };
        let mut on_host = self.kept_from.as_ref().map_or(Ok(BTreeMap::new()), values_in)?;
        on_host.extend(values_in(&self.path)?);
        let mut values: BTreeMap<EnvName, String> = self.set.clone();
        values.retain(|_, value| !value.is_empty());
        // A run that was not given a secret keeps the one that the host has.
        let value = |name: &EnvName| {
            let given = (context.secret)(name).map(|value| value.reveal().to_owned());
            // An empty variable is a variable that was not set.
            let given = given.filter(|value| !value.is_empty());
            given.or_else(|| on_host.get(name.as_str()).cloned())
        };
        for name in self.optional.list() {
            let name = EnvName::new(name)?;
            if let Some(value) = value(&name) {
                values.insert(name, value);
            }
        }
        for name in self.secrets.list() {
            let name = EnvName::new(name)?;
            let value = value(&name).ok_or_else(|| {
                Fault::new(format!("the secret `{name}` is missing")).hint(format!(
                    "`petasos secret set {name}`, or set it in the environment of petasos; or remove what needs it from \
                     petasos.yaml (`agent.secrets`, a platform, `backup.alarm` or `backup.repository`)"
                ))
            })?;
            values.insert(name, value);
        }
        for name in &self.generate {
            let kept = on_host.get(name.as_str()).filter(|value| is_made_here(value)).cloned();
            values.insert(name.clone(), kept.unwrap_or_else(|| (context.fresh)(name).reveal().to_owned()));
        }
        let lines: Result<Vec<String>, Fault> =
            values.iter().map(|(name, value)| line(name.as_str(), value).map_err(|error| error.fault())).collect();
        Ok(vec![Box::new(File {
            path: self.path.clone(),
            content: Text::secret(lines?.concat()),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode.clone(),
            check: Vec::new(),
        })])
    }
}

fn is_made_here(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}
