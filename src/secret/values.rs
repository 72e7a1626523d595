//! The values: what is common to all hosts, and what single hosts have instead.

use super::sealed::Plain;
use crate::act::Text;
use crate::fault::Fault;
use crate::name::EnvName;
use crate::release::environment;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// The only format that this program reads or writes.
pub const FORMAT: u32 = 1;

/// What stands in the file, once it is decrypted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    version: u32,
    /// Whom it was last encrypted for: an age header does not tell that of everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<EnvName, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hosts: BTreeMap<String, BTreeMap<EnvName, Value>>,
}

/// A value; shown to the file alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
struct Value(Text);

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self(Text::secret(text))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.reveal())
    }
}

impl Default for Values {
    fn default() -> Self {
        Self { version: FORMAT, recipients: Vec::new(), secrets: BTreeMap::new(), hosts: BTreeMap::new() }
    }
}

impl Values {
    /// # Errors
    /// When it is not what petasos writes. Neither a line nor a word of it is shown.
    pub fn read(plain: &Plain) -> Result<Self, Fault> {
        let malformed = || {
            Fault::new("what is encrypted in it is not what `petasos secret` writes")
                .hint("restore the file from version control, or remove it and set the secrets again")
        };
        let options = serde_yaml::options! { emit_comments: false };
        // The parser's message quotes what it reads.
        let version: Version = serde_yaml::from_str_with_options(plain.reveal(), options).map_err(|_| malformed())?;
        if version.version != FORMAT {
            let found = version.version;
            return Err(Fault::new(format!("it has format {found}, this petasos reads {FORMAT}"))
                .hint("use the petasos that wrote it, or a newer one"));
        }
        let options = serde_yaml::options! { emit_comments: false };
        serde_yaml::from_str_with_options(plain.reveal(), options).map_err(|_| malformed())
    }

    /// # Errors
    /// None that names and texts could cause.
    pub fn plain(&self) -> Result<Plain, Fault> {
        let text = serde_yaml::to_string(self).map_err(|_| Fault::new("the secrets cannot be written as YAML"))?;
        Ok(Plain::new(text))
    }

    /// A host's own value, else the common one.
    pub fn get(&self, host: Option<&str>, name: &EnvName) -> Option<&Text> {
        let own = host.and_then(|host| self.hosts.get(host)?.get(name));
        own.or_else(|| self.secrets.get(name)).map(|value| &value.0)
    }

    /// Whether that takes the place of another.
    ///
    /// # Errors
    /// A value that the agent's reader would change; it is not shown.
    pub fn set(&mut self, host: Option<&str>, name: &EnvName, value: Text) -> Result<bool, Fault> {
        environment::line(name.as_str(), value.reveal()).map_err(|why| why.fault())?;
        let values = match host {
            Some(host) => self.hosts.entry(host.to_owned()).or_default(),
            None => &mut self.secrets,
        };
        Ok(values.insert(name.clone(), Value(value)).is_some())
    }

    /// Whether it was there.
    pub fn remove(&mut self, host: Option<&str>, name: &EnvName) -> bool {
        match host {
            None => self.secrets.remove(name).is_some(),
            Some(host) => {
                let removed = self.hosts.get_mut(host).and_then(|own| own.remove(name)).is_some();
                self.hosts.retain(|_, own| !own.is_empty());
                removed
            }
        }
    }

    /// Each name with its host; none for all hosts.
    pub fn names(&self) -> Vec<(&EnvName, Option<&str>)> {
        let own = self.hosts.iter().flat_map(|(host, own)| own.keys().map(|name| (name, Some(host.as_str()))));
        let mut names: Vec<_> = self.secrets.keys().map(|name| (name, None)).chain(own).collect();
        names.sort();
        names
    }
}

/// What every format begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
