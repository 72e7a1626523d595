//! The releases that were read: a release with the same files is one of them.

use super::pinned::{Commit, ModuleName, Policy, Release, Review, Sha256, Tag, Tree};
use crate::fault::Fault;
use semver::Version;
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = include_str!("../../reviewed/releases.yaml");

/// A release that was read, and what its policy stands on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    pub version: Version,
    /// As upstream published it; a mirror or a package archive may have other ones.
    pub tag: Tag,
    pub commit: Commit,
    pub tree: Tree,
    pub files: BTreeMap<ModuleName, Sha256>,
}

/// All of them, the oldest first.
///
/// # Errors
/// Never, as a test reads the table.
pub fn all() -> Result<Vec<Reviewed>, Fault> {
    serde_yaml::from_str(TABLE).map_err(|error| Fault::new(error.to_string()).at("reviewed/releases.yaml"))
}

/// What the lock says of a release's source. A lock of an older petasos does not say it: then its
/// tree does, if it is upstream's own of a release that was read.
///
/// # Errors
/// Nobody has looked at this release's source.
pub fn policy(version: &Version, release: &Release) -> Result<Policy, Fault> {
    if let Some(policy) = &release.policy {
        return Ok(policy.clone());
    }
    let known = all()?.into_iter().find(|known| known.version == *version && known.tree == release.tree);
    let known = known.ok_or_else(|| {
        Fault::new(format!("the lock does not say whether release {version} was reviewed"))
            .hint(format!("`petasos pin {version}` checks its source"))
    })?;
    Ok(Policy { review: Review::Reviewed, files: known.files, suite: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(known: &Reviewed) -> Release {
        Release {
            source: "https://example.com/agent".into(),
            tag: known.tag.clone(),
            commit: known.commit.clone(),
            tree: known.tree.clone(),
            archive_sha256: "2".repeat(64).parse().unwrap(),
            uv_lock_sha256: "3".repeat(64).parse().unwrap(),
            signed: true,
            requires_python: ">=3.11".into(),
            python: None,
            policy: None,
        }
    }

    #[test]
    fn a_lock_of_an_older_petasos_is_known_by_version_and_tree() {
        let known = all().unwrap();
        assert_eq!(known.iter().map(|known| known.version.to_string()).collect::<Vec<_>>(), ["0.18.2", "0.19.0"]);
        for known in &known {
            let release = pinned(known);
            assert_eq!(policy(&known.version, &release).unwrap().files, known.files);
            let other = Release { tree: "1".repeat(40).parse().unwrap(), ..release.clone() };
            for (version, release) in [(&known.version, &other), (&Version::new(0, 20, 0), &release)] {
                let fault = policy(version, release).unwrap_err();
                assert_eq!(fault.hint, Some(format!("`petasos pin {version}` checks its source")));
            }
        }
    }

    #[test]
    fn every_reviewed_release_has_the_same_modules() {
        let known = all().unwrap();
        let modules = |known: &Reviewed| known.files.keys().cloned().collect::<Vec<_>>();
        assert!(known.iter().all(|one| modules(one) == modules(&known[0])));
        assert!(modules(&known[0]).len() > 50);
    }
}
