//! Pinning: a version or a tag becomes facts, and facts that were written once never change by
//! themselves. Everything is read from the release source by git.
use super::git::{self, RemoteTag, Repo};
use super::project::Project;
use super::pythons;
use super::request::{Request, accept};
use super::verdict::Verdict;
use crate::config::lock::{LockFile, Release, Tag};
use crate::fault::Fault;
use crate::release::python;
use anyhow::{Context, bail};
use semver::Version;

/// Where releases come from when nothing else is said.
pub const SOURCE: &str = "https://github.com/NousResearch/hermes-agent";

/// The package that a release must be.
const PACKAGE: &str = "hermes-agent";

/// How many tags one look fetches; a look is one round trip and a few hundred bytes a tag.
const LOOK: usize = 12;

/// Why a release that exists is not pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    #[error("tag `{0}` is a lightweight tag: releases of the agent are annotated tags")]
    Lightweight(String),
    #[error("MOVED TAG: {version} was pinned as {was}, but the source now says {now}")]
    Moved { version: Version, was: String, now: String },
    #[error("tag `{tag}` is a release of `{found}`, not of `{PACKAGE}`")]
    WrongPackage { tag: String, found: String },
    #[error("tag `{0}` has no `uv.lock`, so its dependencies are not pinned by hash")]
    NoUvLock(String),
    #[error("`{0}` is not a source: {1}")]
    Source(String, &'static str),
}

impl PinError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lightweight(_) => {
                Some("ask upstream; a lightweight tag carries no author, no date and no signature".into())
            }
            Self::Moved { version, .. } => Some(format!(
                "do not deploy it before upstream explains the move; then delete `{version}` under `releases` in the \
                 lock and pin it again"
            )),
            Self::NoUvLock(_) => Some("pin a release that has one".into()),
            Self::WrongPackage { .. } | Self::Source(..) => None,
        }
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}

/// What a source may look like: it is stored in the lock and shown, so it carries no credentials.
///
/// # Errors
/// The reason why not.
pub fn check_source(source: &str) -> Result<(), PinError> {
    let refuse = |why| Err(PinError::Source(source.to_owned(), why));
    if source.is_empty() || source.starts_with('-') {
        return refuse("it must be a URL or a path");
    }
    if source.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("it contains white space or control characters");
    }
    if source.contains("::") {
        return refuse("it names a command, not a place");
    }
    let authority = source.split_once("://").map(|(scheme, rest)| {
        let authority = rest.split('/').next().unwrap_or_default();
        (scheme, authority)
    });
    match authority {
        Some(("http" | "https", authority)) if authority.contains('@') => {
            refuse("it carries credentials; use git's credential store")
        }
        _ => Ok(()),
    }
}

/// Resolves `target` at `source` and reads the facts of that release.
///
/// The tags that `lock` already knows are looked at first, and refused when they moved.
///
/// # Errors
/// The source does not answer, has no such release, or the release is refused ([`PinError`]).
pub async fn resolve(source: &str, target: &Request, lock: &LockFile) -> anyhow::Result<Resolved> {
    check_source(source)?;
    let tags = git::remote_tags(source).await?;
    standing(lock, target, &tags)?;
    let tag = match target {
        Request::Tag(tag) => tag.clone(),
        Request::Version(version) => {
            search(source, version, lock, &tags).await?.ok_or_else(|| nothing(source, target, &tags))?
        }
    };
    let Some(found) = tags.iter().find(|found| found.name == tag.as_str()) else {
        bail!(nothing(source, target, &tags));
    };
    if found.commit.is_none() {
        return Err(PinError::Lightweight(found.name.clone()).into());
    }
    let resolved = facts(source, &tag).await?;
    let (version, release) = (&resolved.version, &resolved.release);
    if let Request::Version(wanted) = target
        && wanted != version
    {
        bail!("tag `{tag}` changed while it was read: it was {wanted}, now it is {version}");
    }
    unmoved(lock, version, release)?;
    Ok(resolved)
}

/// A release that was found, and what is to be said of its source.
#[derive(Debug)]
pub struct Resolved {
    pub version: Version,
    /// With its policy, unless it is refused.
    pub release: Release,
    pub verdict: Verdict,
}

/// Refuses before anything is fetched when a tag that the lock knows points elsewhere now.
fn standing(lock: &LockFile, target: &Request, tags: &[RemoteTag]) -> Result<(), PinError> {
    for (version, old) in &lock.releases {
        let asked = match target {
            Request::Version(asked) => asked == version,
            Request::Tag(asked) => *asked == old.tag,
        };
        let now = tags.iter().find(|tag| tag.name == old.tag.as_str()).and_then(|tag| tag.commit.as_deref());
        if let (true, Some(now)) = (asked, now)
            && now != old.commit.as_str()
        {
            return Err(PinError::Moved {
                version: version.clone(),
                was: format!("{} = commit {}", old.tag, old.commit),
                now: format!("{} = commit {now}", old.tag),
            });
        }
    }
    Ok(())
}

/// The tag whose `pyproject.toml` says `version`: candidates in batches, the likely ones first.
async fn search(source: &str, version: &Version, lock: &LockFile, tags: &[RemoteTag]) -> anyhow::Result<Option<Tag>> {
    let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
    let repo = Repo::init(dir.path()).await?;
    for batch in candidates(version, lock, tags).chunks(LOOK) {
        let names: Vec<&str> = batch.iter().map(Tag::as_str).collect();
        // Commits only; a server without filters sends more, which is slower and as good.
        repo.fetch(source, &names, Some("--filter=tree:0")).await?;
        for tag in batch {
            let Ok(text) = repo.object("blob", &format!("{tag}:pyproject.toml")).await else {
                continue;
            };
            if let Ok(project) = Project::read(&text)
                && project.version == version.to_string()
            {
                return Ok(Some(tag.clone()));
            }
        }
    }
    Ok(None)
}

/// Every release tag in the order to look at: the one that the lock names, the one named like the
/// version, then the newest first.
fn candidates(version: &Version, lock: &LockFile, tags: &[RemoteTag]) -> Vec<Tag> {
    let known = lock.releases.get(version).map(|release| release.tag.clone());
    let named = format!("v{version}");
    let mut found: Vec<Tag> = tags.iter().filter_map(|tag| tag.name.parse().ok()).collect();
    found.sort_by_key(|tag| {
        let first = known.as_ref() == Some(tag);
        let second = tag.as_str() == named;
        std::cmp::Reverse((first, second, tag.numbers()))
    });
    found
}

/// Fetches the one tag in full and reads everything that the lock records.
async fn facts(source: &str, tag: &Tag) -> anyhow::Result<Resolved> {
    let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
    let repo = Repo::init(dir.path()).await?;
    repo.fetch(source, &[tag.as_str()], None).await?;
    let commit = repo.id(&format!("refs/tags/{tag}^{{commit}}")).await?;
    let tree = repo.id(&format!("refs/tags/{tag}^{{tree}}")).await?;
    // Fails on a lightweight tag, whose object is the commit itself.
    let object =
        repo.object("tag", &format!("refs/tags/{tag}")).await.map_err(|_| PinError::Lightweight(tag.to_string()))?;
    if !repo.has(&commit, "pyproject.toml").await? {
        bail!("tag `{tag}` has no `pyproject.toml`: it is not a release of `{PACKAGE}`");
    }
    let text = repo.object("blob", &format!("{commit}:pyproject.toml")).await?;
    let project = Project::read(&text).with_context(|| format!("`pyproject.toml` of tag `{tag}`"))?;
    if project.name != PACKAGE {
        let (tag, found) = (tag.to_string(), project.name);
        return Err(PinError::WrongPackage { tag, found }.into());
    }
    let version = Version::parse(&project.version)
        .with_context(|| format!("tag `{tag}` has the version `{}`", project.version))?;
    let version = accept(version)?;
    if !repo.has(&commit, "uv.lock").await? {
        return Err(PinError::NoUvLock(tag.to_string()).into());
    }
    let uv_lock = repo.object("blob", &format!("{commit}:uv.lock")).await?;
    let mut release = Release {
        source: source.to_owned(),
        tag: tag.clone(),
        archive_sha256: repo.archive_sha256(&commit).await?.parse()?,
        uv_lock_sha256: git::sha256(&uv_lock).parse()?,
        commit: commit.parse()?,
        tree: tree.parse()?,
        signed: is_signed(&object),
        python: python::choose(&project.requires_python, &pythons::table()?)?,
        requires_python: project.requires_python,
        policy: None,
    };
    let verdict = Verdict::of(&repo, &commit, &version).await?;
    release.policy = verdict.policy();
    Ok(Resolved { version, release, verdict })
}

/// Refuses facts that contradict the lock: the same version, or the same tag, with other content.
///
/// # Errors
/// [`PinError::Moved`], with both sides.
pub fn unmoved(lock: &LockFile, version: &Version, now: &Release) -> Result<(), PinError> {
    let show = |version: &Version, release: &Release| {
        let Release { tag, commit, tree, archive_sha256, .. } = release;
        format!("{version} = {tag} = commit {commit}, tree {tree}, archive {archive_sha256}")
    };
    for (known, was) in &lock.releases {
        // Another source (a mirror) may serve the same release; its review is no part of it, and
        // neither is what runs it.
        let Release { source, policy, python, .. } = now.clone();
        let same = Release { source, policy, python, ..was.clone() } == *now;
        let about = known == version || was.tag == now.tag;
        if about && !(same && known == version) {
            return Err(PinError::Moved { version: known.clone(), was: show(known, was), now: show(version, now) });
        }
    }
    Ok(())
}

/// Enters a release into the lock, as the default or as the release of `host`; what changed, in
/// words.
pub fn add_release(lock: &mut LockFile, host: Option<&str>, version: &Version, release: &Release) -> Vec<String> {
    let mut changes = Vec::new();
    let old = lock.releases.insert(version.clone(), release.clone());
    match old {
        None => changes.push(format!("release {version} pinned")),
        Some(old) => {
            if old.source != release.source {
                changes.push(format!("source of {version}: {} -> {}", old.source, release.source));
            }
            if old.python != release.python {
                let of = |release: &Release| {
                    release.python.as_ref().map_or("none".into(), |python| python.version.to_string())
                };
                changes.push(format!("Python of {version}: {} -> {}", of(&old), of(release)));
            }
            if old.policy != release.policy {
                let review = |release: &Release| {
                    release.policy.as_ref().map_or("none".into(), |policy| policy.review.to_string())
                };
                changes.push(format!("review of {version}: {} -> {}", review(&old), review(release)));
            }
        }
    }
    let (of, slot) = match host {
        Some(host) => {
            let facts = lock.hosts.entry(host.to_owned()).or_default();
            (format!("release of {host}"), &mut facts.release)
        }
        None => ("default release".to_owned(), &mut lock.release),
    };
    if slot.as_ref() != Some(version) {
        let from = slot.as_ref().map_or("none".to_owned(), Version::to_string);
        changes.push(format!("{of}: {from} -> {version}"));
        *slot = Some(version.clone());
    }
    changes
}

fn nothing(source: &str, target: &Request, tags: &[RemoteTag]) -> Fault {
    let mut known: Vec<Tag> = tags.iter().filter_map(|tag| tag.name.parse().ok()).collect();
    known.sort_by_key(|tag| std::cmp::Reverse(tag.numbers()));
    let newest: Vec<&str> = known.iter().take(4).map(Tag::as_str).collect();
    let none = format!("`{source}` has no release {target}");
    match newest.is_empty() {
        true => Fault::new(format!("{none}: it has no release tags at all")),
        false => Fault::new(none).hint(format!("its newest tags are {}", newest.join(", "))),
    }
}

/// Whether a tag object ends in a signature. Who signed is not looked at.
fn is_signed(tag: &[u8]) -> bool {
    let text = String::from_utf8_lossy(tag);
    ["PGP SIGNATURE", "PGP MESSAGE", "SSH SIGNATURE", "SIGNED MESSAGE"]
        .iter()
        .any(|kind| text.lines().any(|line| line == format!("-----BEGIN {kind}-----")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_with_secrets_or_commands_are_refused() {
        for good in [SOURCE, "file:///srv/git", "git@example.com:a/b", "./repo"] {
            assert!(check_source(good).is_ok(), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "https://me:pw@example.com/x", "ext::sh -c id", "ext::id", "a b"] {
            assert!(check_source(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_likely_tag_comes_first_then_the_newest() {
        let tags: Vec<RemoteTag> = ["v0.21.0", "v2026.7.20", "v2026.7.7.2", "latest", "v2026.8.3"]
            .iter()
            .map(|name| RemoteTag { name: (*name).into(), commit: None })
            .collect();
        let order = |version: &str| {
            let found = candidates(&version.parse().unwrap(), &LockFile::default(), &tags);
            found.iter().map(Tag::to_string).collect::<Vec<_>>()
        };
        assert_eq!(order("0.19.0"), ["v2026.8.3", "v2026.7.20", "v2026.7.7.2", "v0.21.0"]);
        assert_eq!(order("0.21.0")[0], "v0.21.0");
    }

    #[test]
    fn a_signature_is_a_line_of_its_own() {
        assert!(is_signed(b"object x\n\nmsg\n-----BEGIN SSH SIGNATURE-----\nAA\n"));
        assert!(!is_signed(b"object x\n\nabout -----BEGIN SSH SIGNATURE-----\n"));
    }
}
