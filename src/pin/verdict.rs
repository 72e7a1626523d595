//! What is to be said of a release's source: reviewed, compatible, or refused.
use super::git::Repo;
use super::source;
use crate::config::lock::{ModuleName, Policy, Review, Sha256, Suite};
use crate::release::reviewed;
use crate::review::{self, Census, Difference, Table};
use semver::Version;
use std::collections::BTreeMap;

/// What came of reading a release's source.
#[derive(Debug)]
pub struct Verdict {
    /// Of each module that the policy stands on, as far as it is there.
    pub files: BTreeMap<ModuleName, Sha256>,
    /// What no reviewed release has, or this one has not.
    pub differences: Vec<Difference>,
    /// Whether the files are those of a reviewed release.
    pub known: bool,
}

impl Verdict {
    /// Reads and judges the source of `commit`.
    ///
    /// # Errors
    /// git fails, or takes too long.
    pub async fn of(repo: &Repo<'_>, commit: &str, version: &Version) -> anyhow::Result<Self> {
        let (table, reviewed, census) = (Table::built_in()?, reviewed::all()?, Census::built_in());
        let source = source::read(repo, commit, &table).await?;
        let mut files = BTreeMap::new();
        let mut differences = review::differences(&table, &census, &source.modules, &source.others);
        for module in reviewed.iter().flat_map(|reviewed| reviewed.files.keys()) {
            match source.digests.get(module.as_str()) {
                Some(digest) => drop(files.insert(module.clone(), digest.parse()?)),
                None => differences.push(Difference::gone(module.as_str())),
            }
        }
        differences.sort();
        differences.dedup();
        let known = reviewed.iter().any(|reviewed| reviewed.version == *version && reviewed.files == files);
        Ok(Self { files, differences, known })
    }

    /// How it may be used; nothing, if it is refused.
    pub fn review(&self) -> Option<Review> {
        let accepted = if self.known { Review::Reviewed } else { Review::Compatible };
        self.differences.is_empty().then_some(accepted)
    }

    /// What the lock keeps of it.
    pub fn policy(&self) -> Option<Policy> {
        Some(Policy { review: self.review()?, files: self.files.clone(), suite: None })
    }

    /// The same after the behavioural suite, whose reviewer saw the differences.
    pub fn accepted(&self, suite: Suite) -> Policy {
        Policy { review: Review::Suite, files: self.files.clone(), suite: Some(suite) }
    }

    /// Whether a review in the lock is one of this very source: the same files and, for what they
    /// do not cover, no difference that was not accepted.
    pub fn is_covered(&self, policy: &Policy) -> bool {
        let accepted = policy.suite.as_ref().map(|suite| &suite.differences);
        let seen = |difference: &Difference| accepted.is_some_and(|accepted| accepted.contains(&difference.line()));
        policy.files == self.files && self.differences.iter().all(seen)
    }

    /// The differences as the lock keeps them.
    pub fn lines(&self) -> Vec<String> {
        self.differences.iter().map(Difference::line).collect()
    }
}
