//! policy.json under the program that reads it on the host: whatever petasos.yaml is accepted makes
//! a policy that is accepted there, too, or the agent would not start.

use petasos::config::Config;
use petasos::config::lock::LockFile;
use petasos::desired::policy::policy;
use petasos::playbook::Sources;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Prints for each policy of a JSON list what is wrong with it, or nothing.
const JUDGE: &str = "
import json, sys
sys.path.insert(0, sys.argv[1])
from policy import settings
for policy in json.load(sys.stdin):
    try:
        settings.parse(json.dumps(policy))
        print()
    except settings.SettingsError as error:
        print(str(error).replace(chr(10), ' '))
";

fn verdicts(policies: &[Value]) -> Vec<String> {
    let remote = concat!(env!("CARGO_MANIFEST_DIR"), "/remote");
    let mut child = Command::new("python3")
        .args(["-I", "-B", "-c", JUDGE, remote])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is here to judge");
    child.stdin.take().unwrap().write_all(json!(policies).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn made(agent: &Value) -> Option<Value> {
    let yaml = json!({ "agent": agent }).to_string();
    let config = Config::read("petasos.yaml", &yaml).ok()?;
    let settings = config.settings(None).unwrap();
    let lock = LockFile::parse(include_str!("petasos.lock"), Path::new("petasos.lock")).unwrap();
    let (version, release) = lock.release_of("web").unwrap();
    Some(policy(&settings, &Sources::embedded(), version, release).unwrap())
}

/// Settings of all sorts, and rules that are on the edge.
fn accepted() -> Vec<Value> {
    let mut settings = vec![
        json!({}),
        json!({ "sandbox": "off" }),
        json!({ "sandbox": { "network": "names", "allow": ["pypi.org"], "timeout": "10m" } }),
        json!({ "platforms": { "telegram": { "rate_limit": "5/minute" }, "slack": { "rate_limit": "off" } } }),
        json!({ "rate_limits": { "api": "9/day", "webhook_route": "off", "model_calls": "5000/month" } }),
        json!({ "redact": { "patterns": ["corp-\\d{4}", "tok_\\w+", "(?i)key=[^ ]+", "Straße", "^a$"], "replacement": "<x>" } }),
        json!({ "approvals": { "mode": "smart", "deny": [] } }),
    ];
    let part = [
        "ls",
        "git",
        "cat",
        "*",
        "?",
        "a*",
        "*.txt",
        "..",
        "../x",
        "/srv/*",
        "'a b'",
        "\"x\"",
        "[ab]",
        "'['",
        "-n",
        "--x=y",
        "sudo",
        "bash",
        "env",
        "timeout",
        "/usr/bin/sudo",
        "printf",
        "test",
        "-v",
        "eval",
        "python3",
        "é",
        "'é'",
        "$x",
        "a|b",
        "'a|b'",
        "5",
        "[",
        "]",
        "git.sh",
        "x+y",
    ];
    for first in part {
        for second in part {
            settings.push(json!({ "approvals": { "mode": "allowlist", "allow": [format!("{first} {second}")] } }));
        }
        settings.push(json!({ "approvals": { "mode": "allowlist", "allow": [first] } }));
        settings.push(json!({ "approvals": { "mode": "allowlist", "allow": [format!("{first} -a *")] } }));
        settings.push(json!({ "approvals": { "deny": [first] } }));
        settings.push(json!({ "approvals": { "mode": "allowlist", "allow": ["cat /etc/passwd", "git log *", "/usr/bin/git x"], "deny": [format!("{first} *")] } }));
    }
    for tool in [
        "terminal",
        "tool_search",
        "send_message",
        "spotify_queue",
        "mcp__github__list",
        "x_search",
        "process",
        "mcp_x",
        "patch",
    ] {
        settings.push(json!({ "approvals": { "mode": "allowlist", "tools": [tool] } }));
    }
    settings
}

#[test]
fn what_petasos_accepts_the_host_accepts() {
    let settings = accepted();
    let (agents, policies): (Vec<_>, Vec<_>) = settings.iter().filter_map(|agent| Some((agent, made(agent)?))).unzip();
    assert!(policies.len() > 300, "only {} are accepted", policies.len());
    for (agent, wrong) in agents.iter().zip(verdicts(&policies)) {
        assert_eq!(wrong, "", "{agent}");
    }
}

/// And what it refuses, the host would have refused, but for what is a mistake all the same.
#[test]
fn what_petasos_refuses_the_host_refuses() {
    let base = made(&json!({})).unwrap();
    let rules = [
        "", "*", "cat ../*", "ls | wc", "echo $x", "env ls", "eval x", "FOO=1 ls", "bash *", "cat 'a", "cat [a",
        "sudo id",
    ];
    let policies: Vec<Value> = rules
        .iter()
        .map(|rule| {
            assert_eq!(made(&json!({ "approvals": { "mode": "allowlist", "allow": [rule] } })), None, "{rule}");
            let mut policy = base.clone();
            policy["approve"]["allow"] = json!([rule]);
            policy
        })
        .collect();
    for (rule, wrong) in rules.iter().zip(verdicts(&policies)) {
        assert_ne!(wrong, "", "{rule}");
    }
}
