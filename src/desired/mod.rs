//! From petasos.yaml and petasos.lock to what a host should be: the values that fill playbooks and
//! templates, the names that the agent may reach, the claims that `petasos verify` puts to the
//! test. Pure: what only the operator's machine knows comes in as [`Operator`].

pub mod backup;
pub mod claims;
pub mod egress;
pub mod keys;
pub mod login;
pub mod packs;
pub mod policy;
pub mod rotation;
pub mod secrets;
pub mod vars;

use crate::act::Text;
use crate::config::packages::{self, NamedPackage};
use crate::config::{Config, Settings, Target};
use crate::name::EnvName;
use anyhow::Result;

/// What only the operator's machine knows.
pub struct Operator<'a> {
    /// An environment variable's value.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The value that the file of encrypted secrets has for the host.
    pub stored: &'a dyn Fn(&EnvName) -> Option<Text>,
    /// The text of a file that petasos.yaml names, such as a public key.
    pub file: &'a dyn Fn(&str) -> Result<String>,
    /// 32 random bytes of this run, in hexadecimal.
    pub seed: Text,
}

impl Operator<'_> {
    /// A secret: the environment's, else the stored one.
    pub fn secret(&self, name: &EnvName) -> Option<Text> {
        let set = (self.variable)(name.as_str()).filter(|value| !value.is_empty());
        set.map(Text::secret).or_else(|| (self.stored)(name))
    }
}

/// A host that was asked for.
pub struct Choice {
    /// As the user calls it.
    pub label: String,
    /// Its name in petasos.yaml, if it has one.
    pub name: Option<String>,
    pub target: Target,
    pub settings: Settings,
    /// The packages that petasos.yaml names for it.
    pub packages: Vec<NamedPackage>,
}

impl Choice {
    /// The host that `word` means: a name of petasos.yaml, or an address with an `@` in it.
    ///
    /// # Errors
    /// When there is no such host, or the address is malformed.
    pub fn of(config: &Config, host: &str) -> Result<Self> {
        let (name, target) = if host.contains('@') {
            let target = Target::try_from(host.to_owned())?;
            (config.name_of(&target).map(str::to_owned), target)
        } else {
            let target = config.address(host)?.clone();
            (Some(host.to_owned()), target)
        };
        let settings = config.settings(name.as_deref())?;
        let label = name.clone().unwrap_or_else(|| target.host.clone());
        let packages = packages::named(config, name.as_deref(), &settings);
        Ok(Self { label, name, target, settings, packages })
    }
}
