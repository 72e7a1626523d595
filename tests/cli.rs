//! What a user sees who makes a mistake: one clear error and the right exit code. Nothing here
//! reaches a host.

mod common_cli;

use common_cli::{LOCK, contains_all, desk, error, petasos};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

#[test]
fn a_wrong_key_in_petasos_yaml_has_its_line_a_caret_and_what_was_meant() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nagent:\n  provider: openrouter\n  modle: some/model\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(
        &stderr,
        &["unknown key `modle`", "petasos.yaml:5:3", "modle: some/model", "^", "hint: did you mean `model`?"],
    );
}

#[test]
fn a_wrong_key_in_the_hosts_own_settings_is_found_too() {
    let yaml = "hosts:\n  web:\n    address: root@203.0.113.7\n    netwrok: {}\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["plan"], 1);
    contains_all(&stderr, &["unknown key `netwrok`", "petasos.yaml:4:5", "^", "did you mean `network`?"]);
}

#[test]
fn a_value_that_cannot_be_is_found_where_it_stands() {
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nnetwork:\n  inbound: [80/tcp, 99999/tcp]\n";
    let stderr = error(&[("petasos.yaml", yaml), ("petasos.lock", LOCK)], &["up"], 1);
    contains_all(&stderr, &["99999", "petasos.yaml:4:", "^"]);
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
    contains_all(&stderr, &["unknown key `mdoe`", "playbooks/50-own.yaml:4:5", "^", "did you mean `mode`?"]);
}

#[test]
fn a_kind_that_is_none_is_found() {
    let playbook = "- name: a greeting\n  fiel: { path: /etc/motd }\n";
    let files = [("playbooks/50-own.yaml", playbook), ("petasos.lock", LOCK)];
    let stderr = error(&files, &["plan", "root@203.0.113.7"], 1);
    contains_all(&stderr, &["unknown key `fiel`", "playbooks/50-own.yaml:2:3", "did you mean `file`?"]);
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
    refused(&group("    - fiel: {}\n"), &["unknown key `fiel`", "playbooks/50-own.yaml:4:7", "did you mean `file`?"]);
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
    let packs = "packs: { github: [] }\nproviders: { openrouter: { names: [openrouter.ai] } }\n\
                 platforms: { telegram: { needs: [api.telegram.org], names: [], tokens: [] } }\n";
    let yaml = "hosts:\n  web: { address: root@203.0.113.7 }\nagent: { platforms: { telegram: {} } }\n";
    let files = [("petasos.yaml", yaml), ("petasos.lock", LOCK), ("playbooks/data/packs.yaml", packs)];
    contains_all(
        &error(&files, &["up"], 1),
        &["telegram is enabled, but api.telegram.org is not allowed", "network.egress.allow"],
    );
    let stderr = error(&[files[0], files[1], ("playbooks/data/packs.yaml", "pakcs: {}\n")], &["up"], 1);
    contains_all(&stderr, &["playbooks/data/packs.yaml:1", "did you mean `packs`?"]);
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
        let place = "petasos.yaml:4:20";
        contains_all(
            &stderr,
            &["agent.provider: unknown provider `openai`\n", place, "\nhint: did you mean `openai-api`?"],
        );
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

/// What only the table of providers, a file or another host shows is found in the file all the
/// same.
#[test]
fn what_does_not_fit_is_shown_where_it_stands() {
    let of = |hosts: &str, more: &str, place: &str, parts: &[&str]| {
        let yaml = format!("hosts:\n  web: {{ address: root@203.0.113.7{hosts} }}\n{more}\n");
        let stderr = error(&[("petasos.yaml", &yaml), ("petasos.lock", LOCK), ("none.pub", "# none\n")], &["plan"], 1);
        contains_all(&stderr, &[&format!("petasos.yaml:{place}\n"), "^", "hint: "]);
        contains_all(&stderr, parts);
    };
    of("", "agent: { provider: openruter }", "3:20", &["unknown provider `openruter`", "did you mean `openrouter`?"]);
    of(", agent: { provider: openruter }", "", "2:56", &["unknown provider `openruter`"]);
    of("", "agent: { provider: custom }", "3:20", &["has no usual address", "agent.base_url"]);
    of("", "agent: { base_url: \"https://llm.example.org\" }", "3:20", &["the agent ignores it"]);
    of("", "agent: { provider: custom, base_url: \"https://203.0.113.9/v1\" }", "3:38", &["only names can be allowed"]);
    of("", "network: { egress: { packs: [github, gitlba] } }", "3:38", &["unknown pack `gitlba`", "known are github"]);
    of("", "admin: { authorized_keys: [none.pub] }", "3:28", &["no key in `none.pub`"]);
    of(
        "",
        "admin: { authorized_keys: [\"ssh-ed25519 AAAA me\", nobody.pub] }",
        "3:51",
        &["cannot read the public key"],
    );
    of("", "  db: { address: \"root@203.0.113.7:22\" }", "2:19", &["are the same host"]);
    of(
        "",
        "ssh: { config: nowhere }",
        "3:16",
        &["there is no file `nowhere`", "by its path from where petasos.yaml is"],
    );
    of("", "agent: { secrets: [\"{{ x\"] }", "3:20", &["`{{ x` is no name"]);
}

/// Nobody listens at port 1, and the error says where ssh went.
#[test]
fn the_ssh_configuration_that_petasos_yaml_names_counts() {
    let yaml = "hosts:\n  web: { address: root@web.invalid }\n  db: { address: root@db.invalid, ssh: { config: db/ssh } }\nssh: { config: ssh_config }\n";
    let to = |host: &str, port: u16| format!("Host {host}\n  HostName 127.0.0.1\n  Port {port}\n");
    let (all, db, other) = (to("*.invalid", 1), to("db.invalid", 2), to("web.invalid", 3));
    let files = [("ssh_config", &*all), ("db/ssh", &*db), ("other", &*other)]
        .map(|(name, text)| (format!("home/{name}"), text));
    let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    files.extend([("home/petasos.yaml", yaml), ("petasos.lock", LOCK)]);
    // Its place is that of petasos.yaml, wherever petasos runs.
    let went = |args: &[&str], port: &str| {
        let args = [&["plan", "--config", "home/petasos.yaml"], args].concat();
        contains_all(&error(&files, &args, 1), &[&format!("127.0.0.1 port {port}: ")]);
    };
    went(&["web"], "1");
    went(&["db"], "2");
    went(&["web", "--ssh-config", "home/other"], "3");
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
for host; do :; done
for word; do
	if [ "$word" = -G ]; then
		printf 'hostname %s\nport 22\n' "$host"
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
