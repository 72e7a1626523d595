//! switch.sh on a folder of its own: a policy goes forth and back with its release. What the agent
//! makes of it, the lab sees.

use petasos::release::steps::{self, Health};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// A host with two releases and a policy for each, the first of which is current; its `systemctl`
/// knows one unit, and its `python3` answers whether that is healthy.
fn host(prefix: &Path, healthy: bool) {
    let (opt, etc, bin) = (prefix.join("opt/hermes"), prefix.join("etc/hermes"), prefix.join("bin"));
    for folder in [&opt, &etc.join("policies"), &bin] {
        fs::create_dir_all(folder).unwrap();
    }
    for (version, commit) in [("0.18.2", "aaaaaaaaaaaa"), ("0.19.0", "bbbbbbbbbbbb")] {
        let release = opt.join(format!("releases/{version}-{commit}"));
        fs::create_dir_all(&release).unwrap();
        fs::write(release.join(".petasos-release"), "").unwrap();
        fs::write(etc.join(format!("policies/{version}.json")), "").unwrap();
    }
    symlink(opt.join("releases/0.18.2-aaaaaaaaaaaa"), opt.join("current")).unwrap();
    // As the playbook leaves it before the switch.
    symlink("/etc/hermes/policies/0.19.0.json", etc.join("policy.json")).unwrap();
    // Healthy is whatever is said of the new release; the old one always is.
    let judge = format!(
        "case $(readlink {}/current) in *0.18.2*) exit 0 ;; *) exit {} ;; esac",
        opt.display(),
        i32::from(!healthy)
    );
    for (name, script) in [("systemctl", "[ \"$1\" != show ] || echo loaded".to_owned()), ("python3", judge)] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The exit code of the switch to the second release, and what is current then: release and policy.
fn switched(healthy: bool) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path();
    host(prefix, healthy);
    let health = Health { unit: "a.service".into(), url: "http://127.0.0.1/".into(), timeout_secs: 1 };
    let dir = prefix.join("opt/hermes/releases/0.19.0-bbbbbbbbbbbb");
    let argv = steps::switch(&dir.display().to_string(), &health);
    let output = Command::new(&argv[0]).args(&argv[1..]).arg(prefix).output().unwrap();
    let name =
        |link: &str| fs::read_link(prefix.join(link)).unwrap().file_name().unwrap().to_string_lossy().into_owned();
    (output.status.code().unwrap(), name("opt/hermes/current"), name("etc/hermes/policy.json"))
}

#[test]
fn a_policy_goes_with_its_release_and_comes_back_with_the_one_before() {
    assert_eq!(switched(true), (0, "0.19.0-bbbbbbbbbbbb".into(), "0.19.0.json".into()));
    assert_eq!(switched(false), (steps::UNHEALTHY, "0.18.2-aaaaaaaaaaaa".into(), "0.18.2.json".into()));
}
