//! A release of the agent on the host: fetched, checked against the lock, built. Nothing is
//! switched here.

use super::env_file::StringList;
use super::{Change, Need, ResolveContext, Resource, Risk, Touches, digest};
use crate::act::Act;
use crate::fact::path::{PathEntry, PathKind};
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::release::pinned::{Commit, Release, Sha256, Tag, Tree};
use crate::release::steps;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

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
    /// Modules whose files must stay as they are, as `tools.registry=SHA256`; a list, or one text
    /// with spaces between them. A release that has others is built anew.
    #[serde(default)]
    pub files: StringList,
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
            files: self.files.list().iter().map(|file| ModuleFile::read(file)).collect::<Result<_, _>>()?,
        })
    }
}

/// A module's file, and its digest.
struct ModuleFile {
    /// Without `.py`.
    stem: String,
    sha256: Sha256,
}

impl ModuleFile {
    fn read(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::new(format!("`{text}` is no module and digest")).hint("write `tools.registry=SHA256`");
        let (module, digest) = text.split_once('=').ok_or_else(wrong)?;
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !module.split('.').all(word) {
            return Err(wrong());
        }
        Ok(Self { stem: module.replace('.', "/"), sha256: digest.parse().map_err(|_| wrong())? })
    }

    /// Where Python looks for it; the first one counts.
    fn places(&self, release: &str) -> Result<[AbsPath; 2], Fault> {
        let place = |end: &str| AbsPath::new(format!("{release}/{}{end}", self.stem));
        Ok([place("/__init__.py")?, place(".py")?])
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        // What cannot be parsed is an error when it is resolved.
        let Ok(pinned) = self.pinned() else { return };
        queries.extend(pinned.manifest_path().ok().map(Query::Text));
        queries.extend(pinned.places().into_iter().flatten().map(Query::Path));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.pinned()?)])
    }
}

struct Installed {
    version: Version,
    release: Release,
    extras: BTreeSet<String>,
    files: Vec<ModuleFile>,
}

impl Installed {
    fn dir(&self) -> String {
        steps::dir(&self.version, &self.release)
    }

    fn places(&self) -> Result<Vec<AbsPath>, Fault> {
        let places = self.files.iter().map(|file| file.places(&self.dir()));
        Ok(places.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// A file that is not as it was pinned.
    fn changed(&self, facts: &Facts) -> Result<Option<AbsPath>, Fault> {
        for file in &self.files {
            let [package, module] = file.places(&self.dir())?;
            let place = if matches!(seen(&facts.paths, &package)?, Seen::Absent) { module } else { package };
            let is = |entry: &PathEntry| entry.kind == PathKind::File(file.sha256.to_string());
            if !matches!(seen(&facts.paths, &place)?, Seen::Is(entry) if is(entry)) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn install(&self) -> [Act; 2] {
        [Act::run(steps::uv()), Act::run(steps::install(&self.version, &self.release, &self.extras))]
    }

    fn manifest_path(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{}/.petasos-release", self.dir()))
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

    /// Source and packages are downloaded, and some are built.
    fn patience(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        let manifest = digest(&steps::manifest(&self.version, &self.release, &self.extras));
        self.manifest_path().map(|path| (path, manifest)).into_iter().collect()
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let is = match seen(&facts.texts, &self.manifest_path()?)? {
            Seen::Is(manifest) if *manifest == steps::manifest(&self.version, &self.release, &self.extras) => {
                let Some(changed) = self.changed(facts)? else { return Ok(Vec::new()) };
                let install = [Act::Remove(self.manifest_path()?)].into_iter().chain(self.install()).collect();
                let is = format!("{changed} is another file");
                return Ok(vec![Change::new("content", is, self.release.tag.to_string(), install)]);
            }
            Seen::Is(_) => "from another release",
            Seen::Absent | Seen::Unreadable(_) => "absent",
        };
        Ok(vec![Change::new("installed", is, self.release.tag.to_string(), self.install().into())])
    }
}
