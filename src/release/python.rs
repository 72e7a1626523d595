//! The Python that a release runs on: the distribution's own where the release takes it, else a
//! build that is pinned as the release itself is.

use super::pinned::Python;
use crate::fault::Fault;
use pep440_rs::{Version as PythonVersion, VersionSpecifiers};

const TABLE: &str = include_str!("../../reviewed/pythons.yaml");

/// What may be pinned, the newest first.
///
/// # Errors
/// Never, as a test reads the table.
pub fn table() -> Result<Vec<Python>, Fault> {
    read(TABLE).map_err(|fault| fault.at("reviewed/pythons.yaml"))
}

/// A table of this form.
///
/// # Errors
/// It is not of this form.
pub fn read(text: &str) -> Result<Vec<Python>, Fault> {
    serde_yaml::from_str(text).map_err(|error| Fault::new(error.to_string()))
}

/// The newest of these that a release takes, by its `requires-python`.
///
/// # Errors
/// `requires` is no range of versions.
pub fn choose(requires: &str, table: &[Python]) -> Result<Option<Python>, Fault> {
    let range = range(requires)?;
    let fitting =
        table.iter().filter(|python| version(&python.version.to_string()).is_some_and(|v| range.contains(&v)));
    Ok(fitting.max_by_key(|python| python.version.clone()).cloned())
}

/// Whether a release takes a distribution's Python, of which the first two numbers are known
/// (`3.12`): every one that begins so must do.
///
/// # Errors
/// `requires` is no range of versions.
pub fn takes(requires: &str, minor: &str) -> Result<bool, Fault> {
    let range = range(requires)?;
    Ok(["0", "99"].iter().all(|last| version(&format!("{minor}.{last}")).is_some_and(|v| range.contains(&v))))
}

fn range(requires: &str) -> Result<VersionSpecifiers, Fault> {
    requires.parse().map_err(|_| Fault::new(format!("`{requires}` is no range of Python's versions")))
}

fn version(text: &str) -> Option<PythonVersion> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_build_of_the_table_can_be_pinned() {
        let table = table().unwrap();
        for python in &table {
            assert_eq!(python.builds.keys().collect::<Vec<_>>(), ["aarch64", "x86_64"], "{}", python.version);
            for (architecture, build) in &python.builds {
                let name = format!("/cpython-{}%2B", python.version);
                assert!(
                    build.url.starts_with("https://github.com/astral-sh/python-build-standalone/releases/download/")
                );
                assert!(build.url.contains(&name) && build.url.contains(&format!("-{architecture}-")), "{}", build.url);
                assert!((20..60).contains(&build.mebibytes));
            }
        }
        let digests: std::collections::BTreeSet<_> =
            table.iter().flat_map(|python| python.builds.values()).map(|build| &build.sha256).collect();
        assert_eq!(digests.len(), table.len() * 2);
    }

    #[test]
    fn the_newest_that_fits_is_chosen() {
        let table = table().unwrap();
        let chosen = |requires| choose(requires, &table).unwrap().map(|python| python.version.minor);
        assert_eq!(chosen(">=3.11,<3.14"), Some(13));
        assert_eq!(chosen(">=3.14"), Some(14));
        assert_eq!(chosen("~=3.11.2"), Some(11));
        assert_eq!(chosen("==3.12.*"), Some(12));
        assert_eq!(chosen(">=4"), None);
        assert!(choose("3.11 or so", &table).is_err());
    }

    #[test]
    fn a_distribution_is_taken_only_where_all_of_its_versions_are() {
        let takes = |requires, minor| takes(requires, minor).unwrap();
        assert!(takes(">=3.11,<3.14", "3.11") && takes(">=3.11, <3.14", "3.13") && takes("~=3.10", "3.12"));
        for other in ["3.10", "3.14", "3.9", "4.0", "x"] {
            assert!(!takes(">=3.11,<3.14", other), "{other}");
        }
        // It may be 3.11.2.
        assert!(!takes(">=3.11.4", "3.11") && takes(">=3.11.4", "3.12"));
    }
}
