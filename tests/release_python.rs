//! What python.sh makes of an archive, and what it refuses: nothing that has another digest is
//! unpacked. The archive's Python is a script that says a version.

use petasos::release::pinned::Build;
use petasos::release::steps::{self, Interpreter};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An archive somewhere, and an empty root directory.
struct Host {
    root: tempfile::TempDir,
    wanted: Interpreter,
}

/// With a Python in it that says this version.
fn host(says: &str) -> Host {
    let root = tempfile::tempdir().unwrap();
    let bin = root.path().join("served/python/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("python3"), format!("#!/bin/sh\necho {says}\n")).unwrap();
    fs::set_permissions(bin.join("python3"), fs::Permissions::from_mode(0o777)).unwrap();
    let archive = root.path().join("archive.tar.gz");
    let tar =
        Command::new("tar").arg("-C").arg(root.path().join("served")).arg("-czf").arg(&archive).arg("python").status();
    assert!(tar.unwrap().success());
    let sum = Command::new("sha256sum").arg(&archive).output().unwrap().stdout;
    let sha256 = String::from_utf8(sum).unwrap().split(' ').next().unwrap().parse().unwrap();
    let url = format!("file://{}", archive.display());
    let build = Build { url, sha256, mebibytes: 1 };
    Host { root, wanted: Interpreter { version: semver::Version::new(3, 13, 17), build } }
}

impl Host {
    fn install(&self) -> Output {
        let argv = steps::python(&self.wanted);
        // The last argument of the script, which only tests give: what goes before /opt.
        Command::new(&argv[0]).args(&argv[1..]).arg(self.root.path()).output().unwrap()
    }

    fn place(&self) -> PathBuf {
        self.root.path().join(&self.wanted.dir()[1..])
    }

    fn refuses(&self, code: i32, reason: &str) {
        let done = self.install();
        let message = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{message}");
        assert!(message.contains(reason), "{message}");
        let left = fs::read_dir(self.root.path().join("opt/hermes/python")).unwrap().count();
        assert_eq!(left, 0, "a refusal leaves nothing");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_pinned_archive_is_put_in_place_and_nobody_else_may_write_there() {
    let host = host("3.13.17");
    // An older petasos' uv left a lock that everybody may write.
    let lock = host.root.path().join("opt/hermes/python/.lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o666)).unwrap();
    let done = host.install();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let place = host.place();
    assert_eq!(fs::read_to_string(place.join(".petasos-python")).unwrap(), host.wanted.mark());
    assert_eq!(mode(&place.join("bin/python3")), 0o755);
    assert!(!lock.exists());
    // Again, and without the archive: it is there.
    fs::remove_file(host.root.path().join("archive.tar.gz")).unwrap();
    assert_eq!(host.install().status.code(), Some(0));
}

#[test]
fn another_digest_is_refused_before_anything_is_unpacked() {
    let mut host = host("3.13.17");
    // It would say where it ran.
    let ran = host.root.path().join("ran");
    fs::write(host.root.path().join("served/python/bin/python3"), format!("#!/bin/sh\ntouch {}\n", ran.display()))
        .unwrap();
    host.wanted.build.sha256 = "0".repeat(64).parse().unwrap();
    host.refuses(steps::REFUSED, "refused: the archive of Python 3.13.17 has the digest");
    assert!(!ran.exists());
}

#[test]
fn an_archive_that_is_not_there_is_another_error() {
    let mut host = host("3.13.17");
    host.wanted.build.url += ".not";
    host.refuses(steps::NO_SOURCE, "cannot be downloaded");
}

#[test]
fn a_python_of_another_version_does_not_count() {
    host("3.12.1").refuses(steps::NO_DEPENDENCIES, "it says 3.12.1");
}
