//! What a pinned release is, as `petasos.lock` keeps it and as hosts are judged by it.
use crate::fault::Fault;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One release, pinned: every field is checked again on the host before anything is switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The git source it was fetched from.
    pub source: String,
    pub tag: Tag,
    pub commit: Commit,
    pub tree: Tree,
    /// SHA-256 of the uncompressed `git archive` of the commit: no forge's compression is in it.
    pub archive_sha256: Sha256,
    pub uv_lock_sha256: Sha256,
    /// Whether the tag object carries a signature. The signature is NOT verified.
    pub signed: bool,
    /// The release's own `requires-python`.
    pub requires_python: String,
    /// What runs it on hosts whose own Python does not fit; nothing in a lock that an older petasos
    /// wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
    /// What is known of its source; nothing in a lock that an older petasos wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// One version of Python, and its builds by architecture, as `uname -m` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Python {
    pub version: Version,
    pub builds: BTreeMap<String, Build>,
}

/// An archive of python-build-standalone's (`install_only`), packed by gzip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub url: String,
    pub sha256: Sha256,
    /// About how much is downloaded.
    pub mebibytes: u32,
}

/// Why the policy may stand in a release, and what its files must be while it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub review: Review,
    /// Of each module that the policy stands on, the digest of its file.
    pub files: BTreeMap<ModuleName, Sha256>,
    /// Of a release whose source differs and that the behavioural suite was run against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
}

/// How a release came to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Review {
    /// Its files are those of a release that was read.
    Reviewed,
    /// Its source has all that the policy needs, and no way around it that a reviewed one has not.
    Compatible,
    /// Its source differs, and on a lab host it behaved as promised.
    Suite,
}

impl fmt::Display for Review {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Reviewed => "reviewed",
            Self::Compatible => "compatible",
            Self::Suite => "reviewed by the suite",
        })
    }
}

/// A run of the behavioural suite that every case of which was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The digest of the suite itself: its version.
    pub digest: Sha256,
    pub date: Date,
    /// How many cases it had.
    pub cases: usize,
    /// What the structural check found, and this review accepts.
    pub differences: Vec<String>,
}

/// A checked text: what does not fit is refused where it is parsed.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Fault;
            fn try_from(text: String) -> Result<Self, Fault> {
                let fits: fn(&str) -> bool = $fits;
                if fits(&text) {
                    Ok(Self(text))
                } else {
                    Err(Fault::new(format!(concat!("`{}` is not ", $what), text)))
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Fault;
            fn from_str(text: &str) -> Result<Self, Fault> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

checked_text!(
    /// A commit id of git, in full.
    Commit, "a commit id (40 lower-case hexadecimal digits)", |text| is_hex(text, 40)
);
checked_text!(
    /// A tree id of git, in full.
    Tree, "a tree id (40 lower-case hexadecimal digits)", |text| is_hex(text, 40)
);
checked_text!(
    /// A SHA-256 digest.
    Sha256, "a SHA-256 digest (64 lower-case hexadecimal digits)", |text| is_hex(text, 64)
);
checked_text!(
    /// A module, as Python imports it.
    ModuleName, "the name of a Python module", |text| text.split('.').all(is_identifier)
);
checked_text!(
    /// A day.
    Date, "a date (like `2026-07-20`)", |text| is_date(text)
);
checked_text!(
    /// The tag of a release: `v` and numbers with dots between them (`v2026.7.20`).
    Tag, "the tag of a release (like `v2026.7.20`)", |text| numbers(text).is_some()
);

fn is_identifier(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

impl Tag {
    /// The numbers of the tag, for ordering: `v2026.7.20` is before `v2026.7.20.1`.
    pub fn numbers(&self) -> Vec<u64> {
        numbers(&self.0).unwrap_or_default()
    }
}

fn numbers(tag: &str) -> Option<Vec<u64>> {
    let numbers: Option<Vec<u64>> = tag
        .strip_prefix('v')?
        .split('.')
        .map(|part| {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        })
        .collect();
    numbers.filter(|numbers| numbers.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_ordered_by_number() {
        let tag = |text: &str| text.parse::<Tag>().unwrap().numbers();
        assert!(tag("v2026.7.20") > tag("v2026.7.7.2"));
        for wrong in ["main", "v1", "v1.", "v1.x", "1.2.3", "v1.2-rc1", "v1.2b1", "v1.99999999999999999999"] {
            assert!(wrong.parse::<Tag>().is_err(), "{wrong}");
        }
    }
}
