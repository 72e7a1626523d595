//! Where a host is: `user@address:port`.

use crate::fault::Fault;
use crate::name::Account;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    pub user: Account,
    /// A name, an address, or an alias of the user's ssh configuration. IPv6 addresses without
    /// brackets.
    pub host: String,
    /// None leaves it to the user's ssh configuration.
    pub port: Option<u16>,
}

impl TryFrom<String> for Target {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::new(format!(
                "`{text}` is not a host: {why} (write `root@203.0.113.7`, with `:2222` for another port)"
            ))
        };
        let (user, rest) = text.split_once('@').unwrap_or(("root", text.as_str()));
        let user = Account::new(user).map_err(|why| wrong(&why.message))?;
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => {
                (host, Some(port.strip_prefix(':').ok_or_else(|| wrong("after `]` comes `:` and a port"))?))
            }
            None if rest.matches(':').count() > 1 => (rest, None),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        // ssh(1) would take a leading `-` for an option.
        let sound = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        if host.is_empty() || host.starts_with('-') || !host.chars().all(sound) {
            return Err(wrong("the address is empty or has invalid characters"));
        }
        if host.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("a number alone is no address"));
        }
        let port = port.map(|port| {
            port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is not valid"))
        });
        Ok(Self { user, host: host.to_owned(), port: port.transpose()? })
    }
}

impl From<Target> for String {
    fn from(target: Target) -> String {
        target.to_string()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, port } = self;
        match port {
            Some(port) if host.contains(':') => write!(out, "{user}@[{host}]:{port}"),
            Some(port) => write!(out, "{user}@{host}:{port}"),
            None => write!(out, "{user}@{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_all_their_forms() {
        let read = |text: &str| {
            Target::try_from(text.to_owned()).map(|target| (target.user.to_string(), target.host, target.port))
        };
        assert_eq!(read("root@203.0.113.7"), Ok(("root".into(), "203.0.113.7".into(), None)));
        assert_eq!(read("ops@host:2222"), Ok(("ops".into(), "host".into(), Some(2222))));
        assert_eq!(read("host"), Ok(("root".into(), "host".into(), None)));
        assert_eq!(read("a@[2001:db8::7]:22"), Ok(("a".into(), "2001:db8::7".into(), Some(22))));
        assert_eq!(read("a@2001:db8::7"), Ok(("a".into(), "2001:db8::7".into(), None)));
        for bad in
            ["root@", "@x", "root@-oProxyCommand=x", "root@h:0", "root@h:x", "root@h;id", "ro ot@h", "a@[::1", "1234"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
