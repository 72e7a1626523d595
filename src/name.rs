//! Names that were checked once, when they were read.
//!
//! A playbook may still hold `{{ … }}` where a name goes: `Deserialize` lets that pass. It is read
//! twice, and after rendering nothing is left of it, or the second reading refuses it.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When the text is not such a name; the message quotes it.
            pub fn new(text: impl Into<String>) -> Result<Self, Fault> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    return Ok(Self(text));
                }
                Err(Fault::new(format!("`{text}` is not {}", $what)))
            }

            /// Whether it still has a `{{` where its value goes.
            pub fn is_open(&self) -> bool {
                self.0.contains("{{")
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Fault;
            fn try_from(text: String) -> Result<Self, Fault> {
                if text.contains("{{") {
                    return Ok(Self(text));
                }
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

fn made_of(text: &str, first: fn(char) -> bool, rest: fn(char) -> bool, longest: usize) -> bool {
    let mut chars = text.chars();
    text.len() <= longest && chars.next().is_some_and(first) && chars.all(rest)
}

checked_name!(
    /// An absolute path without `.`, `..`, doubled slashes or control characters.
    AbsPath,
    "an absolute path (it must start with `/` and have no `.`, `..` or empty part)",
    |text| {
        let parts = || text.split('/').skip(1);
        text.starts_with('/')
            && (text == "/" || parts().all(|part| !part.is_empty() && part != "." && part != ".."))
            && !text.chars().any(char::is_control)
    }
);

checked_name!(
    /// A user's or group's name, as `useradd` accepts it.
    Account,
    "a user or group name (small letters, digits, `_` and `-`, at most 32)",
    |text| made_of(
        text,
        |c| c.is_ascii_lowercase() || c == '_',
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c),
        32
    )
);

checked_name!(
    /// A systemd unit with its suffix.
    UnitName,
    "a systemd unit (such as `hermes.service`)",
    |text| {
        const KINDS: [&str; 6] = [".service", ".socket", ".timer", ".target", ".path", ".mount"];
        KINDS.iter().any(|kind| text.len() > kind.len() && text.ends_with(kind))
            && made_of(text, |c| c.is_ascii_alphanumeric(), |c| c.is_ascii_alphanumeric() || ":_.@\\-".contains(c), 255)
    }
);

checked_name!(
    /// A Debian package.
    PackageName,
    "a package name (small letters, digits, `+`, `-` and `.`)",
    |text| made_of(
        text,
        |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c),
        128
    )
);

checked_name!(
    /// Permission bits, octal: `0640`.
    Mode,
    "a mode (three or four octal digits, such as `0640`)",
    |text| (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
);

checked_name!(
    /// An amount of memory or of disk: `512M`, `4G`.
    ByteSize,
    "a size (a number with `K`, `M`, `G` or `T`, such as `512M`)",
    |text| byte_count(text).is_some_and(|bytes| bytes > 0)
);

impl ByteSize {
    /// As far as that can be counted; none while it is open.
    pub fn bytes(&self) -> Option<u64> {
        byte_count(self.as_str())
    }
}

/// Whether a line of an authorized_keys(5) text is a key without options.
pub fn is_public_key(line: &str) -> bool {
    const KINDS: [&str; 4] = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];
    KINDS.iter().any(|kind| line.starts_with(kind)) && line.split_whitespace().count() >= 2
}

/// The bytes of a number with its unit.
pub fn byte_count(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let shift = match unit {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| digits).map(|number| number.saturating_mul(1 << shift))
}

checked_name!(
    /// The name of an environment variable.
    EnvName,
    "the name of an environment variable (capitals, digits and `_`)",
    |text| made_of(
        text,
        |c| c.is_ascii_uppercase() || c == '_',
        |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_',
        128
    )
);

checked_name!(
    /// A port with its protocol: `443/tcp`.
    Service,
    "a port with its protocol (such as `443/tcp`)",
    |text| text
        .split_once('/')
        // As ufw(8) reads it: `0444` would be octal.
        .is_some_and(|(port, protocol)| port.parse::<u16>().is_ok_and(|port| port > 0)
            && port.starts_with(|first: char| matches!(first, '1'..='9'))
            && matches!(protocol, "tcp" | "udp"))
);

checked_name!(
    /// The fingerprint of an SSH key: `SHA256:` and 32 bytes in base64, as `ssh-keygen -l` prints
    /// them.
    Fingerprint,
    "a fingerprint: write `SHA256:…` as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it",
    |text| text.strip_prefix("SHA256:").is_some_and(|digest| {
        digest.len() == 43 && digest.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c))
    })
);

checked_name!(
    /// An ed25519 key as authorized_keys(5) has it, without options and comment.
    PublicKey,
    "an ed25519 public key (`ssh-ed25519 AAAA…`, without options and comment)",
    |text| text.strip_prefix("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI").is_some_and(|rest| {
        rest.len() == 43 && rest.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c))
    })
);

impl AbsPath {
    /// The directory that holds it; `/` holds itself.
    pub fn parent(&self) -> Self {
        match self.0.rfind('/') {
            Some(at) if at > 0 => Self(self.0.get(..at).unwrap_or("/").to_owned()),
            _ => Self("/".to_owned()),
        }
    }

    /// # Errors
    /// When `name` cannot be a part of a path.
    pub fn join(&self, name: &str) -> Result<Self, Fault> {
        Self::new(format!("{}/{name}", self.0.trim_end_matches('/')))
    }
}

impl Account {
    /// `root`, the owner of most things.
    pub fn root() -> Self {
        Self("root".to_owned())
    }
}

impl Mode {
    /// The twelve permission bits.
    pub fn bits(&self) -> u32 {
        u32::from_str_radix(&self.0, 8).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_surprise_a_shell_or_a_daemon_are_refused() {
        for bad in ["", "etc", "/a/../b", "//a", "/a/", "/a\nb", "/."] {
            assert!(AbsPath::new(bad).is_err(), "{bad:?}");
        }
        for good in ["/", "/etc/x", "/a b/c"] {
            assert!(AbsPath::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "Root", "-x", "a b", "0a", "a;b"] {
            assert!(Account::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["hermes", ".service", "a b.service", "a.servic"] {
            assert!(UnitName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["0/tcp", "70000/tcp", "22", "22/icmp", "http/tcp", "0444/tcp", "+22/tcp"] {
            assert!(Service::new(bad).is_err(), "{bad:?}");
        }
        assert!(Mode::new("0640").is_ok() && Mode::new("888").is_err());
    }

    #[test]
    fn parents() {
        for (path, parent) in [("/a/b", "/a"), ("/a", "/"), ("/", "/")] {
            assert_eq!(AbsPath::new(path).map(|path| path.parent().to_string()), Ok(parent.to_owned()));
        }
    }
}
