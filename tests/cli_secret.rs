//! `petasos secret`, with `age` and `ssh-keygen` as the oracles: age decrypts what petasos wrote,
//! and petasos reads what age wrote. Nothing here reaches a host.

#[expect(dead_code, reason = "what it runs needs a home without keys, and an input")]
mod common_cli;
#[expect(dead_code, reason = "no template is rendered here")]
mod judge;

use common_cli::{LOCK, contains_all, desk};
use judge::judge;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const FILE: &str = "secrets.yaml.age";
const VALUE: &str = "sk-or-v1-0ddba11";
const ONE_HOST: &str = "hosts: { web: { address: root@127.0.0.1:1 } }\n";

/// A folder with petasos.yaml, in which each of these has a key: `NAME` and `NAME.pub`.
fn folder(recipients: &str, names: &[&str]) -> TempDir {
    let yaml = format!("{ONE_HOST}secrets: {{ recipients: {recipients} }}\n");
    let folder = desk(&[("petasos.yaml", &yaml), ("petasos.lock", LOCK), ("home/.ssh/none", "")]);
    for name in names {
        key(folder.path(), name, "");
    }
    folder
}

fn key(folder: &Path, name: &str, passphrase: &str) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-C", name, "-N", passphrase, "-f", name]).current_dir(folder);
    assert!(keygen.status().unwrap().success());
}

/// Petasos with this text on standard input, and a home without keys.
fn petasos(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    command.args(args).current_dir(folder).env("HOME", folder.join("home"));
    for name in ["OPENROUTER_API_KEY", "PETASOS_AGE_IDENTITY"] {
        command.env_remove(name);
    }
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // Who refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What it says, all in all, where it ends like this.
#[track_caller]
fn says(folder: &Path, args: &[&str], input: &[u8], code: i32) -> String {
    let output = petasos(folder, args, input);
    let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{all}");
    all
}

/// As `petasos secret … --age-identity KEY`.
#[track_caller]
fn secret(folder: &Path, key: &str, args: &[&str], input: &str) -> String {
    let said = says(folder, &[&["secret"], args, &["--age-identity", key]].concat(), input.as_bytes(), 0);
    assert!(!said.contains("warning") || args[0] == "list", "{said}");
    said
}

#[track_caller]
fn refused(folder: &Path, args: &[&str], input: &[u8], parts: &[&str]) {
    let before = std::fs::read(folder.join(FILE)).ok();
    let stderr = says(folder, &[&["secret"], args].concat(), input, 1);
    contains_all(&stderr, parts);
    assert!(stderr.contains("error: ") && !stderr.contains(VALUE), "{stderr}");
    assert_eq!(std::fs::read(folder.join(FILE)).ok(), before, "the file is another");
}

/// What age itself finds in the file.
fn by_age(folder: &Path, key: &str) -> Result<String, String> {
    let output = judge("age", "age").args(["--decrypt", "--identity", key, FILE]).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn age_reads_what_petasos_wrote() {
    let folder = folder("[alice.pub, bob.pub]", &["alice", "bob", "eve"]);
    let here = folder.path();
    let said = secret(here, "alice", &["set", "OPENROUTER_API_KEY"], &format!("{VALUE}\n"));
    contains_all(&said, &["stored `OPENROUTER_API_KEY` in secrets.yaml.age"]);
    let file = std::fs::read_to_string(here.join(FILE)).unwrap();
    assert!(file.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && !file.contains(VALUE), "{file}");
    assert_eq!(std::fs::metadata(here.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    for key in ["alice", "bob"] {
        assert!(by_age(here, key).unwrap().contains(&format!("\n  OPENROUTER_API_KEY: {VALUE}\n")));
    }
    assert!(by_age(here, "eve").unwrap_err().contains("no identity matched"));
    // The second operator adds one of a host; the first reads it.
    secret(here, "bob", &["set", "TOKEN", "--host", "web"], "abc");
    let listed = secret(here, "alice", &["list"], "");
    assert_eq!(listed, "OPENROUTER_API_KEY  all hosts\nTOKEN               web\n");
    secret(here, "alice", &["rm", "TOKEN", "--host", "web"], "");
    assert!(!by_age(here, "bob").unwrap().contains("TOKEN"));
}

#[test]
fn petasos_reads_what_age_wrote() {
    let folder = folder("[alice.pub]", &["alice"]);
    let here = folder.path();
    let mut keygen = judge("age-keygen", "age");
    assert!(keygen.args(["-o", "key.txt"]).current_dir(here).output().unwrap().status.success());
    let mut age = judge("age", "age");
    age.args(["--encrypt", "--armor", "-R", "alice.pub", "-i", "key.txt", "-o", FILE]).current_dir(here);
    let mut child = age.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"version: 1\nsecrets: { X: abc }\nhosts: { gone: { Y: d } }\n").unwrap();
    assert!(child.wait().unwrap().success());
    for key in ["alice", "key.txt"] {
        let listed = secret(here, key, &["list"], "");
        contains_all(&listed, &["X  all hosts\n", "Y  gone       petasos.yaml has no such host\n", "secret rekey"]);
    }
}

#[test]
fn who_is_dropped_reads_no_further() {
    let folder = folder("[alice.pub, bob.pub]", &["alice", "bob"]);
    let here = folder.path();
    secret(here, "alice", &["set", "X"], "abc");
    let yaml = std::fs::read_to_string(here.join("petasos.yaml")).unwrap();
    std::fs::write(here.join("petasos.yaml"), yaml.replace(", bob.pub", "")).unwrap();
    contains_all(&secret(here, "alice", &["list"], ""), &["warning: ", "`petasos secret rekey`"]);
    assert!(by_age(here, "bob").is_ok());
    let said = secret(here, "alice", &["rekey"], "");
    contains_all(&said, &[" alice", "who was dropped can still decrypt older copies"]);
    assert!(by_age(here, "bob").is_err() && by_age(here, "alice").unwrap().contains("X: abc"));
    assert!(!secret(here, "alice", &["list"], "").contains("warning"));
    refused(
        here,
        &["list", "--age-identity", "bob"],
        b"",
        &["for 1 key (ssh-ed25519)", "`bob` (another key)", "hint: "],
    );
}

#[test]
fn the_usual_keys_are_tried_and_those_that_are_named() {
    let folder = folder("[alice.pub]", &["alice", "home/.ssh/id_ed25519"]);
    let here = folder.path();
    secret(here, "alice", &["set", "X"], "abc");
    let list = ["secret", "list"];
    contains_all(
        &says(here, &list, b"", 1),
        &["id_ed25519` (another key)", "id_rsa` (not there)", "only an ssh-agent holds cannot decrypt"],
    );
    for name in ["id_ed25519", "id_ed25519.pub"] {
        std::fs::copy(here.join(name.replace("id_ed25519", "alice")), here.join("home/.ssh").join(name)).unwrap();
    }
    assert_eq!(says(here, &list, b"", 0), "X  all hosts\n");
    refused(here, &["list", "--age-identity", "alice.pub"], b"", &["`alice.pub`: a public key", "ssh-agent"]);
    refused(here, &["list", "--age-identity", "nobody"], b"", &["`nobody`: No such file", "hint: "]);
    let named = |file: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
        command.args(list).args(more).current_dir(here).env("PETASOS_AGE_IDENTITY", file).output().unwrap()
    };
    assert!(named("alice", &[]).status.success());
    assert!(!named("nobody", &[]).status.success() && named("nobody", &["--age-identity", "alice"]).status.success());
    key(here, "locked", "pass");
    let yaml = format!("{ONE_HOST}secrets: {{ recipients: [alice.pub, locked.pub] }}\n");
    std::fs::write(here.join("petasos.yaml"), yaml).unwrap();
    secret(here, "alice", &["rekey"], "");
    refused(here, &["list", "--age-identity", "locked"], b"pass\n", &["`locked` has a passphrase", "no terminal"]);
}

#[test]
fn without_recipients_the_administrators_keys_count() {
    let with = |admin: &str| {
        let folder = folder("[]", &["alice"]);
        std::fs::write(folder.path().join("petasos.yaml"), format!("{ONE_HOST}{admin}")).unwrap();
        folder
    };
    let folder = with("admin: { authorized_keys: [alice.pub] }\n");
    secret(folder.path(), "alice", &["set", "X"], "abc");
    assert!(by_age(folder.path(), "alice").unwrap().contains("X: abc"));
    let sk = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t me";
    let only_sk = with(&format!("admin: {{ authorized_keys: [\"{sk}\"] }}\n"));
    refused(only_sk.path(), &["set", "X"], b"abc", &["can sign, but not decrypt", "hint: add an age key"]);
    let nobody = with("");
    refused(nobody.path(), &["set", "X"], b"abc", &["nobody is named who may decrypt", "secrets: { recipients: ["]);
    let both = with(&format!("admin: {{ authorized_keys: [alice.pub, \"{sk}\"] }}\n"));
    let said = says(both.path(), &["secret", "set", "X", "--age-identity", "alice"], b"abc", 0);
    contains_all(&said, &["warning: ", "`sk-ssh-ed25519@openssh.com`", "left out"]);
}

#[test]
fn a_wrong_recipient_is_shown_where_it_stands_unless_it_is_secret() {
    let said = |recipients: &str| {
        let folder = folder(recipients, &[]);
        says(folder.path(), &["secret", "set", "X"], b"abc", 1)
    };
    contains_all(&said("[nobody.pub]"), &["cannot read `nobody.pub`", "petasos.yaml:2:25", "^", "hint: "]);
    let private = said("[AGE-SECRET-KEY-1S3CRET]");
    contains_all(&private, &["a private key stands where", "replace the key"]);
    assert!(!private.contains("S3CRET"), "{private}");
    contains_all(&said("[\"ecdsa-sha2-nistp256 AAAA me\"]"), &["can sign, but not decrypt"]);
    let folder = desk(&[("petasos.yaml", "secrets: { recipient: [] }\n")]);
    contains_all(&says(folder.path(), &["secret", "list"], b"", 1), &["did you mean `recipients`?"]);
}

#[test]
fn a_value_is_taken_from_nowhere_else_and_shown_nowhere() {
    let folder = folder("[alice.pub]", &["alice"]);
    let here = folder.path();
    let set = |args: &[&str], input: &[u8], parts: &[&str]| refused(here, args, input, parts);
    set(&["set", "X", VALUE], b"", &["takes a name and no value", "hint: "]);
    set(&["set", &format!("X={VALUE}")], b"", &["takes a name and no value"]);
    set(&["set", VALUE], b"abc", &["not the name of an environment variable"]);
    set(&["set", "X"], format!("{VALUE}\n\n").as_bytes(), &["the value of `X`", "white space"]);
    set(&["set", "X"], format!("\"{VALUE}\"").as_bytes(), &["the value of `X`", "a quote"]);
    set(&["set", "X"], format!("{VALUE}é").as_bytes(), &["beyond ASCII"]);
    set(&["set", "X"], &[VALUE.as_bytes(), &[0xff, 0]].concat(), &["no text in UTF-8", "base64"]);
    set(&["set", "X"], b"", &["the value of `X` is empty"]);
    set(&["set", "X"], &vec![b'a'; 70_000], &["more than 65536 bytes"]);
    set(&["set", "X", "--host", "wep"], b"abc", &["did you mean `web`?"]);
    set(&["rm", "X"], b"", &["there is no `X`"]);
    set(&["rekey"], b"", &["there is no secrets.yaml.age"]);
}

#[test]
fn a_file_of_lines_is_imported_whole_or_not_at_all() {
    let folder = folder("[alice.pub]", &["alice"]);
    let here = folder.path();
    std::fs::write(here.join("env"), "# mine\n\nexport A='abc'\nB=d=e # why\nC=\"f\"\n").unwrap();
    let said = secret(here, "alice", &["import", "env"], "");
    contains_all(&said, &["stored `A`, `B`, `C` in secrets.yaml.age"]);
    contains_all(&by_age(here, "alice").unwrap(), &["  A: abc\n  B: d=e\n  C: f\n"]);
    contains_all(&secret(here, "alice", &["import", "-"], "C=g\nD=h\n"), &["(1 of them replaced)"]);
    contains_all(&by_age(here, "alice").unwrap(), &["  C: g\n  D: h\n"]);
    for (text, why) in [
        (format!("E=1\n{VALUE}\n"), "line 2 of standard input is no `NAME=value`"),
        (format!("E=1\nlower={VALUE}\n"), "line 2 of standard input has no name"),
        (format!("E=1\nE={VALUE}\n"), "line 2 of standard input has `E` a second time"),
        (format!("E=1\nF={VALUE}ü\n"), "line 2 of standard input: the value of `F`"),
        ("# nothing\n".to_owned(), "has no `NAME=value` line"),
    ] {
        refused(here, &["import", "-", "--age-identity", "alice"], text.as_bytes(), &[why]);
    }
}

#[test]
fn a_damaged_file_is_no_file_of_nobody() {
    let folder = folder("[alice.pub]", &["alice"]);
    let here = folder.path();
    secret(here, "alice", &["set", "X"], "abc");
    let file = std::fs::read_to_string(here.join(FILE)).unwrap();
    let merged = format!("<<<<<<< HEAD\n{file}=======\n{file}>>>>>>> other\n");
    let (half, flipped) = (&file[..file.len() / 2], file.replacen("YWdl", "YWdm", 1));
    let middle = file.lines().nth(5).unwrap();
    let edited = file.replace(middle, &middle.chars().rev().collect::<String>());
    for text in ["", "X: abc\n", half, &flipped, &merged, &edited] {
        std::fs::write(here.join(FILE), text).unwrap();
        let parts = ["`secrets.yaml.age` is damaged", "hint: restore it from version control"];
        refused(here, &["list", "--age-identity", "alice"], b"", &parts);
        refused(here, &["set", "Y", "--age-identity", "alice"], b"abc", &parts);
    }
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let folder = folder("[alice.pub]", &["alice"]);
    let here = folder.path();
    secret(here, "alice", &["set", "X"], "abc");
    let before = std::fs::read(here.join(FILE)).unwrap();
    // No byte fits: the run is killed at its first write (SIGXFSZ).
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 0; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_petasos")]);
    limited.args(["secret", "set", "Y", "--age-identity", "alice"]).current_dir(here);
    let mut child = limited.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"abc").unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(std::fs::read(here.join(FILE)).unwrap(), before);
    assert_eq!(secret(here, "alice", &["list"], ""), "X  all hosts\n");
}

/// A verb that needs a value decrypts before it connects; one that does not never asks.
#[test]
fn a_file_that_does_not_open_ends_a_run_before_it_connects() {
    let folder = folder("[alice.pub]", &["alice", "bob"]);
    let here = folder.path();
    secret(here, "alice", &["set", "OPENROUTER_API_KEY"], VALUE);
    for verb in ["up", "plan", "render"] {
        let said = says(here, &[verb, "--age-identity", "bob"], b"", 1);
        contains_all(&said, &["`secrets.yaml.age` is encrypted for 1 key", "`bob` (another key)"]);
        assert!(!said.contains("127.0.0.1") && !said.contains(VALUE), "{said}");
    }
    let doctor = says(here, &["doctor", "--age-identity", "bob"], b"", 2);
    contains_all(&doctor, &["`secrets.yaml.age` is encrypted for 1 key"]);
    let doctor = says(here, &["doctor", "--age-identity", "alice"], b"", 2);
    contains_all(&doctor, &["`OPENROUTER_API_KEY` set"]);
    // Where the environment has it all, and for what asks only what a host is, the file stays
    // closed: that nobody listens there is what ends these.
    for (verb, key) in [("plan", Some(VALUE)), ("facts", None)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
        command.args([verb, "--age-identity", "bob"]).current_dir(here).env("HOME", here.join("home"));
        command.env_remove("OPENROUTER_API_KEY").envs(key.map(|key| ("OPENROUTER_API_KEY", key)));
        let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
        contains_all(&stderr, &["cannot reach root@127.0.0.1:1"]);
        assert!(!stderr.contains(FILE) && !stderr.contains(VALUE), "{stderr}");
    }
}
