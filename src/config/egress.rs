//! Where the agent may go, by name: what the user allows, and the packs that come with a provider
//! or a platform.

use crate::fault::Fault;
use crate::yaml;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a user allows: `api.example.com`, `*.example.com` (every name below it),
/// `git.example.com:22` (that port of that host alone), `localhost:11434` (what another user of the
/// host itself serves there).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allowed {
    /// In small letters, without a trailing dot.
    pub name: String,
    /// Whether every name below it is meant, and not the name itself.
    pub below: bool,
    /// None is HTTPS, by the name in its handshake; never for this host itself.
    pub port: Option<u16>,
}

/// The port that TLS by name goes to.
const HTTPS: u16 = 443;
/// The host itself.
const LOCALHOST: &str = "localhost";

impl TryFrom<String> for Allowed {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::new(format!(
                "`{text}` cannot be allowed: {why} (write `api.example.com`, `*.example.com`, or `git.example.com:22`)"
            ))
        };
        if text.contains("//") || text.contains('/') {
            return Err(wrong("it is an address of the web; only its host's name counts"));
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => {
                let port =
                    port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is no port"))?;
                (host, Some(port))
            }
            None => (text.as_str(), None),
        };
        let (name, below) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return Err(wrong("it is no host's name"));
        }
        if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(wrong("an address says nothing of who is there; only names are let through"));
        }
        if name == LOCALHOST && !below {
            return match port {
                Some(_) => Ok(Self { name, below, port }),
                None => Err(wrong("of this host itself a port must be said: `localhost:11434`")),
            };
        }
        if !name.contains('.') {
            return Err(wrong("it has one label only, which is too much or nothing"));
        }
        let port = port.filter(|port| *port != HTTPS);
        if below && port.is_some() {
            return Err(wrong(
                "`*.` goes with HTTPS alone: on other ports a connection does not say which name it means",
            ));
        }
        Ok(Self { name, below, port })
    }
}

impl From<Allowed> for String {
    fn from(allowed: Allowed) -> String {
        allowed.to_string()
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let star = if self.below { "*." } else { "" };
        match self.port {
            Some(port) => write!(out, "{star}{}:{port}", self.name),
            None => write!(out, "{star}{}", self.name),
        }
    }
}

impl Allowed {
    /// Whether it is a port of the host itself.
    pub fn is_local(&self) -> bool {
        self.name == LOCALHOST
    }

    /// Whether HTTPS to a name is let through by this.
    pub fn covers(&self, name: &str) -> bool {
        self.port.is_none()
            && if self.below {
                name.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            } else {
                name == self.name
            }
    }
}

/// The names that come by themselves: data, in `playbooks/data/packs.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packs {
    /// For every agent.
    pub always: Vec<Allowed>,
    pub providers: BTreeMap<String, Vec<Allowed>>,
    pub platforms: BTreeMap<String, Pack>,
}

/// What a messaging platform needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Without these it cannot work.
    pub needs: Vec<String>,
    pub names: Vec<Allowed>,
}

/// Who asks for names.
pub struct Asked<'a> {
    pub provider: &'a str,
    /// The host of the provider's own address, where it is not the usual one.
    pub base_url: Option<&'a str>,
    pub platforms: Vec<&'a str>,
    pub allow: &'a [Allowed],
}

impl Packs {
    /// Reads the data.
    ///
    /// # Errors
    /// What is wrong, with line and caret.
    pub fn read(file: &str, text: &str) -> Result<Self, Fault> {
        yaml::read(file, text)
    }

    /// All that one agent may reach.
    ///
    /// # Errors
    /// A contradiction: somebody is enabled whose names are not allowed.
    pub fn names(&self, asked: &Asked<'_>) -> Result<BTreeSet<Allowed>, Fault> {
        let mut names: BTreeSet<Allowed> = self.always.iter().chain(asked.allow).cloned().collect();
        match (asked.base_url.map(host_of), self.providers.get(asked.provider)) {
            (Some(host), _) => drop(names.insert(host?)),
            (None, Some(pack)) => names.extend(pack.iter().cloned()),
            (None, None) => {
                let provider = asked.provider;
                return Err(Fault::new(format!("nobody knows which names the provider `{provider}` has")).hint(format!(
                    "give its address as `agent.base_url`; or give `{provider}` a line in playbooks/data/packs.yaml (`petasos init --eject`)"
                )));
            }
        }
        for platform in &asked.platforms {
            let pack = self.platforms.get(*platform).cloned().unwrap_or_default();
            names.extend(pack.names);
            let lacks = pack.needs.iter().find(|name| !names.iter().any(|allowed| allowed.covers(name)));
            if let Some(name) = lacks {
                return Err(Fault::new(format!("{platform} is enabled, but {name} is not allowed"))
                    .hint("allow it under `network.egress.allow`, or in playbooks/data/packs.yaml"));
            }
        }
        Ok(names)
    }
}

/// The host of `https://host[:port]/…`.
fn host_of(url: &str) -> Result<Allowed, Fault> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, if scheme == "http" { "80" } else { "443" }),
    };
    let here = name.starts_with("127.") || name == "[::1]";
    let name = if here { LOCALHOST } else { name };
    Allowed::try_from(format!("{name}:{port}")).map_err(|why| why.at("agent.base_url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> Result<Allowed, Fault> {
        Allowed::try_from(text.to_owned())
    }

    #[test]
    fn names_are_checked_where_they_are_written() {
        for good in ["api.example.com", "*.example.com", "git.example.com:22", "a_b.example.com", "localhost:443"] {
            assert_eq!(allowed(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        assert_eq!(allowed("API.Example.COM.:443").map(|name| name.to_string()), Ok("api.example.com".to_owned()));
        for bad in [
            "",
            "*",
            "*.",
            "com",
            "203.0.113.7",
            "https://x.example.com",
            "x.example.com/y",
            "a..b",
            "-a.b",
            "*.a.b:22",
            "a.b:0",
            "a.b:99999",
            "a b.c",
            "a.b;c",
            "[::1]",
            "a.*.c",
            "a.b\n",
            "localhost",
            "*.localhost:80",
        ] {
            assert!(allowed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_is_every_name_below_and_not_the_name() {
        let star = allowed("*.example.com").unwrap();
        assert!(star.covers("a.example.com") && star.covers("a.b.example.com"));
        assert!(!star.covers("example.com") && !star.covers("badexample.com") && !star.covers(".example.com"));
        assert!(!allowed("a.example.com:22").unwrap().covers("a.example.com"));
    }

    fn packs() -> Packs {
        Packs::read(
            "packs.yaml",
            "always: [github.com]\nproviders: { openrouter: [openrouter.ai] }\nplatforms: { telegram: { needs: [api.telegram.org], names: [] } }\n",
        )
        .unwrap()
    }

    #[test]
    fn a_contradiction_is_an_error() {
        let asked = |provider, base_url, allow: &[Allowed], platforms: &[&str]| {
            packs().names(&Asked { provider, base_url, platforms: platforms.to_vec(), allow })
        };
        let error = asked("openrouter", None, &[], &["telegram"]).unwrap_err();
        assert!(error.message.starts_with("telegram is enabled, but api.telegram.org is not allowed"), "{error}");
        let star = [allowed("*.telegram.org").unwrap()];
        assert!(asked("openrouter", None, &star, &["telegram"]).is_ok());
        assert!(asked("acme", None, &[], &[]).unwrap_err().to_string().contains("agent.base_url"));
        let names = asked("acme", Some("https://llm.example.com/v1"), &[], &[]).unwrap();
        assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), ["github.com", "llm.example.com"]);
        assert!(asked("acme", Some("https://203.0.113.7/v1"), &[], &[]).is_err());
        for (url, port) in [
            ("http://127.0.0.1:8000/v1", "localhost:8000"),
            ("http://localhost/v1", "localhost:80"),
            ("https://[::1]:8443", "localhost:8443"),
            ("https://[::1]", "localhost:443"),
        ] {
            let names = asked("acme", Some(url), &[], &[]).unwrap();
            assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), ["github.com", port], "{url}");
        }
    }
}
