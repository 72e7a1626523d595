//! Where a host is: `user@address:port`.

use crate::fault::Fault;
use crate::name::Account;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

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
        let brackets = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match brackets {
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
            return Err(wrong(
                "the address is empty or has invalid characters; one with `[` or `{` before it needs quotes",
            ));
        }
        // By inet_aton(3), `198.51.100` is another host than is meant: 198.51.0.100.
        if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && host.parse::<Ipv4Addr>().is_err() {
            return Err(wrong("an IPv4 address has four numbers up to 255"));
        }
        let plain = host.split('%').next().unwrap_or(host);
        if (brackets.is_some() || host.contains(':')) && plain.parse::<Ipv6Addr>().is_err() {
            return Err(wrong("this is no IPv6 address"));
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
        for bad in
            ["198.51.100", "198.51.100.999", "198.51.100.10.", "198.51.100.10:22:33", "[host]:22", "a@2001:db8::g"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(read("a@fe80::1%eth0"), Ok(("a".into(), "fe80::1%eth0".into(), None)));
    }
}
