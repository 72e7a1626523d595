//! Who is told when a backup fails, and how.

use crate::fault::Fault;
use crate::name::{AbsPath, EnvName};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// `backup.alarm`: each way that is given is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The name of the secret that is the address: whoever knows it may post there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "name_of_secret")]
    pub webhook: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// A program of the host's, which gets the text on standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<AbsPath>,
}

impl Alarm {
    /// The secrets that it takes.
    pub fn secrets(&self) -> impl Iterator<Item = &EnvName> {
        self.webhook.iter().chain(self.email.iter().flat_map(|email| &email.password))
    }

    /// Whether anybody is told.
    pub fn any(&self) -> bool {
        self.webhook.is_some() || self.email.is_some() || self.command.is_some()
    }
}

/// A letter, by way of a mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub to: Address,
    pub from: Address,
    pub server: Server,
    /// Who logs in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Plain>,
    /// The name of the secret that is the password.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "name_of_secret")]
    pub password: Option<EnvName>,
}

/// Such as `ops@example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Where mail is handed over: `smtps://HOST` (TLS at once) or `smtp://HOST:587` (STARTTLS, which is
/// required).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server(String);

/// A text without white space, quotes or backslashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Plain(String);

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\<>".contains(&byte))
}

impl TryFrom<String> for Address {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        let whole =
            text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.') && !at.contains('@'));
        let local = text.ends_with("@localhost");
        if is_plain(&text) && (whole || local) && !text.starts_with('-') {
            return Ok(Self(text));
        }
        Err(Fault::new(format!("`{}` is no e-mail address", text.escape_debug()))
            .hint("write it like `ops@example.com`"))
    }
}

impl TryFrom<String> for Server {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        let host = text.strip_prefix("smtps://").or_else(|| text.strip_prefix("smtp://"));
        let fits = |host: &str| {
            let (name, port) = host.split_once(':').unwrap_or((host, "587"));
            let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
            !name.is_empty() && letters && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        if host.is_some_and(fits) {
            return Ok(Self(text));
        }
        Err(Fault::new(format!("`{}` is no mail server", text.escape_debug()))
            .hint("write `smtps://smtp.example.com` or `smtp://smtp.example.com:587`; the user goes into `user`, the password into a secret"))
    }
}

impl TryFrom<String> for Plain {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        if is_plain(&text) {
            return Ok(Self(text));
        }
        Err(Fault::new(format!("`{}` has a character that cannot stand here", text.escape_debug())))
    }
}

impl From<Address> for String {
    fn from(Address(text): Address) -> Self {
        text
    }
}
impl From<Server> for String {
    fn from(Server(text): Server) -> Self {
        text
    }
}
impl From<Plain> for String {
    fn from(Plain(text): Plain) -> Self {
        text
    }
}

fn name_of_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<EnvName>, D::Error> {
    let text = String::deserialize(from)?;
    EnvName::new(text).map(Some).map_err(|_| {
        // What stands here may be the secret itself.
        let fault = Fault::new("the name of a secret is expected here, in capitals");
        D::Error::custom(fault.hint(
            "keep its value with `petasos secret set ALARM_URL` or in the environment, and write `ALARM_URL` here",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Alarm, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn each_way_alone_and_all_together() {
        let alarm = read(
            "{ webhook: ALARM_URL, command: /usr/local/bin/tell, email: { to: ops@example.com, from: petasos@example.com, server: 'smtps://smtp.example.com', user: petasos, password: SMTP_PASSWORD } }",
        );
        let names: Vec<String> = alarm.unwrap().secrets().map(ToString::to_string).collect();
        assert_eq!(names, ["ALARM_URL", "SMTP_PASSWORD"]);
        assert!(read("{ command: /bin/tell }").unwrap().any() && !read("{}").unwrap().any());
    }

    #[test]
    fn a_secret_itself_is_no_name_of_one() {
        for wrong in ["https://hooks.example.com/T0/B0/verysecret", "verysecret", "very secret"] {
            let error = read(&format!("{{ webhook: '{wrong}' }}")).unwrap_err();
            assert!(error.contains("the name of a secret is expected"), "{error}");
        }
    }

    #[test]
    fn what_would_be_an_option_or_a_line_of_its_own_is_refused() {
        let email =
            |to: &str, server: &str| read(&format!("{{ email: {{ to: {to:?}, from: a@b.c, server: {server:?} }} }}"));
        assert!(email("ops@example.com", "smtp://mail.example.com:587").is_ok());
        for to in ["ops", "-v@example.com", "a@b.c\nurl = x", "a b@c.d", "a\"@b.c"] {
            assert!(email(to, "smtp://mail.example.com").unwrap_err().contains("no e-mail address"), "{to}");
        }
        for server in
            ["mail.example.com", "https://x.example", "smtp://user:pw@x.example", "smtp://x.example:0", "smtp://"]
        {
            assert!(email("a@b.c", server).unwrap_err().contains("no mail server"), "{server}");
        }
    }
}
