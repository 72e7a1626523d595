//! What the agent may reach: names, and single ports of single hosts.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};

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
pub(super) const LOCALHOST: &str = "localhost";

impl TryFrom<String> for Allowed {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::new(format!(
                "`{text}` cannot be allowed: {why} (write `api.example.com`, `*.example.com`, or `git.example.com:22`)"
            ))
        };
        if text.contains("//") || text.contains('/') {
            return Err(wrong("give the host name only, not a URL"));
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => {
                let port =
                    port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is not valid"))?;
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
            return Err(wrong("it is not a host name"));
        }
        if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(wrong("an IP address does not say who is there; only names can be allowed"));
        }
        if name == LOCALHOST && !below {
            return match port {
                Some(_) => Ok(Self { name, below, port }),
                None => Err(wrong("for this host itself give a port: `localhost:11434`")),
            };
        }
        if !name.contains('.') {
            return Err(wrong("it has a single label, which would match everything or nothing"));
        }
        let port = port.filter(|port| *port != HTTPS);
        if below && port.is_some() {
            return Err(wrong("`*.` works for HTTPS only: on other ports a connection does not carry a name"));
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

    /// Whether a name is below this one.
    pub fn is_above(&self, name: &str) -> bool {
        name.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }

    /// Whether HTTPS to a name is let through by this.
    pub fn covers(&self, name: &str) -> bool {
        self.port.is_none() && if self.below { self.is_above(name) } else { name == self.name }
    }
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
}
