//! What a user sees of the policy and of the audit log who makes a mistake, and what is asked
//! without a host. Nothing here reaches a host.

mod common_cli;

use common_cli::{LOCK, contains_all, desk, error, petasos};
use std::process::Command;

#[test]
fn a_policy_that_cannot_be_is_one_error_with_a_caret_before_any_host_is_reached() {
    for (agent, place, parts) in [
        (
            "approvals: { mode: allowlist, allow: [ls, 'a | b'] }",
            ":4:45",
            ["the allow rule `a | b` can never match", "hint: "],
        ),
        (
            "approvals: { mode: allowlist, allow: ['sudo id'] }",
            ":4:41",
            ["the deny rule `sudo *` always beats it", "hint: "],
        ),
        ("redact: { patterns: ['(a+)+$'] }", ":4:24", ["without end", "hint: give it a largest number"]),
        ("platforms: { telegram: { rate_limit: 0/hour } }", ":4:40", ["lets nobody in", "hint: `off`"]),
    ] {
        let yaml = format!("hosts:\n  web: {{ address: root@203.0.113.7 }}\nagent:\n  {agent}\n");
        let stderr = error(&[("petasos.yaml", &yaml), ("petasos.lock", LOCK)], &["up"], 1);
        contains_all(&stderr, &[place, "^", agent]);
        contains_all(&stderr, &parts);
    }
}

#[test]
fn a_policy_that_is_asked_here_says_whose_settings_it_has() {
    let yaml =
        "hosts:\n  a: { address: h, agent: { approvals: { mode: allowlist, allow: [ls] } } }\n  b: { address: i }\n";
    let folder = desk(&[("petasos.lock", LOCK), ("petasos.yaml", yaml)]);
    let said = |args: &[&str]| {
        let output = petasos(folder.path(), &[&["policy", "test", "--local"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    };
    let all = said(&["ls"]);
    assert_eq!(all.lines().count(), 1, "{all}");
    contains_all(&all, &["the top level of petasos.yaml", ": a (`petasos policy test --local a COMMAND`)"]);
    assert_eq!(said(&["a", "ls"]), "");
}

#[test]
fn a_policy_is_tested_before_it_is_on_a_host() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nagent:\n  approvals:\n    mode: allowlist\n    allow: [\"git log *\"]\n";
    let folder = desk(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)]);
    let said = |command: &str, code: i32| {
        let output = petasos(folder.path(), &["policy", "test", "--local", "web", command]);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    contains_all(&said("git  log 'a b'", 0), &["allowed: git  log", "rule: allow: git log *", "runs: git log 'a b'"]);
    contains_all(&said("git push '*'", 2), &["refused", "rule: unlisted", "allow:\n      - \"git push '*'\""]);
    let between = ["policy", "test", "web", "--local", "--tool", "read_file", "{\"path\": \"/etc//shadow\"}"];
    assert_eq!(petasos(folder.path(), &between).status.code(), Some(2));
    contains_all(&said("s\"\"udo id", 2), &["refused", "rule: deny: sudo *"]);
    let json = petasos(folder.path(), &["policy", "test", "--local", "--json", "id; ls"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["argv"][1][0]), (&"refuse".into(), &"ls".into()));
}

#[test]
fn a_policy_that_cannot_be_asked_says_why() {
    let files = [("petasos.lock", LOCK)];
    let local = |rest: &[&'static str]| [&["policy", "test", "--local"], rest].concat();
    contains_all(&error(&files, &local(&["nope", "id"]), 1), &["no host `nope`"]);
    contains_all(&error(&files, &local(&["--tool", "terminl", "{}"]), 1), &["`terminl` is no tool", "the policy"]);
    contains_all(
        &error(&files, &["policy", "test", "--local", "--tool", "read_file", "/etc/shadow"], 1),
        &["no JSON object", "hint: "],
    );
    contains_all(&error(&[], &local(&["id"]), 1), &["no lock file `petasos.lock`"]);
    contains_all(&error(&files, &["policy", "test", "id"], 64), &["needs a host and a command", "--local"]);
    let folder = desk(&files);
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    let output = command.args(local(&["id"])).current_dir(folder.path()).env("PATH", "/nonexistent").output().unwrap();
    contains_all(&String::from_utf8(output.stderr).unwrap(), &["no `python3`", "hint: install it, or ask a host"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_audit_log_is_asked_for_in_its_own_words() {
    let files = [
        ("petasos.lock", LOCK),
        ("petasos.yaml", "hosts:\n  a: { address: root@203.0.113.7 }\n  b: { address: root@203.0.113.8 }\n"),
    ];
    let stderr = error(&files, &["audit", "--follow"], 1);
    contains_all(&stderr, &["one host", "hint: name one"]);
    let stderr = error(&files, &["audit", "verify", "./nothing.jsonl"], 1);
    contains_all(&stderr, &["cannot read `./nothing.jsonl`", "hint: "]);
    contains_all(&error(&files, &["audit", "--json"], 1), &["`--json` shows the log of one host", "hint: name one"]);
    for args in [&["audit", "--ssh-config", "x", "verify", "a"][..], &["audit", "a", "verify"]] {
        contains_all(
            &error(&files, args, 64),
            &["`verify` must come right after `audit`", "hint: `petasos audit verify HOST`"],
        );
    }
    let stderr = error(&files, &["audit", "a", "--event", "comand_denied"], 64);
    contains_all(&stderr, &["'comand_denied'", "command_denied", "tool_call", "audit_dropped"]);
    for verb in ["audit", "denials"] {
        let stderr = error(&files, &[verb, "a", "--since", "yesterday"], 64);
        contains_all(&stderr, &["yesterday", "such as 90m, 24h or 7d"]);
    }
}

#[test]
fn a_log_that_was_changed_is_drift_and_none_at_all_is_not_observed() {
    let line = |seq: u64, prev: &str| {
        format!(
            "{{\"seq\":{seq},\"time\":\"2026-01-01T00:00:00.000Z\",\"event\":\"a\",\"uid\":5,\"prev\":\"{prev}\"}}\n"
        )
    };
    let verify = |text: &str| {
        let folder = desk(&[("log.jsonl", text)]);
        petasos(folder.path(), &["audit", "verify", "log.jsonl", "--json"]).status.code()
    };
    let zeros = "0".repeat(64);
    assert_eq!(verify(&line(1, &zeros)), Some(0));
    assert_eq!(verify(&format!("{}{}", line(1, &zeros), line(2, &zeros))), Some(2));
    assert_eq!(verify(""), Some(3));
}
