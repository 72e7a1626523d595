//! What a pinned release is, as `petasos.lock` keeps it and as hosts are judged by it.
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
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
    /// The tag of a release: `v` and numbers with dots between them (`v2026.7.20`).
    Tag, "the tag of a release (like `v2026.7.20`)", |text| numbers(text).is_some()
);

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
