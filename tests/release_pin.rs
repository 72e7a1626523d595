//! `petasos pin` against real repositories; git is the oracle of what it writes.
mod common_git;
use common_git::{Files, Upstream, lock, pin, release, stderr, stdout};
use petasos::config::lock::LockFile;
use std::path::Path;

/// A source with three releases, and a place to pin in.
fn source() -> (Upstream, tempfile::TempDir) {
    let up = Upstream::new();
    up.release("v2026.7.1", "0.18.0");
    up.release("v2026.7.7.2", "0.18.2");
    up.release("v2026.7.20", "0.19.0");
    (up, tempfile::tempdir().unwrap())
}

fn refused(dir: &Path, argv: &[&str], reason: &str) {
    let before = std::fs::read(lock(dir)).ok();
    let done = pin(dir, argv);
    assert_eq!(done.status.code(), Some(1), "{argv:?}: {}", stderr(&done));
    assert!(stderr(&done).contains(reason), "{argv:?}: {}", stderr(&done));
    assert_eq!(std::fs::read(lock(dir)).ok(), before, "a refusal writes nothing");
}

#[test]
fn a_version_becomes_what_git_says_of_its_tag() {
    let (up, dir) = source();
    let done = pin(dir.path(), &["0.18.2", "--source", &up.url()]);
    assert!(done.status.success(), "{}", stderr(&done));
    let (version, found) = {
        let lock = LockFile::load(&lock(dir.path())).unwrap();
        let (version, release) = lock.release_of("any").unwrap();
        (version.to_string(), release.clone())
    };
    assert_eq!((version.as_str(), found.tag.as_str()), ("0.18.2", "v2026.7.7.2"));
    assert_eq!(found.commit.as_str(), up.git(&["rev-parse", "v2026.7.7.2^{commit}"]));
    assert_eq!(found.tree.as_str(), up.git(&["rev-parse", "v2026.7.7.2^{tree}"]));
    assert!(!found.signed);
    let sum = |script: &str| {
        let done = std::process::Command::new("sh").args(["-c", script]).current_dir(up.path()).output().unwrap();
        stdout(&done)[..64].to_owned()
    };
    let archive = sum("git -c tar.umask=0002 archive --format=tar v2026.7.7.2^{commit} | sha256sum");
    assert_eq!(found.archive_sha256.as_str(), archive);
    assert_eq!(found.uv_lock_sha256.as_str(), sum("git show v2026.7.7.2:uv.lock | sha256sum"));
}

#[test]
fn pinning_again_changes_nothing() {
    let (up, dir) = source();
    assert!(pin(dir.path(), &["0.19.0", "--source", &up.url()]).status.success());
    let before = std::fs::read(lock(dir.path())).unwrap();
    // The source is remembered; the tag is another name of the same release.
    for name in ["0.19.0", "v2026.7.20"] {
        let done = pin(dir.path(), &[name]);
        assert!(stdout(&done).ends_with("0 changes\n"), "{}{}", stdout(&done), stderr(&done));
    }
    assert_eq!(std::fs::read(lock(dir.path())).unwrap(), before);
}

#[test]
fn a_host_can_have_its_own_release() {
    let (up, dir) = source();
    assert!(pin(dir.path(), &["0.18.2", "--source", &up.url()]).status.success());
    let done = pin(dir.path(), &["0.19.0", "--host", "staging", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!(report["changes"][1], "release of staging: none -> 0.19.0");
    let lock = LockFile::load(&lock(dir.path())).unwrap();
    assert_eq!(lock.release_of("staging").unwrap().0.to_string(), "0.19.0");
    assert_eq!(lock.release_of("production").unwrap().0.to_string(), "0.18.2");
}

#[test]
fn a_signature_is_noted() {
    let (up, dir) = source();
    up.commit(&release("0.20.0"));
    let message = "0.20.0\n-----BEGIN SSH SIGNATURE-----\nAA==\n-----END SSH SIGNATURE-----\n";
    up.git(&["tag", "-a", "v2026.8.3", "--cleanup=verbatim", "-m", message]);
    let done = pin(dir.path(), &["0.20.0", "--source", &up.url()]);
    assert!(stdout(&done).contains("yes (not verified)"), "{}{}", stdout(&done), stderr(&done));
}

#[test]
fn what_is_not_a_release_is_refused() {
    let (up, dir) = source();
    let url = up.url();
    let commit = up.git(&["rev-parse", "HEAD"]);
    refused(dir.path(), &["main", "--source", &url], "a branch moves");
    refused(dir.path(), &[&commit, "--source", &url], "a commit id");
    refused(dir.path(), &["v2026.7.20-rc1", "--source", &url], "a pre-release");
    refused(dir.path(), &["0.18.0", "--source", &url], "approvals.deny");
    // The same release by its tag: only its pyproject.toml says how old it is.
    refused(dir.path(), &["v2026.7.1", "--source", &url], "approvals.deny");
    refused(dir.path(), &["0.21.0", "--source", &url], "newest tags are v2026.7.20, v2026.7.7.2, v2026.7.1");
    refused(dir.path(), &["0.19.0", "--source", "https://me:pw@example.com/x"], "carries credentials");
}

#[test]
fn a_tag_that_is_not_a_proper_release_is_refused() {
    let (up, dir) = source();
    let url = up.url();
    up.commit(&release("0.20.0"));
    up.git(&["tag", "v2026.8.1"]);
    refused(dir.path(), &["v2026.8.1", "--source", &url], "lightweight");
    refused(dir.path(), &["0.20.0", "--source", &url], "lightweight");
    up.commit(&Files { name: "hermes-agnet", ..release("0.20.1") });
    up.git(&["tag", "-a", "v2026.8.2", "-m", "x"]);
    refused(dir.path(), &["v2026.8.2", "--source", &url], "not of `hermes-agent`");
    up.commit(&Files { uv_lock: None, ..release("0.20.2") });
    up.git(&["tag", "-a", "v2026.8.3", "-m", "x"]);
    refused(dir.path(), &["0.20.2", "--source", &url], "no `uv.lock`");
    up.commit(&release("0.20.3-rc.1"));
    up.git(&["tag", "-a", "v2026.8.4", "-m", "x"]);
    refused(dir.path(), &["v2026.8.4", "--source", &url], "a pre-release");
}

#[test]
fn a_moved_tag_is_refused_by_version_and_by_tag() {
    let (up, dir) = source();
    assert!(pin(dir.path(), &["0.19.0", "--source", &up.url()]).status.success());
    let was = up.git(&["rev-parse", "v2026.7.20^{commit}"]);
    up.commit(&Files { uv_lock: Some("version = 1 # other\n"), ..release("0.19.0") });
    up.git(&["tag", "-f", "-a", "v2026.7.20", "-m", "moved"]);
    let now = up.git(&["rev-parse", "v2026.7.20^{commit}"]);
    for name in ["0.19.0", "v2026.7.20"] {
        refused(dir.path(), &[name], "MOVED TAG");
        refused(dir.path(), &[name], &was);
        refused(dir.path(), &[name], &now);
    }
}

#[test]
fn a_version_that_comes_again_under_another_tag_is_refused() {
    let (up, dir) = source();
    assert!(pin(dir.path(), &["0.19.0", "--source", &up.url()]).status.success());
    up.release("v2026.7.21", "0.19.0");
    refused(dir.path(), &["v2026.7.21"], "MOVED TAG");
    // By its version it is still the release that was pinned.
    assert!(pin(dir.path(), &["0.19.0"]).status.success());
}

#[test]
fn a_tree_that_differs_from_the_lock_is_refused() {
    let (up, dir) = source();
    assert!(pin(dir.path(), &["0.19.0", "--source", &up.url()]).status.success());
    let path = lock(dir.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let tree = up.git(&["rev-parse", "v2026.7.20^{tree}"]);
    std::fs::write(&path, text.replace(&tree, &"0".repeat(40))).unwrap();
    refused(dir.path(), &["0.19.0"], &tree);
}

#[test]
fn a_source_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), &["0.19.0", "--source", "file:///nonexistent"], "git ls-remote failed");
}
