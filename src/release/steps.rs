//! The three steps of a release on a host, as argv: the pinned uv, the release, the switch.
//! The scripts are constant; whatever differs is a positional argument, never part of the text.
use crate::release::pinned::{Build, Release};
use semver::Version;
use std::collections::BTreeSet;

/// Where everything of the agent's code lives on a host, owned by root.
pub const ROOT: &str = "/opt/hermes";

/// The uv that installs dependencies, and the digests of its wheels (x86_64, aarch64; glibc).
pub const UV_VERSION: &str = "0.13.9";
pub const UV_SHA256: [&str; 2] = [
    "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
];

/// What every way to start the agent goes through: it puts the policy in force, or ends. A release
/// that was built with another one is built anew.
pub const LAUNCHER: &str = "/usr/lib/petasos/petasos_policy/launch.py";

/// Exit codes of the scripts, as they say at their top.
pub const BUSY: i32 = 40;
pub const UNHEALTHY: i32 = 41;
pub const REFUSED: i32 = 42;
pub const NO_SOURCE: i32 = 43;
pub const NO_DEPENDENCIES: i32 = 44;
pub const NO_IMPORT: i32 = 45;

const UV: &str = include_str!("../../remote/release/uv.sh");
const PYTHON: &str = include_str!("../../remote/release/python.sh");
const FETCH: &str = include_str!("../../remote/release/fetch.py");
const INSTALL: &str = include_str!("../../remote/release/install.sh");
const SWITCH: &str = include_str!("../../remote/release/switch.sh");
const HEALTH: &str = include_str!("../../remote/release/health.py");

/// How the running agent's health is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub unit: String,
    /// `http` on loopback.
    pub url: String,
    /// How long it may take to answer, in seconds.
    pub timeout_secs: u32,
}

/// The extras of the package that are installed; they cannot be installed later, because lazy
/// installs are off. `messaging` is always there: the API server needs its aiohttp, and Telegram,
/// Discord and Slack are in it.
pub fn with_messaging(extras: &BTreeSet<String>) -> BTreeSet<String> {
    extras.iter().cloned().chain(["messaging".to_owned()]).collect()
}

/// The directory of a release on a host.
pub fn dir(version: &Version, release: &Release) -> String {
    let commit = release.commit.as_str();
    let short = commit.get(..12).unwrap_or(commit);
    format!("{ROOT}/releases/{version}-{short}")
}

/// The manifest in the release's directory (`.petasos-release`), byte for byte; where it is
/// another or none, the release is not in place.
pub fn manifest(version: &Version, release: &Release, extras: &BTreeSet<String>, own: Option<&Interpreter>) -> String {
    let Release { tag, commit, tree, archive_sha256, uv_lock_sha256, .. } = release;
    let extras = joined(extras);
    let python = own.map_or_else(String::new, |own| format!("python={}\n", own.name()));
    format!(
        "version={version}\ntag={tag}\ncommit={commit}\ntree={tree}\narchive_sha256={archive_sha256}\n\
         uv_lock_sha256={uv_lock_sha256}\nextras={extras}\nuv={UV_VERSION}\nlauncher={LAUNCHER}\n{python}"
    )
}

/// A Python that is not the distribution's, on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    pub version: Version,
    pub build: Build,
}

impl Interpreter {
    /// One build has one name.
    fn name(&self) -> String {
        let sha256 = self.build.sha256.as_str();
        format!("{}-{}", self.version, sha256.get(..12).unwrap_or(sha256))
    }

    /// Its directory on a host.
    pub fn dir(&self) -> String {
        format!("{ROOT}/python/{}", self.name())
    }

    /// The mark in its directory (`.petasos-python`), byte for byte.
    pub fn mark(&self) -> String {
        format!("version={}\nsha256={}\n", self.version, self.build.sha256)
    }
}

/// Downloads a build of Python, and puts it in place if it is the pinned one.
pub fn python(interpreter: &Interpreter) -> Vec<String> {
    let Interpreter { version, build } = interpreter;
    let args = [interpreter.name(), version.to_string(), build.url.clone(), build.sha256.to_string(), FETCH.to_owned()];
    script("release-python", PYTHON, args)
}

/// Puts the pinned uv in place.
pub fn uv() -> Vec<String> {
    script("release-uv", UV, [UV_VERSION.to_owned(), UV_SHA256.join(" ")])
}

/// Fetches, checks and builds a release. Switches nothing.
pub fn install(
    version: &Version,
    release: &Release,
    extras: &BTreeSet<String>,
    own: Option<&Interpreter>,
) -> Vec<String> {
    let args = [
        release.source.clone(),
        release.tag.to_string(),
        release.commit.to_string(),
        release.tree.to_string(),
        release.archive_sha256.to_string(),
        release.uv_lock_sha256.to_string(),
        version.to_string(),
        joined(extras),
        UV_VERSION.to_owned(),
        LAUNCHER.to_owned(),
        own.map_or_else(String::new, Interpreter::name),
    ];
    script("release-install", INSTALL, args)
}

/// Waits until the agent is healthy; exits 1 and reports why when it is not.
pub fn healthy(health: &Health) -> Vec<String> {
    let argv = ["python3", "-I", "-c", HEALTH, &health.unit, &health.url, &health.timeout_secs.to_string()];
    argv.map(str::to_owned).to_vec()
}

/// Makes the release in a directory the current one; back to the one before when it is not healthy.
pub fn switch(dir: &str, health: &Health) -> Vec<String> {
    let args =
        [dir.to_owned(), health.unit.clone(), health.url.clone(), health.timeout_secs.to_string(), HEALTH.to_owned()];
    script("release-switch", SWITCH, args)
}

fn joined(extras: &BTreeSet<String>) -> String {
    extras.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn script(name: &str, text: &str, args: impl IntoIterator<Item = String>) -> Vec<String> {
    ["sh", "-eu", "-c", text, name].map(str::to_owned).into_iter().chain(args).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            source: "https://example.com/agent; id".into(),
            tag: "v2026.7.20".parse().unwrap(),
            commit: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            tree: "1".repeat(40).parse().unwrap(),
            archive_sha256: "2".repeat(64).parse().unwrap(),
            uv_lock_sha256: "3".repeat(64).parse().unwrap(),
            signed: false,
            requires_python: ">=3.11,<3.14".into(),
            python: None,
            policy: None,
        }
    }

    #[test]
    fn values_are_arguments_and_never_text() {
        let extras = with_messaging(&["matrix", "anthropic"].map(str::to_owned).into());
        let argv = install(&Version::new(0, 19, 0), &release(), &extras, None);
        assert_eq!(argv[..5], ["sh", "-eu", "-c", INSTALL, "release-install"]);
        assert_eq!(argv[5], "https://example.com/agent; id");
        assert_eq!(argv[12], "anthropic matrix messaging");
        assert_eq!(argv[14..], [LAUNCHER, ""]);
    }

    #[test]
    fn a_release_has_one_directory() {
        let version = Version::new(0, 19, 0);
        let dir = dir(&version, &release());
        assert_eq!(dir, "/opt/hermes/releases/0.19.0-0123456789ab");
        let health = Health { unit: "a.service".into(), url: "http://127.0.0.1/health".into(), timeout_secs: 60 };
        assert_eq!(switch(&dir, &health)[5], dir);
    }

    #[test]
    fn the_api_server_needs_messaging_whatever_is_configured() {
        let extras = with_messaging(&BTreeSet::new());
        assert_eq!(joined(&extras), "messaging");
        assert!(
            manifest(&Version::new(0, 19, 0), &release(), &extras, None).contains("\nextras=messaging\nuv=0.13.9\n")
        );
    }
}
