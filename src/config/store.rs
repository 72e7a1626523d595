//! Where backups go that is no vault of petasos.yaml: a machine or a service that Petasos has no
//! login at.

use crate::fault::Fault;
use crate::name::EnvName;
use core::net::{IpAddr, Ipv6Addr};
use serde::{Deserialize, Serialize};

/// `ssh://USER@HOST:PORT/PATH`, `sftp://USER@HOST:PORT/PATH` or `s3:https://HOST/BUCKET/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Store {
    text: String,
    pub way: Way,
}

/// How it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// rclone, behind a key that runs one command.
    Ssh(Login),
    Sftp(Login),
    S3(Bucket),
}

/// As the host dials it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub host: String,
    pub port: u16,
    /// Absolute, or below the user's own folder.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    pub bucket: String,
    /// Empty where there is none.
    pub prefix: String,
    /// The secrets that open it: the id of an access key, and the key.
    pub secrets: [EnvName; 2],
}

impl Store {
    /// Who is logged in as, where it takes a login.
    pub fn login(&self) -> Option<&Login> {
        match &self.way {
            Way::Ssh(login) | Way::Sftp(login) => Some(login),
            Way::S3(_) => None,
        }
    }

    /// The secrets that it takes.
    pub fn secrets(&self) -> &[EnvName] {
        match &self.way {
            Way::Ssh(_) | Way::Sftp(_) => &[],
            Way::S3(bucket) => &bucket.secrets,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Login {
    /// None where it is a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

const FORMS: &str = "write `ssh://USER@HOST:23/PATH` (rclone behind a key that runs one command), `sftp://USER@HOST/PATH`, or `s3:https://HOST/BUCKET/PREFIX`";

impl TryFrom<String> for Store {
    type Error = Fault;
    fn try_from(text: String) -> Result<Self, Fault> {
        let way = match text.split_once(':') {
            Some(("ssh", rest)) => login(rest).map(Way::Ssh),
            Some(("sftp", rest)) => login(rest).map(Way::Sftp),
            Some(("s3", rest)) => bucket(rest).map(Way::S3),
            _ => None,
        };
        match way {
            Some(way) => Ok(Self { text, way }),
            None => {
                // A password may stand in it.
                let shown = if text.rsplit_once('@').is_some_and(|(user, _)| user.matches(':').count() > 1) {
                    "this".to_owned()
                } else {
                    format!("`{}`", text.escape_debug())
                };
                Err(Fault::new(format!("{shown} is no place that backups can go to")).hint(FORMS))
            }
        }
    }
}

impl From<Store> for String {
    fn from(store: Store) -> Self {
        store.text
    }
}

/// `//USER@HOST[:PORT]/PATH`, or `USER@HOST:PATH` as restic has it for sftp.
fn login(rest: &str) -> Option<Login> {
    let (at, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let slash = rest.find('/')?;
            let path = rest.get(slash..)?;
            let own = path.strip_prefix("/./").or_else(|| path.strip_prefix("/~/"));
            (rest.get(..slash)?, own.unwrap_or(path))
        }
        None => rest.split_once(':')?,
    };
    let (user, host) = at.split_once('@')?;
    let (host, port) = address(host)?;
    let named = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (named && !user.is_empty() && !user.starts_with('-') && is_path(path)).then(|| Login {
        user: user.to_owned(),
        host,
        port,
        path: path.trim_end_matches('/').to_owned(),
    })
}

/// `HOST`, `HOST:PORT` or `[IPV6]:PORT`.
fn address(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let named = text.starts_with('[') || is_host(host);
    let port = port.map_or(Ok(22), str::parse).ok().filter(|port| *port > 0)?;
    named.then(|| (host.to_owned(), port))
}

/// A name or a number.
fn is_host(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    letters && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// What a shell, sshd and restic all take for one word; and it leads nowhere else.
fn is_path(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
    plain && !text.trim_matches('/').is_empty() && !text.starts_with('-') && text.split('/').all(|part| part != "..")
}

/// `[https://]HOST[:PORT]/BUCKET[/PREFIX]`
fn bucket(rest: &str) -> Option<Bucket> {
    let (scheme, rest) = rest.split_once("://").unwrap_or(("https", rest));
    let (host, place) = rest.split_once('/')?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let bounded = (3..=63).contains(&bucket.len()) && is_host(bucket);
    let prefix = prefix.trim_end_matches('/');
    let fits = ["https", "http"].contains(&scheme)
        && is_host(name)
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && bounded
        && (prefix.is_empty() || is_path(prefix) && !prefix.starts_with('/'));
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| EnvName::new(name).ok());
    let [Some(id), Some(key)] = names else { return None };
    fits.then(|| Bucket {
        endpoint: format!("{scheme}://{host}"),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        secrets: [id, key],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Store, String> {
        Store::try_from(text.to_owned()).map_err(|fault| fault.to_string())
    }

    fn login_of(text: &str) -> (String, String, u16, String) {
        let login = read(text).unwrap().login().unwrap().clone();
        (login.user, login.host, login.port, login.path)
    }

    #[test]
    fn a_login_has_a_user_a_host_and_a_path() {
        let of = |user: &str, host: &str, port, path: &str| (user.to_owned(), host.to_owned(), port, path.to_owned());
        assert_eq!(login_of("ssh://u1@u1.example.com:23/home/x"), of("u1", "u1.example.com", 23, "/home/x"));
        assert_eq!(login_of("ssh://u1@203.0.113.9:23/./x/"), of("u1", "203.0.113.9", 23, "x"));
        assert_eq!(login_of("sftp://b@[2001:db8::9]:2222/srv"), of("b", "2001:db8::9", 2222, "/srv"));
        assert_eq!(login_of("sftp://b@box/srv/restic"), of("b", "box", 22, "/srv/restic"));
        // As restic writes it.
        assert_eq!(login_of("sftp:b@box:/srv/restic"), of("b", "box", 22, "/srv/restic"));
    }

    #[test]
    fn a_bucket_has_an_endpoint() {
        let Way::S3(bucket) = read("s3:https://s3.eu-central-1.amazonaws.com/petasos-backups/web").unwrap().way else {
            panic!("no bucket")
        };
        assert_eq!(bucket.endpoint, "https://s3.eu-central-1.amazonaws.com");
        assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str()), ("petasos-backups", "web"));
        assert!(
            read("s3:s3.amazonaws.com/petasos-backups").is_ok() && read("s3:http://192.0.2.9:9000/abc/d/e").is_ok()
        );
    }

    #[test]
    fn what_would_be_an_option_a_word_more_or_another_place_is_refused() {
        for wrong in [
            "box",
            "/srv/restic",
            "https://example.com/x",
            "rest:https://example.com/x",
            "ssh://box/srv",
            "ssh://u@box",
            "ssh://u@box/",
            "ssh://u@box:0/srv",
            "ssh://u@box:x/srv",
            "ssh://-oProxyCommand=x@box/srv",
            "ssh://u@-oProxyCommand/srv",
            "ssh://u@box/srv/../etc",
            "ssh://u@box/a b",
            "ssh://u@box/a\"b",
            "ssh://u@box/a\nb",
            "sftp:u@box:-x",
            "s3:https://example.com/ab",
            "s3:ftp://example.com/abc",
            "s3:https://example.com",
            "s3:https://k:secret@example.com/abc",
            "s3:https://example.com/abc/../x",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("is no place that backups can go to"), "{wrong}: {error}");
        }
        let error = read("ssh://u:verysecret@box/srv").unwrap_err();
        assert!(!error.contains("verysecret"), "{error}");
    }
}
