//! A release of the agent on the host: fetched, checked against the lock, built. Nothing is
//! switched here.

use super::env_file::StringList;
use super::interpreter::{self, Runs};
use super::{Change, Need, ResolveContext, Resource, Risk, Touches, digest};
use crate::act::Act;
use crate::fact::path::{PathEntry, PathKind};
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::release::pinned::{Commit, Python, Release, Sha256, Tag, Tree};
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
    /// The versions of Python that it takes; where none are named, the distribution's own is taken.
    #[serde(default)]
    pub requires_python: String,
    /// The version that is downloaded where the distribution's own does not fit.
    #[serde(default)]
    pub python: String,
    /// Its archives, as `x86_64=SHA256=MEBIBYTES=URL`; a list, or one text with spaces between
    /// them.
    #[serde(default)]
    pub builds: StringList,
    /// Modules whose files must stay as they are, as `tools.registry=SHA256`; a list, or one text
    /// with spaces between them. A release that has others is built anew.
    #[serde(default)]
    pub files: StringList,
}

impl Spec {
    fn pinned(&self) -> Result<Pinned, Fault> {
        fn field<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Fault>
        where
            T::Err: std::fmt::Display,
        {
            text.parse().map_err(|error: T::Err| Fault::new(error.to_string()).at(format!("`{name}`")))
        }
        let python = match self.python.as_str() {
            "" => None,
            version => Some(Python {
                version: field::<Version>("python", version)?,
                builds: interpreter::builds(&self.builds.list()).map_err(|fault| fault.at("`builds`"))?,
            }),
        };
        Ok(Pinned {
            version: field::<Version>("version", &self.version)?,
            release: Release {
                source: self.source.clone(),
                tag: field::<Tag>("tag", &self.tag)?,
                commit: field::<Commit>("commit", &self.commit)?,
                tree: field::<Tree>("tree", &self.tree)?,
                archive_sha256: field::<Sha256>("archive_sha256", &self.archive_sha256)?,
                uv_lock_sha256: field::<Sha256>("uv_lock_sha256", &self.uv_lock_sha256)?,
                signed: false,
                requires_python: self.requires_python.clone(),
                python,
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
        queries.extend(interpreter::queries(&pinned.release));
        queries.extend(pinned.places().into_iter().flatten().map(Query::Path));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let pinned = self.pinned()?;
        let runs = Runs::of(&pinned.release, context.facts).map_err(|fault| fault.at("`requires_python`"))?;
        Ok(vec![Box::new(Installed { pinned, runs })])
    }
}

/// A release on one host.
struct Installed {
    pinned: Pinned,
    runs: Runs,
}

struct Pinned {
    version: Version,
    release: Release,
    extras: BTreeSet<String>,
    files: Vec<ModuleFile>,
}

impl Pinned {
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

    fn manifest_path(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{}/.petasos-release", self.dir()))
    }
}

impl Installed {
    fn install(&self) -> [Act; 2] {
        let Pinned { version, release, extras, .. } = &self.pinned;
        [Act::run(steps::uv()), Act::run(steps::install(version, release, extras, self.runs.own()))]
    }

    fn manifest(&self) -> String {
        let Pinned { version, release, extras, .. } = &self.pinned;
        steps::manifest(version, release, extras, self.runs.own())
    }
}

impl Resource for Installed {
    fn id(&self) -> String {
        format!("release {}", self.pinned.version)
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
        let manifest = digest(&self.manifest());
        self.pinned.manifest_path().map(|path| (path, manifest)).into_iter().collect()
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let mut changes: Vec<Change> = self.runs.change(facts)?.into_iter().collect();
        changes.extend(self.installation(facts)?);
        Ok(changes)
    }
}

impl Installed {
    fn installation(&self, facts: &Facts) -> Result<Option<Change>, Fault> {
        let manifest = self.pinned.manifest_path()?;
        let tag = self.pinned.release.tag.to_string();
        let is = match seen(&facts.texts, &manifest)? {
            Seen::Is(found) if *found == self.manifest() => {
                let Some(changed) = self.pinned.changed(facts)? else { return Ok(None) };
                let install = [Act::Remove(manifest)].into_iter().chain(self.install()).collect();
                let is = format!("{changed} is another file");
                return Ok(Some(Change::new("content", is, tag, install)));
            }
            Seen::Is(_) => "from another release",
            Seen::Absent | Seen::Unreadable(_) => "absent",
        };
        Ok(Some(Change::new("installed", is, tag, self.install().into())))
    }
}
