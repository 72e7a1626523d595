//! `agent.audit`: where the log of what the agent did goes, beside the host's own disk.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// A syslog server that speaks TLS (RFC 5425).
    Syslog(Server),
    /// Where each line is posted.
    Url(Address),
}

/// `logs.example.org:6514`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server {
    pub host: String,
    pub port: u16,
}

/// `https://logs.example.org/in`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    url: String,
    pub server: Server,
}

/// syslog over TLS, RFC 5425.
const SYSLOG_TLS: u16 = 6514;

impl Server {
    fn of(text: &str, usual: u16) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (text, usual),
        };
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let sound = host.len() <= 253 && host.contains('.') && host.split('.').all(label);
        let number = host.chars().all(|c| c.is_ascii_digit() || c == '.');
        (sound && !number).then(|| Self { host: host.to_ascii_lowercase(), port })
    }
}

impl TryFrom<String> for Server {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        Self::of(&text, SYSLOG_TLS).ok_or_else(|| {
            Fault::new(format!("`{text}` is not a syslog server"))
                .hint("write its name and port: `logs.example.org:6514`; its certificate must be for that name")
        })
    }
}

impl From<Server> for String {
    fn from(server: Server) -> String {
        format!("{}:{}", server.host, server.port)
    }
}

impl TryFrom<String> for Address {
    type Error = Fault;

    fn try_from(url: String) -> Result<Self, Fault> {
        let plain = url.chars().all(|c| c.is_ascii_graphic() && !"\"'\\<>@".contains(c));
        let place = url.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let server = place.filter(|_| plain).and_then(|place| Server::of(place, 443));
        let wrong = || {
            Fault::new(format!("`{url}` is not an address that the log can be sent to"))
                .hint("write `https://` and a name: `https://logs.example.org/in`; a token goes under `agent.secrets`")
        };
        let server = server.ok_or_else(wrong)?;
        Ok(Self { url, server })
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_log_goes_to_a_named_server_over_tls() {
        let read = |value: Value| serde_json::from_value::<Forward>(value).ok();
        let host = |value: Value| match read(value)? {
            Forward::Syslog(server) => Some((server.host, server.port)),
            Forward::Url(address) => Some((address.server.host, address.server.port)),
        };
        assert_eq!(host(json!({ "syslog": "Logs.example.org" })), Some(("logs.example.org".into(), 6514)));
        assert_eq!(host(json!({ "url": "https://logs.example.org/in?a=b" })), Some(("logs.example.org".into(), 443)));
        for bad in [
            json!({ "syslog": "203.0.113.7:514" }),
            json!({ "syslog": "logs" }),
            json!({ "syslog": "a.b:0" }),
            json!({ "url": "http://logs.example.org" }),
            json!({ "url": "https://user:word@logs.example.org" }),
            json!({ "url": "https://logs.example.org/\"" }),
            json!({ "syslog": "a.b", "url": "https://a.b" }),
            json!({ "file": "/x" }),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
