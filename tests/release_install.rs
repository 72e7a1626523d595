//! What install.sh refuses on a host, before it needs uv or root: everything that is not the
//! lock's.
mod common_git;
use common_git::{Upstream, lock, pin, stderr};
use petasos::config::lock::{LockFile, Release};
use petasos::release::steps;
use std::collections::BTreeSet;
use std::process::{Command, Output};

/// A source with one release, pinned, and an empty root directory.
struct Host {
    up: Upstream,
    root: tempfile::TempDir,
    version: semver::Version,
    release: Release,
}

fn host() -> Host {
    let (up, root) = (Upstream::new(), tempfile::tempdir().unwrap());
    up.release("v2026.7.20", "0.19.0");
    let done = pin(root.path(), &["0.19.0", "--source", &up.url()]);
    assert!(done.status.success(), "{}", stderr(&done));
    let lock = LockFile::load(&lock(root.path())).unwrap();
    let (version, release) = lock.release_of("any").unwrap();
    Host { up, version: version.clone(), release: release.clone(), root }
}

impl Host {
    fn install(&self) -> Output {
        let extras = steps::with_messaging(&BTreeSet::new());
        let argv = steps::install(&self.version, &self.release, &extras, None);
        // The last argument of the script, which only tests give: what goes before /opt.
        Command::new(&argv[0]).args(&argv[1..]).arg(self.root.path()).output().unwrap()
    }

    fn refuses(&self, code: i32, reason: &str) {
        let done = self.install();
        let message = stderr(&done);
        assert_eq!(done.status.code(), Some(code), "{message}");
        assert!(message.contains(reason), "{message}");
        let releases = self.root.path().join("opt/hermes/releases");
        let left: Vec<_> = std::fs::read_dir(releases).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".lock"], "a refusal leaves nothing");
    }
}

#[test]
fn what_the_lock_says_gets_as_far_as_its_dependencies() {
    // There is no uv in this root: the release itself was fetched and found to be right.
    host().refuses(steps::NO_DEPENDENCIES, "no Python that fits");
}

#[test]
fn a_moved_tag_is_refused() {
    let host = host();
    host.up.commit(&common_git::release("0.19.0"));
    host.up.git(&["tag", "-f", "-a", "v2026.7.20", "-m", "moved"]);
    host.refuses(steps::REFUSED, "MOVED TAG");
}

#[test]
fn a_lightweight_tag_in_its_place_is_refused() {
    let host = host();
    let commit = host.release.commit.to_string();
    host.up.git(&["tag", "-f", "v2026.7.20", &commit]);
    host.refuses(steps::REFUSED, "the kind of object");
}

#[test]
fn another_tree_is_refused() {
    let mut host = host();
    host.release.tree = "0".repeat(40).parse().unwrap();
    host.refuses(steps::REFUSED, "the tree");
}

#[test]
fn another_archive_is_refused() {
    let mut host = host();
    host.release.archive_sha256 = "0".repeat(64).parse().unwrap();
    host.refuses(steps::REFUSED, "the archive digest");
}

#[test]
fn another_uv_lock_is_refused() {
    let mut host = host();
    host.release.uv_lock_sha256 = "0".repeat(64).parse().unwrap();
    host.refuses(steps::REFUSED, "the digest of uv.lock");
}

#[test]
fn a_tag_that_is_gone_is_another_error() {
    let host = host();
    host.up.git(&["tag", "-d", "v2026.7.20"]);
    host.refuses(steps::NO_SOURCE, "cannot fetch");
}

#[test]
fn the_leftovers_of_a_killed_run_are_cleared_away() {
    let host = host();
    let left = host.root.path().join("opt/hermes/releases/.staging-0.19.0/x");
    std::fs::create_dir_all(&left).unwrap();
    host.refuses(steps::NO_DEPENDENCIES, "no Python that fits");
}

#[test]
fn a_release_in_place_needs_no_network() {
    let host = host();
    let extras = steps::with_messaging(&BTreeSet::new());
    let dir = host.root.path().join(&steps::dir(&host.version, &host.release)[1..]);
    std::fs::create_dir_all(&dir).unwrap();
    let manifest = steps::manifest(&host.version, &host.release, &extras, None);
    std::fs::write(dir.join(".petasos-release"), manifest).unwrap();
    host.up.git(&["tag", "-d", "v2026.7.20"]);
    let done = host.install();
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
}

/// The manifest says which Python it was, so that a release that was built with another one is not
/// taken for it.
#[test]
fn a_release_in_place_with_another_python_is_built_anew() {
    let host = host();
    let extras = steps::with_messaging(&BTreeSet::new());
    let dir = host.root.path().join(&steps::dir(&host.version, &host.release)[1..]);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(".petasos-release"), steps::manifest(&host.version, &host.release, &extras, None)).unwrap();
    let python = host.release.python.clone().expect("the table has one");
    let build = python.builds["x86_64"].clone();
    let own = steps::Interpreter { version: python.version, build };
    let argv = steps::install(&host.version, &host.release, &extras, Some(&own));
    let done = Command::new(&argv[0]).args(&argv[1..]).arg(host.root.path()).output().unwrap();
    // It gets as far as uv, which is not there.
    assert_eq!(done.status.code(), Some(steps::NO_DEPENDENCIES), "{}", stderr(&done));
    // The same manifest by both hands.
    let manifest = steps::manifest(&host.version, &host.release, &extras, Some(&own));
    std::fs::write(dir.join(".petasos-release"), manifest).unwrap();
    let done = Command::new(&argv[0]).args(&argv[1..]).arg(host.root.path()).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
}
