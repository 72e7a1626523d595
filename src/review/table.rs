//! What a source is judged by, as data: reviewed/table.yaml.

use crate::fault::Fault;
use serde::Deserialize;

const TABLE: &str = include_str!("../../reviewed/table.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub apart: Vec<String>,
    pub chokes: Vec<Choke>,
    pub uses: Vec<Choke>,
    pub paths: Vec<String>,
    pub plain: Vec<String>,
    pub ways: Vec<Way>,
    pub settings: Vec<String>,
    /// Settings of something that an older release does not have either.
    pub may_lack: Vec<String>,
    pub environment: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choke {
    /// Module and name, with dots.
    pub at: String,
    /// None: any, or it is no function.
    pub parameters: Option<Vec<String>>,
    #[serde(default, rename = "async")]
    pub is_async: bool,
    #[serde(default = "policy")]
    pub holds: String,
}

fn policy() -> String {
    "the policy uses it".into()
}

impl Choke {
    /// Its last word.
    pub fn name(&self) -> &str {
        self.at.rsplit('.').next().unwrap_or(&self.at)
    }

    /// Whether a name in a source is this one: a function by its full name, a method by its own.
    pub fn is(&self, name: &str) -> bool {
        let mut words = self.at.rsplit('.').skip(1);
        let is_method = words.next().is_some_and(|class| class.starts_with(char::is_uppercase));
        name == self.at || is_method && name.strip_suffix(self.name()).is_some_and(|before| before.ends_with('.'))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    pub way: String,
    pub says: String,
    #[serde(default)]
    pub sandboxed: bool,
    pub names: Vec<String>,
    #[serde(default)]
    pub but: Vec<String>,
    /// Of these, calls only.
    #[serde(default)]
    pub calls: Vec<String>,
    #[serde(default)]
    pub texts: Vec<String>,
}

impl Table {
    /// The built-in one.
    ///
    /// # Errors
    /// Never, as a test reads it.
    pub fn built_in() -> Result<Self, Fault> {
        crate::yaml::read("reviewed/table.yaml", TABLE)
    }
}
