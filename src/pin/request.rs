//! What the user may name as a release, and what is refused before any look at the network.
use crate::config::lock::Tag;
use crate::fault::Fault;
use std::fmt;
use std::str::FromStr;

/// The oldest release that can be hardened.
pub const OLDEST: semver::Version = semver::Version::new(0, 18, 2);

/// A release as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `0.19.0`
    Version(semver::Version),
    /// `v2026.7.20`
    Tag(Tag),
}

/// Why a name or a version is not a release that petasos pins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("`{0}` is a commit id, not a release")]
    Commit(String),
    #[error("`{0}` is a pre-release")]
    Prerelease(String),
    #[error(
        "`{0}` is not a release: a branch moves, and only release tags (like `v2026.7.20`) or versions (like `0.19.0`) are pinned"
    )]
    NotARelease(String),
    #[error(
        "release {0} is too old: before 0.18.2 the agent has neither `approvals.deny` nor `terminal.docker_network: false` (and before 0.18.0 no managed scope), so it cannot be hardened"
    )]
    TooOld(semver::Version),
}

impl RequestError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Commit(_) => Some("pin a release: `petasos pin 0.19.0`, or its tag".into()),
            Self::Prerelease(_) => Some("pin a final release".into()),
            Self::TooOld(_) => Some(format!("pin {OLDEST} or later")),
            Self::NotARelease(_) => None,
        }
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}

impl FromStr for Request {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        if let Ok(version) = semver::Version::parse(text) {
            return accept(version).map(Self::Version);
        }
        if let Ok(tag) = text.parse() {
            return Ok(Self::Tag(tag));
        }
        let name = text.to_owned();
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        Err(match text.strip_prefix('v').unwrap_or(text) {
            _ if hex && (7..=64).contains(&text.len()) => RequestError::Commit(name),
            rest if is_prerelease(rest) => RequestError::Prerelease(name),
            _ => RequestError::NotARelease(name),
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(out),
            Self::Tag(tag) => tag.fmt(out),
        }
    }
}

/// Whether a version may be pinned at all.
///
/// # Errors
/// A pre-release, or one older than [`OLDEST`].
pub fn accept(version: semver::Version) -> Result<semver::Version, RequestError> {
    if !version.pre.is_empty() || !version.build.is_empty() {
        return Err(RequestError::Prerelease(version.to_string()));
    }
    if version < OLDEST {
        return Err(RequestError::TooOld(version));
    }
    Ok(version)
}

/// Numbers and dots, then something more: `0.19.0rc1`, `2026.7.20-beta`.
fn is_prerelease(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    rest.len() < text.len() && !rest.is_empty() && text.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_tags_are_targets() {
        assert_eq!("0.19.0".parse::<Request>().unwrap().to_string(), "0.19.0");
        assert!(matches!("v2026.7.7.2".parse(), Ok(Request::Tag(_))));
    }

    #[test]
    fn what_is_not_a_release_is_refused_with_its_reason() {
        let refused = |text: &str| text.parse::<Request>().unwrap_err();
        for branch in ["main", "release/0.19", "HEAD", "-x", "", "0.19", "v1"] {
            assert!(matches!(refused(branch), RequestError::NotARelease(_)), "{branch}");
        }
        for pre in ["0.19.0-rc.1", "v2026.7.20-rc1", "0.19.0rc1", "v2026.7.20b2"] {
            assert!(matches!(refused(pre), RequestError::Prerelease(_)), "{pre}");
        }
        for id in ["a2f6da8", &"0a".repeat(20)] {
            assert!(matches!(refused(id), RequestError::Commit(_)), "{id}");
        }
        for old in ["0.18.1", "0.13.0"] {
            assert!(matches!(refused(old), RequestError::TooOld(_)), "{old}");
        }
        assert!(refused("0.13.0").to_string().contains("approvals.deny"));
    }
}
