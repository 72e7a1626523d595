//! petasos.yaml: what the user wants, for all hosts and for single ones.

use super::backup::Backup;
use super::names::{no_name_of_a_host, open_name};
use super::network::Network;
use super::overlay::{depth, merge, step};
use super::settings::{Admin, Agent, Guard, Role, Settings, Ssh};
use super::{KeyFault, Target, contradictions, switch};
use crate::fault::Fault;
use crate::wording;
use crate::yaml::{self, Place, Step};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A mapping that may have every section, beside keys of its own. They are read to be checked, each
/// where it stands; what holds for a host is put together in [`Config::settings`].
macro_rules! with_sections {
    ($(#[$about:meta])* $sight:vis struct $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        $sight struct $name {
            $($own)*
            #[serde(default, rename = "admin", deserialize_with = "or_default")]
            _admin: Admin,
            #[serde(default, rename = "agent", deserialize_with = "or_default")]
            _agent: Agent,
            #[serde(default, rename = "network", deserialize_with = "or_default")]
            _network: Network,
            #[serde(default, rename = "ssh", deserialize_with = "or_default")]
            _ssh: Ssh,
            #[serde(default, rename = "guard", deserialize_with = "or_default")]
            _guard: Guard,
            #[serde(default, rename = "backup", deserialize_with = "or_off")]
            _backup: Option<Backup>,
        }
    };
}

with_sections! {
    /// The file.
    #[derive(Default)]
    pub struct Config {
        #[serde(default, deserialize_with = "or_default")]
        hosts: BTreeMap<String, HostEntry>,
        #[serde(default, deserialize_with = "or_default")]
        pub secrets: Secrets,
        /// The same once more, without the defaults: what a host says is laid over what all hosts
        /// say, and the defaults come last.
        #[serde(skip)]
        raw: Value,
        /// The file's name and text, to show a line of it.
        #[serde(skip)]
        read: (String, String),
    }
}

/// The file of encrypted secrets, which all hosts share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Public keys of those who may decrypt it, or files of them; by default the administrator's.
    #[serde(default)]
    pub recipients: Vec<String>,
}

with_sections! {
    /// A host, with whatever differs for it.
    struct HostEntry {
        address: Target,
        #[serde(default)]
        role: Role,
    }
}

/// A section whose every line is commented out says nothing.
fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// The same of one that may be `off`.
fn or_off<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Backup>, D::Error> {
    #[derive(Deserialize)]
    struct Switched(#[serde(deserialize_with = "switch::read")] Option<Backup>);
    Ok(Option::<Switched>::deserialize(from)?.and_then(|Switched(backup)| backup))
}

impl Config {
    /// Reads the text of petasos.yaml.
    ///
    /// # Errors
    /// What is wrong, with file, line and caret.
    pub fn read(file: &str, text: &str) -> Result<Self, Fault> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let mut config: Self = yaml::read(file, text)?;
        let open = |(name, host): (&String, &HostEntry)| {
            let wrong = open_name(&host._admin, &host._agent, &host._network)?;
            Some(KeyFault {
                path: KeyFault::of(&["hosts", name], Fault::new("")).path.into_iter().chain(wrong.path).collect(),
                ..wrong
            })
        };
        let all = open_name(&config._admin, &config._agent, &config._network);
        if let Some(wrong) = all.or_else(|| config.hosts.iter().find_map(open)) {
            return Err(yaml::point(file, text, &wrong.path, wrong.fault));
        }
        if let Some(wrong) = config.hosts.keys().find_map(|name| no_name_of_a_host(name)) {
            return Err(yaml::point_at_key(file, text, &wrong.path, wrong.fault));
        }
        config.raw = yaml::read(file, text)?;
        config.read = (file.to_owned(), text.to_owned());
        let mut scopes = Vec::new();
        for host in std::iter::once(None).chain(config.hosts.keys().map(|host| Some(host.as_str()))) {
            let settings = config.checked(host).map_err(|(path, fault)| yaml::point(file, text, &path, fault))?;
            scopes.push((host, settings));
        }
        match contradictions::first(&config.raw, &scopes) {
            Some((path, fault)) => Err(yaml::point(file, text, &path, fault)),
            None => Ok(config),
        }
    }

    /// The same of a file as it is on disk.
    ///
    /// # Errors
    /// As for [`Config::read`], and when it is no text.
    pub fn read_bytes(file: &str, bytes: &[u8]) -> Result<Self, Fault> {
        Self::read(file, yaml::text(file, bytes)?)
    }

    /// The names of the hosts.
    pub fn names(&self) -> Vec<&str> {
        self.hosts.keys().map(String::as_str).collect()
    }

    /// What a host is for; one that is not in the file has an agent.
    pub fn role(&self, name: &str) -> Role {
        self.hosts.get(name).map(|host| host.role).unwrap_or_default()
    }

    /// The address of a host, by name.
    ///
    /// # Errors
    /// When there is no such host; says which one may have been meant.
    pub fn address(&self, name: &str) -> Result<&Target, Fault> {
        self.hosts.get(name).map(|host| &host.address).ok_or_else(|| {
            let meant = wording::nearest(name, self.hosts.keys().map(String::as_str));
            let hint = match (meant, self.hosts.is_empty()) {
                (Some(meant), _) => format!("did you mean `{meant}`?"),
                (None, true) => format!("to name an address, write `root@{name}`"),
                (None, false) => format!("it has {}; to name an address, write `root@{name}`", self.names().join(", ")),
            };
            Fault::new(format!("petasos.yaml has no host `{name}`")).hint(hint)
        })
    }

    /// The host whose address this is, if one has it.
    pub fn name_of(&self, target: &Target) -> Option<&str> {
        let same = |host: &HostEntry| host.address.host == target.host && host.address.port == target.port;
        self.hosts.iter().find(|(_, host)| same(host)).map(|(name, _)| name.as_str())
    }

    /// What a host should be: its own words, over those for all hosts, over the defaults. Without a
    /// name, no host's own words.
    ///
    /// # Errors
    /// None that a file which was read could cause.
    pub fn settings(&self, name: Option<&str>) -> Result<Settings, Fault> {
        self.checked(name).map_err(|(_, fault)| fault)
    }

    /// The same; and where in the file stands what is wrong. The first reader takes `1` for a text
    /// where one is asked for, this one does not.
    fn checked(&self, name: Option<&str>) -> Result<Settings, (Vec<Step>, Fault)> {
        let mut merged = self.raw.clone();
        let own = name.and_then(|name| self.raw.get("hosts")?.get(name)).cloned();
        if let Some(own) = own {
            merge(&mut merged, own);
        }
        match &mut merged {
            Value::Object(sections) => sections.retain(|_, section| !section.is_null()),
            other => *other = Value::Object(serde_json::Map::default()),
        }
        serde_path_to_error::deserialize(merged).map_err(|error| {
            let path = error.path().iter().filter_map(step).collect();
            (self.placed(name, path), wording::plain(&error.inner().to_string()))
        })
    }
}

impl Config {
    /// How many steps of a path a host's own words have, or those for all hosts.
    pub fn stated(&self, name: Option<&str>, path: &[&str]) -> usize {
        let steps: Vec<Step> = path.iter().map(|key| Step::Key((*key).to_owned())).collect();
        let own = name.map_or(Some(&self.raw), |name| self.raw.get("hosts")?.get(name));
        own.map_or(0, |own| depth(own, &steps))
    }

    /// The same fault where its key stands among what a host gets; as it is where that is a
    /// default.
    pub fn point(&self, name: Option<&str>, wrong: KeyFault) -> Fault {
        match self.place(name, wrong.path) {
            Some(place) => place.point(wrong.fault),
            None => wrong.fault,
        }
    }

    /// The place of the value that a host gets; none for a default.
    pub fn place(&self, name: Option<&str>, path: Vec<Step>) -> Option<Place> {
        let path = self.placed(name, path);
        let (file, text) = self.read.clone();
        (depth(&self.raw, &path) == path.len()).then_some(Place { file, text, path })
    }

    /// Where the value that a host gets stands: among its own words, or those for all hosts.
    fn placed(&self, name: Option<&str>, path: Vec<Step>) -> Vec<Step> {
        let own = name.and_then(|name| Some((name, self.raw.get("hosts")?.get(name)?)));
        match own {
            Some((name, own)) if depth(own, &path) == path.len() => {
                ["hosts", name].map(|key| Step::Key(key.to_owned())).into_iter().chain(path).collect()
            }
            _ => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
hosts:
  staging: { address: root@198.51.100.10 }
  production: { address: \"root@198.51.100.20:2222\", agent: { limits: { memory: 4G } } }
agent: { provider: anthropic, limits: { tasks: 99 } }
";

    #[test]
    fn a_host_says_only_what_differs() {
        let config = Config::read("petasos.yaml", FILE).expect("it is sound");
        let production = config.settings(Some("production")).expect("it is there");
        let limits = &production.agent.limits;
        assert_eq!((limits.memory.as_str(), limits.tasks, limits.cpu.as_str()), ("4G", 99, "200%"));
        assert_eq!(production.agent.provider, "anthropic");
        assert_eq!(config.settings(Some("staging")).expect("it is there").agent.limits.memory, "2G");
    }

    #[test]
    fn a_misspelt_key_is_shown_with_what_was_meant() {
        let error = Config::read("petasos.yaml", "agent:\n  provder: x\n").expect_err("no such key").to_string();
        assert!(error.contains("unknown key `provder`") && error.contains("petasos.yaml:2:3"), "{error}");
        assert!(
            error.contains("  ^") && error.contains("hint: did you mean `provider`? the keys here are provider,"),
            "{error}"
        );
    }

    #[test]
    fn a_misspelt_host_is_shown_with_what_was_meant() {
        let config = Config::read("petasos.yaml", FILE).expect("it is sound");
        assert!(
            config.address("prodction").expect_err("no such host").to_string().ends_with("did you mean `production`?")
        );
    }

    #[test]
    fn a_name_is_checked_although_it_has_braces() {
        for text in ["admin: { user: \"{{; id\" }", "hosts: { a: { address: h, network: { inbound: [\"{{\"] } } }"] {
            assert!(Config::read("petasos.yaml", text).is_err_and(|error| error.message.contains("{{")), "{text}");
        }
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert!(Config::read("petasos.yaml", "# nothing yet\n").is_ok_and(|config| config.settings(None).is_ok()));
    }
}
