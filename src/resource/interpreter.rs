//! Which Python runs a release on this host: the distribution's, or a pinned build beside it.

use super::Change;
use crate::act::Act;
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::release::pinned::{Build, Python, Release};
use crate::release::python;
use crate::release::steps::{self, Interpreter};
use std::collections::BTreeMap;

/// Where distributions have theirs, and where the link leads if update-alternatives(1) keeps it.
const LINKS: [&str; 2] = ["/usr/bin/python3", "/etc/alternatives/python3"];

/// Of hosts that have none yet: it comes with the packages.
const KNOWN: [(&str, &str, &str); 5] = [
    ("debian", "12", "3.11"),
    ("debian", "13", "3.13"),
    ("ubuntu", "22.04", "3.10"),
    ("ubuntu", "24.04", "3.12"),
    ("ubuntu", "26.04", "3.14"),
];

/// An archive of an architecture: `x86_64=SHA256=MEBIBYTES=URL`.
pub(super) fn builds(texts: &[String]) -> Result<BTreeMap<String, Build>, Fault> {
    let build = |text: &String| {
        let mut fields = text.splitn(4, '=');
        let mut field = || fields.next().filter(|field| !field.is_empty());
        let (architecture, sha256, mebibytes, url) = (field()?, field()?, field()?, field()?);
        let build = Build { url: url.to_owned(), sha256: sha256.parse().ok()?, mebibytes: mebibytes.parse().ok()? };
        Some((architecture.to_owned(), build))
    };
    let wrong = |text| {
        Fault::new(format!("`{text}` is no archive of an architecture")).hint("write `x86_64=SHA256=MEBIBYTES=URL`")
    };
    texts.iter().map(|text| build(text).ok_or_else(|| wrong(text))).collect()
}

pub(super) fn queries(release: &Release) -> impl Iterator<Item = Query> {
    let asked = !release.requires_python.is_empty();
    let links = LINKS.iter().filter(move |_| asked).filter_map(|link| AbsPath::new(*link).ok()).map(Query::Path);
    let builds = release.python.iter().flat_map(|python| python.builds.values().map(move |build| (python, build)));
    links.chain(builds.filter_map(|(python, build)| mark(&interpreter(python, build)).ok()).map(Query::Text))
}

fn interpreter(python: &Python, build: &Build) -> Interpreter {
    Interpreter { version: python.version.clone(), build: build.clone() }
}

/// Written last.
fn mark(interpreter: &Interpreter) -> Result<AbsPath, Fault> {
    AbsPath::new(format!("{}/.petasos-python", interpreter.dir()))
}

/// What runs a release on one host.
pub(super) enum Runs {
    /// The distribution's.
    Host,
    Own {
        interpreter: Interpreter,
        /// The host's own, and why it does not do.
        instead_of: String,
    },
    /// Nothing that is known.
    Nothing(Fault),
}

impl Runs {
    pub(super) fn of(release: &Release, facts: &Facts) -> Result<Self, Fault> {
        let requires = &release.requires_python;
        if requires.is_empty() {
            return Ok(Self::Host);
        }
        // What cannot be told is left to uv, which asks the program itself.
        let Some(minor) = of_host(facts)? else { return Ok(Self::Host) };
        if python::takes(requires, &minor)? {
            return Ok(Self::Host);
        }
        let instead_of = format!("{minor} of the host, not {requires}");
        let architecture = facts.host.as_ref().map_or("", |host| &host.architecture);
        let build = release.python.as_ref().and_then(|python| Some((python, python.builds.get(architecture)?)));
        Ok(match build {
            Some((python, build)) => Self::Own { interpreter: interpreter(python, build), instead_of },
            None => Self::Nothing(
                Fault::new(format!(
                    "the release takes Python {requires}, the host has {minor}, and petasos.lock names none for {architecture}"
                ))
                .hint("`petasos pin VERSION` names one that fits, where there is any; else take a host of another distribution"),
            ),
        })
    }

    pub(super) fn own(&self) -> Option<&Interpreter> {
        match self {
            Self::Own { interpreter, .. } => Some(interpreter),
            Self::Host | Self::Nothing(_) => None,
        }
    }

    /// What is missing of it.
    pub(super) fn change(&self, facts: &Facts) -> Result<Option<Change>, Fault> {
        let (interpreter, instead_of) = match self {
            Self::Host => return Ok(None),
            Self::Nothing(fault) => {
                let change = Change::new("python", "none that fits", "one that fits", Vec::new());
                return Ok(Some(Change { blocked: Some(fault.clone()), ..change }));
            }
            Self::Own { interpreter, instead_of } => (interpreter, instead_of),
        };
        if matches!(seen(&facts.texts, &mark(interpreter)?)?, Seen::Is(text) if *text == interpreter.mark()) {
            return Ok(None);
        }
        let Interpreter { version, build } = interpreter;
        let to = format!("{version}: downloads about {} MB from {}", build.mebibytes, from(&build.url));
        let mut change = Change::new("python", instead_of, to, vec![Act::run(steps::python(interpreter))]);
        change.needs_room = vec![super::Need { directory: "/opt", mebibytes: 5 * u64::from(build.mebibytes) }];
        Ok(Some(change))
    }
}

/// Host and repository of a URL: `github.com/astral-sh/python-build-standalone`.
fn from(url: &str) -> String {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    place.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// The first two numbers of the host's own (`3.12`), which the name of the program says.
fn of_host(facts: &Facts) -> Result<Option<String>, Fault> {
    for link in LINKS {
        if let Seen::Is(entry) = seen(&facts.paths, &AbsPath::new(link)?)?
            && let PathKind::Symlink(target) = &entry.kind
            && let Some(minor) = target.rsplit('/').next().and_then(|name| name.strip_prefix("python"))
            && minor.split('.').count() == 2
        {
            return Ok(Some(minor.to_owned()));
        }
    }
    let host = facts.host.as_ref();
    let known = |(name, version, _): &&(&str, &str, &str)| {
        host.is_some_and(|host| host.distribution == *name && host.version == *version)
    };
    Ok(KNOWN.iter().find(known).map(|(_, _, minor)| (*minor).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::host::Host;
    use crate::fact::path::PathEntry;

    fn facts(architecture: &str, link: Option<&str>) -> Facts {
        let entry = |target: &str| PathEntry {
            kind: PathKind::Symlink(target.to_owned()),
            owner: "root".into(),
            group: "root".into(),
            mode: 0o777,
        };
        let link = link.map_or(Seen::Absent, |target| Seen::Is(entry(target)));
        let host = Host {
            architecture: architecture.into(),
            distribution: "debian".into(),
            version: "12".into(),
            ..Host::default()
        };
        Facts {
            host: Some(host),
            paths: [(LINKS[0], link), (LINKS[1], Seen::Absent)]
                .map(|(path, fact)| (AbsPath::new(path).unwrap(), fact))
                .into(),
            ..Facts::default()
        }
    }

    fn release(requires: &str) -> Release {
        let python = python::choose(requires, &python::table().unwrap()).unwrap();
        let text = format!(
            "{{ source: x, tag: v1.2, commit: {0}, tree: {0}, archive_sha256: {1}, uv_lock_sha256: {1}, signed: true, requires_python: \"{requires}\" }}",
            format_args!("\"{}\"", "1".repeat(40)),
            format_args!("\"{}\"", "2".repeat(64)),
        );
        Release { python, ..serde_yaml::from_str(&text).unwrap() }
    }

    #[test]
    fn a_machine_that_nothing_is_built_for_is_refused_before_anything_changes() {
        let facts = facts("riscv64", Some("python3.10"));
        let runs = Runs::of(&release(">=3.11,<3.14"), &facts).unwrap();
        let why = runs.change(&facts).unwrap().unwrap().blocked.unwrap();
        assert!(
            why.message.contains("takes Python >=3.11,<3.14, the host has 3.10") && why.message.ends_with("riscv64")
        );
        // Nothing fits the release at all.
        let runs = Runs::of(&release(">=4"), &self::facts("x86_64", None)).unwrap();
        assert!(matches!(&runs, Runs::Nothing(why) if why.message.contains("the host has 3.11")));
    }

    #[test]
    fn what_is_no_version_is_left_to_uv() {
        for link in ["pypy3", "/opt/python/bin/python3", "python3.11.2"] {
            let mut facts = facts("x86_64", Some(link));
            facts.host = None;
            assert!(matches!(Runs::of(&release(">=3.11"), &facts), Ok(Runs::Host)), "{link}");
        }
        assert!(
            Runs::of(&Release { requires_python: "3 or so".into(), ..release(">=3.11") }, &facts("x86_64", None))
                .is_err()
        );
    }
}
