//! A release of the agent on the host: fetched, checked against the lock, built. Nothing is
//! switched here.

use super::env_file::StringList;
use super::{Change, Need, ResolveContext, Resource, Risk, Touches, digest};
use crate::act::Act;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::release::pinned::{Commit, Release, Sha256, Tag, Tree};
use crate::release::steps;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All as it stands in petasos.lock; texts until they are rendered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub version: String,
    /// The git source.
    pub source: String,
    pub tag: String,
    pub commit: String,
    pub tree: String,
    pub archive_sha256: String,
    pub uv_lock_sha256: String,
    /// The extras of the package that are installed; a list, or one text with spaces between them.
    #[serde(default)]
    pub extras: StringList,
}

impl Spec {
    fn pinned(&self) -> Result<Installed, Fault> {
        fn field<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Fault>
        where
            T::Err: std::fmt::Display,
        {
            text.parse().map_err(|error: T::Err| Fault::new(error.to_string()).at(format!("`{name}`")))
        }
        Ok(Installed {
            version: field::<Version>("version", &self.version)?,
            release: Release {
                source: self.source.clone(),
                tag: field::<Tag>("tag", &self.tag)?,
                commit: field::<Commit>("commit", &self.commit)?,
                tree: field::<Tree>("tree", &self.tree)?,
                archive_sha256: field::<Sha256>("archive_sha256", &self.archive_sha256)?,
                uv_lock_sha256: field::<Sha256>("uv_lock_sha256", &self.uv_lock_sha256)?,
                signed: false,
                requires_python: String::new(),
                policy: None,
            },
            extras: self.extras.list().into_iter().collect(),
        })
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        // What cannot be parsed is an error when it is resolved.
        queries.extend(self.pinned().and_then(|pinned| pinned.manifest_path()).ok().map(Query::Text));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.pinned()?)])
    }
}

struct Installed {
    version: Version,
    release: Release,
    extras: BTreeSet<String>,
}

impl Installed {
    fn manifest_path(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{}/.petasos-release", steps::dir(&self.version, &self.release)))
    }
}

impl Resource for Installed {
    fn id(&self) -> String {
        format!("release {}", self.version)
    }

    fn kind(&self) -> &'static str {
        "release"
    }

    /// A release is left on the host; `current` says which one counts.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn needs_room(&self) -> &'static [Need] {
        &[Need { directory: "/opt", mebibytes: 400 }, Need { directory: "/var/cache", mebibytes: 64 }]
    }

    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        let manifest = digest(&steps::manifest(&self.version, &self.release, &self.extras));
        self.manifest_path().map(|path| (path, manifest)).into_iter().collect()
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let is = match seen(&facts.texts, &self.manifest_path()?)? {
            Seen::Is(manifest) if *manifest == steps::manifest(&self.version, &self.release, &self.extras) => {
                return Ok(Vec::new());
            }
            Seen::Is(_) => "from another release",
            Seen::Absent | Seen::Unreadable(_) => "absent",
        };
        let acts = vec![Act::run(steps::uv()), Act::run(steps::install(&self.version, &self.release, &self.extras))];
        Ok(vec![Change::new("installed", is, self.release.tag.to_string(), acts)])
    }
}
