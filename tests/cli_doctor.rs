//! What `petasos doctor` says of this machine and of the files, and that it changes nothing. What
//! it says of hosts is in tests/lab.

mod common_cli;

use common_cli::{LOCK, contains_all, desk};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with these files, and with a key that needs no passphrase.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = desk(files);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.path().join("key"));
    assert!(command.status().expect("ssh-keygen").success());
    folder
}

fn doctor(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    command.args(["doctor", "--identity", "key"]).args(args).current_dir(folder);
    command.env_remove("OPENROUTER_API_KEY").env_remove("SSH_AUTH_SOCK").env("HOME", folder);
    let Output { status, stdout, stderr } = command.envs(environment.iter().copied()).output().expect("petasos runs");
    let shown = String::from_utf8(stdout).expect("UTF-8");
    let code = status.code().expect("no signal");
    assert!(code != 1 && stderr.is_empty(), "{shown}{}", String::from_utf8_lossy(&stderr));
    (code, shown)
}

/// The one line that says this.
#[track_caller]
fn line<'a>(shown: &'a str, begin: &str, about: &str) -> &'a str {
    let of_it = |line: &&str| line.starts_with(begin) && line.contains(&format!("  {about}: "));
    let found: Vec<&str> = shown.lines().filter(of_it).collect();
    assert_eq!(found.len(), 1, "one line `{begin} … {about}: …`:\n{shown}");
    found[0]
}

const SECRET: &str = "sk-or-v1-nobody-may-see-this";

#[test]
fn nothing_is_in_the_way_of_a_machine_that_has_it_all() {
    let folder = folder(&[("petasos.lock", LOCK)]);
    let (code, shown) = doctor(folder.path(), &[], &[]);
    assert_eq!(code, 0, "{shown}");
    for about in ["ssh", "ssh-keygen", "git", "temporary files", "clock", "petasos.yaml", "petasos.lock", "keys"] {
        line(&shown, "ok ", about);
    }
    assert!(shown.ends_with("nothing is in the way\n"), "{shown}");
}

#[test]
fn each_of_the_users_files_is_a_finding_with_what_to_do() {
    let (code, shown) = doctor(folder(&[]).path(), &[], &[]);
    assert_eq!(code, 2, "{shown}");
    contains_all(line(&shown, "STOP", "petasos.lock"), &["no lock file `petasos.lock` -> `petasos pin VERSION`"]);
    let files = [("petasos.yaml", "hosts: {}\nagnet: {}\n"), ("petasos.lock", LOCK)];
    let (code, shown) = doctor(folder(&files).path(), &[], &[]);
    assert_eq!(code, 2, "{shown}");
    let wrong = line(&shown, "STOP", "petasos.yaml");
    contains_all(wrong, &["unknown key `agnet` (petasos.yaml:2:1)", " -> did you mean `agent`?"]);
    line(&shown, "ok ", "ssh");
    line(&shown, "note", "hosts");
    let files = [("petasos.lock", &*LOCK.replace("3333", "333x"))];
    let (_, shown) = doctor(folder(&files).path(), &[], &[]);
    line(&shown, "STOP", "petasos.lock");
}

#[test]
fn a_host_that_does_not_answer_is_a_finding_and_leaves_no_trace() {
    let yaml = "hosts: { web: { address: \"root@127.0.0.1:1\" } }\nagent: { provider: openruter }\n";
    let folder = folder(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)]);
    let before = std::fs::read(folder.path().join("petasos.lock")).expect("a lock");
    let (code, shown) = doctor(folder.path(), &[], &[]);
    assert_eq!(code, 2, "{shown}");
    contains_all(
        line(&shown, "STOP  web ", "address"),
        &["cannot reach root@127.0.0.1:1", " -> check that the host is up"],
    );
    contains_all(line(&shown, "STOP  web ", "files"), &["`openruter` (petasos.yaml:2:", "did you mean `openrouter`?"]);
    line(&shown, "ok    web ", "release");
    assert_eq!(std::fs::read(folder.path().join("petasos.lock")).expect("a lock"), before);
    assert!(!folder.path().join(".ssh").exists());
}

#[test]
fn secrets_are_named_and_never_shown() {
    let yaml = "hosts: { web: { address: \"root@127.0.0.1:1\" } }\nagent: { secrets: [OWN_TOKEN] }\n";
    let folder = folder(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)]);
    let (_, shown) = doctor(folder.path(), &[], &[]);
    contains_all(line(&shown, "note", "secrets"), &["`OWN_TOKEN`", "`OPENROUTER_API_KEY`", "export NAME="]);
    let environment = [("OWN_TOKEN", SECRET), ("OPENROUTER_API_KEY", SECRET)];
    for args in [&[][..], &["--json"]] {
        let (_, shown) = doctor(folder.path(), args, &environment);
        assert!(shown.contains("`OWN_TOKEN`, `OPENROUTER_API_KEY` set") && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn programs_that_are_missing_or_too_old_are_in_the_way() {
    let folder = folder(&[]);
    let programs = folder.path().join("bin");
    std::fs::create_dir(&programs).expect("a folder");
    let path = programs.display().to_string();
    let (code, shown) = doctor(folder.path(), &[], &[("PATH", &path)]);
    assert_eq!(code, 2, "{shown}");
    contains_all(line(&shown, "STOP", "ssh"), &["there is no `ssh`", " -> install"]);
    contains_all(line(&shown, "STOP", "git"), &["`git` is not installed", " -> install"]);
    let old = "#!/bin/sh\n[ \"$1\" = -V ] && { echo 'OpenSSH_8.4p1 Debian-5' >&2; exit 0; }\necho kexalgorithms curve25519-sha256\n";
    std::fs::write(programs.join("ssh"), old).expect("a program");
    std::fs::set_permissions(programs.join("ssh"), PermissionsExt::from_mode(0o755)).expect("a program");
    let (_, shown) = doctor(folder.path(), &[], &[("PATH", &path)]);
    contains_all(line(&shown, "STOP", "ssh"), &["OpenSSH 8.4p1, which is too old", "8.5 or later"]);
    // Git has done its work once a release is pinned.
    std::fs::write(folder.path().join("petasos.lock"), LOCK).expect("a lock");
    line(&doctor(folder.path(), &[], &[("PATH", &path)]).1, "note", "git");
}

#[test]
fn a_place_without_room_for_temporary_files_is_in_the_way() {
    let folder = folder(&[("petasos.lock", LOCK)]);
    let (code, shown) = doctor(folder.path(), &[], &[("TMPDIR", "/proc")]);
    assert_eq!(code, 2, "{shown}");
    contains_all(line(&shown, "STOP", "temporary files"), &["nothing can be written to `/proc`", " -> "]);
}

#[test]
fn a_key_that_nobody_can_use_is_in_the_way() {
    let folder = folder(&[("petasos.lock", LOCK)]);
    std::fs::remove_file(folder.path().join("key")).expect("the key");
    contains_all(line(&doctor(folder.path(), &[], &[]).1, "STOP", "keys"), &["--identity", "`key`"]);
}

#[test]
fn programs_get_the_same_as_json() {
    let folder = folder(&[("petasos.lock", LOCK)]);
    let (code, shown) = doctor(folder.path(), &["--json", "root@127.0.0.1:1"], &[]);
    let report: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(code, 2);
    let find = |place: &str, about: &str| {
        let findings = report[place].as_array().expect("a list").iter();
        findings.filter(|finding| finding["about"] == about).cloned().collect::<Vec<_>>()
    };
    assert_eq!(find("here", "ssh")[0]["level"], "ok");
    let address = &find("127.0.0.1", "address")[0];
    assert_eq!(address["level"], "in_the_way");
    assert!(address["why"].as_str().is_some_and(|why| why.contains("cannot reach")) && address["hint"].is_string());
}

#[test]
fn a_host_that_petasos_yaml_does_not_have_is_an_error_as_for_every_verb() {
    let yaml = "hosts: { staging: { address: \"root@127.0.0.1:1\" } }\n";
    let stderr = common_cli::error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["doctor", "stagging"], 1);
    contains_all(&stderr, &["no host `stagging`", "did you mean `staging`?"]);
}
