//! What a user sees who makes a mistake: one clear error and the right exit code. Nothing here
//! reaches a host.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const LOCK: &str = include_str!("petasos.lock");

/// A folder with these files.
fn desk(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn petasos(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    command.args(args).current_dir(folder).env_remove("OPENROUTER_API_KEY");
    command.output().unwrap()
}

/// The error and nothing else: no report on stdout, no second error, no panic.
#[track_caller]
fn error(files: &[(&str, &str)], args: &[&str], code: i32) -> String {
    let folder = desk(files);
    let output = petasos(folder.path(), args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "an error belongs on stderr");
    assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
    stderr
}

#[track_caller]
fn contains_all(stderr: &str, parts: &[&str]) {
    for part in parts {
        assert!(stderr.contains(part), "it does not say `{part}`:\n{stderr}");
    }
}

#[test]
fn a_wrong_key_in_petasos_yaml_has_its_line_a_caret_and_what_was_meant() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nagent:\n  provider: openrouter\n  modle: some/model\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(
        &stderr,
        &["unknown field `modle`", "petasos.yaml:5:3", "modle: some/model", "^", "hint: did you mean `model`?"],
    );
}

#[test]
fn a_wrong_key_in_the_hosts_own_settings_is_found_too() {
    let yaml = "hosts:\n  web:\n    address: root@203.0.113.7\n    netwrok: {}\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["plan"], 1);
    contains_all(&stderr, &["unknown field `netwrok`", "petasos.yaml:4:5", "^", "did you mean `network`?"]);
}

#[test]
fn a_value_that_cannot_be_is_found_where_it_stands() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nnetwork:\n  inbound: [80/tcp, 99999/tcp]\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(&stderr, &["99999", "petasos.yaml:4:", "^"]);
}

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
fn a_release_that_nobody_reviewed_is_an_error_before_any_host_is_reached() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\n";
    let lock = LOCK.split("    policy:").next().unwrap();
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", lock)], &["up"], 1);
    contains_all(&stderr, &["whether release 0.19.0 was reviewed", "hint: `petasos pin 0.19.0`"]);
}

#[test]
fn a_file_that_is_no_yaml_says_where() {
    let stderr = error(&[("petasos.yaml", "hosts: [\n"), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(&stderr, &["petasos.yaml:"]);
}

#[test]
fn a_wrong_key_in_a_playbook_has_its_line_a_caret_and_what_was_meant() {
    let playbook = "- name: a greeting\n  file:\n    path: /etc/motd\n    mdoe: \"0644\"\n    content: hello\n";
    let files = [("playbooks/50-own.yaml", playbook), ("petasos.lock", LOCK)];
    let stderr = error(&files, &["up", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["unknown field `mdoe`", "playbooks/50-own.yaml:4:5", "^", "did you mean `mode`?"]);
}

#[test]
fn a_kind_that_is_none_is_found() {
    let playbook = "- name: a greeting\n  fiel: { path: /etc/motd }\n";
    let files = [("playbooks/50-own.yaml", playbook), ("petasos.lock", LOCK)];
    let stderr = error(&files, &["plan", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["unknown field `fiel`", "playbooks/50-own.yaml:2:3", "did you mean `file`?"]);
}

#[test]
fn an_entry_without_a_resource_is_named() {
    let files = [("playbooks/50-own.yaml", "- name: a greeting\n"), ("petasos.lock", LOCK)];
    let stderr = error(&files, &["plan", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["`a greeting` in playbooks/50-own.yaml", "no resource", "hint: "]);
}

#[test]
fn a_group_is_told_by_its_name_and_the_place_in_it() {
    let refused = |playbook: &str, parts: &[&str]| {
        let files = [("playbooks/50-own.yaml", playbook), ("petasos.lock", LOCK)];
        contains_all(&error(&files, &["plan", "root@203.0.113.7"], 1), parts);
    };
    let motd = "{ path: /etc/motd, mode: \"0644\", content: x }";
    let group = |rest: &str| format!("- name: greetings\n  resources:\n    - file: {motd}\n{rest}");
    let here = "`greetings` in playbooks/50-own.yaml";
    refused(&group("    - when: host.container\n"), &[here, "number 2", "no resource", "hint: "]);
    refused(&group("      group: { name: x }\n"), &[here, "number 1", "more than one resource", "hint: "]);
    refused(&group("  group: { name: x }\n"), &[here, "both", "hint: "]);
    refused("- name: greetings\n  resources: []\n", &[here, "no resource", "hint: "]);
    refused(&group("    - fiel: {}\n"), &["unknown field `fiel`", "playbooks/50-own.yaml:4:7", "did you mean `file`?"]);
    refused(
        &format!("- name: greetings\n  control: fs.stric\n  file: {motd}\n"),
        &[here, "`fs.stric`", "hint: ", "fs.strict"],
    );
}

#[test]
fn an_unknown_host_is_named_with_the_nearest_known() {
    let yaml = "hosts:\n  staging: { address: root@203.0.113.7 }\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up", "stagging"], 1);
    contains_all(&stderr, &["petasos.yaml has no host `stagging`", "did you mean `staging`?"]);
}

#[test]
fn no_host_at_all_says_how_to_name_one() {
    let stderr = error(&[("petasos.lock", LOCK)], &["up"], 1);
    contains_all(&stderr, &["no host", "hint: ", "petasos init"]);
}

#[test]
fn a_missing_lock_says_what_writes_it() {
    let stderr = error(&[], &["up", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["no lock file `petasos.lock`", "hint: `petasos pin VERSION`"]);
}

#[test]
fn a_lock_that_was_edited_badly_is_refused() {
    let stderr = error(&[("petasos.lock", &LOCK.replace("3333", "333x"))], &["up", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["`petasos.lock` is not a lock file", "hint: "]);
}

#[test]
fn a_public_key_that_is_not_there_is_named() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nadmin:\n  authorized_keys: [./nobody.pub]\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(&stderr, &["admin.authorized_keys", "`./nobody.pub`"]);
}

#[test]
fn what_may_go_out_is_checked_before_any_host_is_asked() {
    let of = |more: &str| {
        let yaml = format!("hosts:\n  web: {{ address: root@203.0.113.7 }}\n{more}\n");
        error(&[("petasos.yaml", &yaml), ("petasos.lock", LOCK)], &["plan"], 1)
    };
    let stderr = of("network:\n  egress:\n    allow: [https://api.example.com/v1]");
    contains_all(
        &stderr,
        &["petasos.yaml:5", "`https://api.example.com/v1` cannot be allowed", "give the host name only"],
    );
    contains_all(&of("network: { egress: { allow: [203.0.113.9] } }"), &["only names can be allowed"]);
    contains_all(&of("network: { egress: { allow: [\"*\"] } }"), &["cannot be allowed"]);
    contains_all(&of("agent: { provider: nobody-has-this-name }"), &["`nobody-has-this-name`", "agent.base_url"]);
    let packs = "always: []\nproviders: { openrouter: { names: [openrouter.ai] } }\n\
                 platforms: { telegram: { needs: [api.telegram.org], names: [], tokens: [] } }\n";
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nagent: { platforms: { telegram: {} } }\n";
    let files = [("petasos.yaml", yaml), ("petasos.lock", LOCK), ("playbooks/data/packs.yaml", packs)];
    contains_all(
        &error(&files, &["up"], 1),
        &["telegram is enabled, but api.telegram.org is not allowed", "network.egress.allow"],
    );
    let stderr = error(&[files[0], files[1], ("playbooks/data/packs.yaml", "allways: []\n")], &["up"], 1);
    contains_all(&stderr, &["playbooks/data/packs.yaml:1", "did you mean `always`?"]);
}

/// Whatever egress there is: the agent would start and have nobody to ask.
#[test]
fn a_provider_that_the_agent_would_not_use_is_refused() {
    let of = |mode: &str, agent: &str| {
        let yaml = format!(
            "hosts:\n  web: {{ address: root@203.0.113.7 }}\nnetwork: {{ egress: {{ mode: {mode} }} }}\nagent: {{ {agent} }}\n"
        );
        error(&[("petasos.yaml", &yaml), ("petasos.lock", LOCK)], &["up"], 1)
    };
    for mode in ["names", "ports", "open"] {
        let stderr = of(mode, "provider: openai");
        contains_all(&stderr, &["agent.provider: unknown provider `openai`\nhint: did you mean `openai-api`?"]);
        let stderr = of(mode, "base_url: \"https://llm.example.org/v1\"");
        contains_all(
            &stderr,
            &["agent.base_url: the agent ignores it for the provider `openrouter`", "hint: ", "custom"],
        );
        let stderr = of(mode, "provider: anthropic, base_url: \"https://llm.example.org/v1\"");
        contains_all(&stderr, &["agent.base_url: ", "`anthropic`", "hint: ", "custom"]);
        contains_all(&of(mode, "provider: custom"), &["`custom`", "hint: ", "agent.base_url"]);
    }
}

#[test]
fn a_release_that_is_too_old_or_none_is_refused() {
    contains_all(&error(&[], &["pin", "0.18.1", "--source", "/nonexistent"], 1), &["0.18.1", "0.18.2"]);
    contains_all(&error(&[], &["pin", "main", "--source", "/nonexistent"], 1), &["`main`"]);
}

#[test]
fn bad_usage_ends_with_64_and_help_with_0() {
    for args in
        [&["upp"][..], &["up", "--frobnicate"], &["pin"], &["up", "--parallel", "many"], &["completions", "cobol"], &[]]
    {
        let output = petasos(desk(&[]).path(), args);
        assert_eq!(output.status.code(), Some(64), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    contains_all(&error(&[], &["upp"], 64), &["'upp'", "'up'"]);
    for args in [&["--help"][..], &["up", "--help"], &["--version"]] {
        let output = petasos(desk(&[]).path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    // More than a pipe holds, so that it is written to when nobody is there any more.
    let mut child = Command::new(env!("CARGO_BIN_EXE_petasos"));
    let child = child.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let mut full = Command::new(env!("CARGO_BIN_EXE_petasos"));
    let full =
        full.args(["completions", "bash"]).stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let output = full.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && stderr.starts_with("error: ") && stderr.contains("No space left"),
        "{stderr}"
    );
}

/// An `ssh` that a hostile host answers: no login, and words that a terminal would obey.
const HOSTILE: &str = r#"#!/bin/sh
for word; do
	if [ "$word" = -G ]; then
		printf 'hostname %s\nport 22\n' "$word"
		exit
	fi
done
while [ $# -gt 0 ]; do
	[ "$1" = -E ] && log=$2
	shift
done
printf 'root@web: Permission denied (publickey).\033]0;owned\007\033[2J\302\2332J\342\200\256\n' >"$log"
exit 255
"#;

/// Two hosts, both of them hostile.
fn hostile(args: &[&str]) -> Output {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\n  db: { address: root@203.0.113.8 }\n";
    let folder = desk(&[("petasos.yaml", yaml), ("petasos.lock", LOCK), ("bin/ssh", HOSTILE)]);
    let ssh = folder.path().join("bin/ssh");
    std::fs::set_permissions(&ssh, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    command.args(args).current_dir(folder.path()).env("PATH", path).output().unwrap()
}

#[test]
fn what_a_hostile_host_says_does_not_act_on_the_terminal() {
    for args in [&["plan"][..], &["up", "--json"], &["verify"], &["verify", "--json"], &["facts"]] {
        let output = hostile(args);
        let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!all.contains(obeyed) && all.contains("owned"), "{args:?}: {all:?}");
    }
}

#[test]
fn one_hosts_failure_does_not_stop_the_others() {
    for verb in ["plan", "facts", "render", "history", "egress", "verify"] {
        let output = hostile(&[verb]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{verb}: {stderr}");
        let at = |host: &str| {
            stderr.find(&format!("error: root@{host} refused the login")).unwrap_or_else(|| panic!("{verb}: {stderr}"))
        };
        assert!(at("203.0.113.8") < at("203.0.113.7"), "{verb}: in the order of the hosts: {stderr}");
        assert_eq!(stderr.matches("\nhint: check that the right key").count(), 2, "{verb}: {stderr}");
    }
}

#[test]
fn in_json_an_error_and_its_hint_stand_apart() {
    let report = |args: &[&str]| -> serde_json::Value {
        let output = hostile(args);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{args:?}: {why}: {output:?}"))
    };
    let of = |value: &serde_json::Value| {
        let field = |key: &str| value[key].as_str().unwrap_or_else(|| panic!("{key}: {value}")).to_owned();
        (field("error"), field("hint"))
    };
    let (up, history, verify) =
        (report(&["up", "--json"]), report(&["history", "--json"]), report(&["verify", "--json"]));
    assert_eq!((up[0]["host"].as_str(), up[0]["exit"].as_u64()), (Some("db"), Some(1)), "{up}");
    for value in [&up[0], &up[1], &history["web"], &verify["hosts"][0]] {
        let (error, hint) = of(value);
        assert!(error.contains("refused the login") && !error.contains("hint"), "{error}");
        assert!(hint.starts_with("check that the right key"), "{hint}");
    }
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
