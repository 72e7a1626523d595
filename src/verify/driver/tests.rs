//! The driver's own Python is the oracle: each call is held to its functions' signatures, and what
//! it answers to the types that read it. See `tests/verify/bind.py`.

use super::super::answer::Answer;
use super::super::attack::Attack;
use super::super::settings::AgentSettings;
use super::super::tests::claims;
use super::super::{Claims, attacks, spec_of};
use super::*;
use crate::config::egress::Allowed;
use crate::config::network::EgressMode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const BIND: &str = include_str!("../../../tests/verify/bind.py");

/// Every attack that some host gets.
fn spec_of_all() -> AttackSpec {
    let mut all: Vec<Attack> = Vec::new();
    for mode in [EgressMode::Names, EgressMode::Ports, EgressMode::Open] {
        for full in [false, true] {
            let plain = Claims { full, ..claims(mode) };
            let allowed = ["*.wild.example.net", "localhost:11434"].map(|name| Allowed::try_from(name.to_owned()));
            let allowed = allowed.into_iter().map(Result::unwrap).collect();
            let platforms = vec!["telegram".to_owned()];
            let other = Claims { own_address: None, platforms, allowed, ..plain.clone() };
            all.extend([plain, other].iter().flat_map(attacks));
        }
    }
    spec_of(&claims(EgressMode::Names), &all)
}

/// What the driver's Python says of a spec (its `complaints` or its `answer`), with these words of
/// its modules replaced.
fn bound(asked: &str, spec: &Value, replaced: &[(&str, &str)]) -> Value {
    let mut modules: Vec<(&str, String)> = MODULES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    for (old, new) in replaced {
        let module = modules.iter_mut().find(|(_, text)| text.contains(old)).unwrap_or_else(|| panic!("no {old}"));
        module.1 = module.1.replacen(old, new, 1);
    }
    modules.push(("bind", BIND.to_owned()));
    let message = json!({ "boot": BOOT, "modules": modules, "spec": spec }).to_string();
    let text = started(&message).unwrap();
    let mut python = Command::new("python3");
    python.args(["-I", "-", asked]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut python = python.spawn().unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn complaints(spec: &Value, replaced: &[(&str, &str)]) -> Vec<String> {
    let found = bound("complaints", spec, replaced);
    found.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_call_fits_the_drivers_function_and_every_function_is_called() {
    let spec = serde_json::to_value(spec_of_all()).unwrap();
    assert_eq!(complaints(&spec, &[]), Vec::<String>::new());
}

/// A check that cannot fail is none.
#[test]
fn planted_faults_are_found() {
    let good = serde_json::to_value(spec_of_all()).unwrap();
    let calls = |planted: &[Value]| {
        let mut spec = good.clone();
        spec["attacks"].as_array_mut().unwrap().extend(planted.iter().map(|call| json!({ "id": "x", "call": call })));
        spec
    };
    let dns = |transport: &str, port: Value| {
        json!({ "name": "dns", "arguments":
            { "transport": transport, "address": "::1", "port": port, "name": "a", "any_answer": true } })
    };
    let spec = calls(&[
        json!({ "name": "explode" }),
        json!({ "name": "kill", "arguments": { "pid": 1, "signal": 9 } }),
        json!({ "name": "kill" }),
        json!({ "name": "kill", "arguments": { "pid": "1" } }),
        json!({ "name": "system", "arguments": { "name": "sync", "arguments": [] } }),
        json!({ "name": "system", "arguments": { "name": "mount", "arguments": [null] } }),
        json!({ "name": "any_of", "arguments": { "name": "rewrite", "paths": ["/"] } }),
        json!({ "name": "family", "arguments": { "name": "AF_INET" } }),
        dns("sctp", json!(53)),
        dns("udp", json!("@nobody")),
        dns("udp", json!("@others")),
    ]);
    let starts = [
        "explode: KeyError",
        "kill: TypeError: got an unexpected keyword argument 'signal'",
        "kill: TypeError: missing a required argument: 'pid'",
        "kill: pid is '1'",
        "system: name is 'sync'",
        "system: arguments is [None]",
        "any_of: name is 'rewrite'",
        "family: name is 'AF_INET'",
        "dns: transport is 'sctp'",
        "dns: nobody makes @nobody",
        "dns: port is [",
    ];
    let found = complaints(&spec, &[]);
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}: {start}");
    }
    for (old, new, complaint) in [
        ("        writer,\n    )\n}", "        writer,\n        filled,\n    )\n}", "the function filled"),
        ("\"sethostname\": 161,", "", "not every machine has every system call"),
        ("    \"AF_ALG\":", "    \"AF_X25\": (9, 0),\n    \"AF_ALG\":", "the name AF_X25 of family"),
        ("\"@udp\":", "\"@spare\": 1, \"@udp\":", "the word @spare"),
        ("def kill(pid: int)", "def kill(process: int)", "kill: TypeError"),
        ("def kill(pid: int)", "def kill(pid: str)", "kill: pid is 1"),
        ("def kill(pid: int)", "def kill(pid)", "kill: pid is 1"),
    ] {
        let found = complaints(&good, &[(old, new)]);
        assert!(!found.is_empty() && found.iter().all(|it| it.contains(complaint)), "{new}: {found:?}");
    }
}

/// Every object of a text of JSON, but for those whose keys are data, with one key left out, and
/// with one too many.
fn damaged(value: &Value) -> Vec<(String, Value)> {
    const DATA: [&str; 20] = [
        "sshd",
        "sshd/ops",
        "sshd/root",
        "files",
        "helpers",
        "differ",
        "settings",
        "timers",
        "users",
        "platforms",
        "offer",
        "open_offer",
        "log_limits",
        "backup/good",
        "backup/last",
        "drill/last",
        "vault/hosts",
        "trial/open",
        "trial/closed",
        "incident/conditions",
    ];
    fn walk(at: &str, node: &Value, all: &mut Vec<String>) {
        let plain = at.replace("/found", "");
        if let Value::Object(fields) = node {
            if !DATA.iter().any(|data| plain.ends_with(&format!("/{data}"))) {
                all.push(at.to_owned());
            }
            fields.iter().for_each(|(key, inner)| walk(&format!("{at}/{}", key.replace('/', "~1")), inner, all));
        }
        if let Value::Array(items) = node {
            items.iter().enumerate().for_each(|(key, inner)| walk(&format!("{at}/{key}"), inner, all));
        }
    }
    let mut places = Vec::new();
    walk("", value, &mut places);
    let mut damaged = Vec::new();
    for place in places {
        let fields = |whole: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            change(whole.pointer_mut(&place).unwrap().as_object_mut().unwrap());
        };
        for key in value.pointer(&place).unwrap().as_object().unwrap().keys() {
            let mut whole = value.clone();
            fields(&mut whole, &|object| drop(object.remove(key)));
            damaged.push((format!("{place} without {key}"), whole));
        }
        let mut whole = value.clone();
        fields(&mut whole, &|object| drop(object.insert("planted".to_owned(), json!("x"))));
        damaged.push((format!("{place} with more"), whole));
    }
    damaged
}

#[track_caller]
fn read_strictly<T: DeserializeOwned>(value: &Value, at_least: usize) -> T {
    let read = |value: &Value| serde_json::from_str::<T>(&value.to_string());
    let damaged = damaged(value);
    assert!(damaged.len() >= at_least, "only {} were tried", damaged.len());
    for (what, value) in &damaged {
        assert!(read(value).is_err(), "{what} is read all the same");
    }
    read(value).unwrap_or_else(|why| panic!("{why}: {value:#}"))
}

#[test]
fn the_drivers_answer_has_each_field_and_no_other() {
    let spec = serde_json::to_value(spec_of_all()).unwrap();
    let found = bound("answer", &spec, &[]);
    let answer: Answer = read_strictly(&found["answer"], 100);
    // Else the types of what was not found would be held to nothing.
    let errors = found["answer"].to_string().matches("\"error\":").count();
    assert_eq!(errors, 0, "{:#}", found["answer"]);
    assert_eq!((answer.agent.runs.len(), answer.root.runs.len()), (1, 1));
    let contents = answer.inspected.release.found().unwrap().contents.as_ref().unwrap();
    assert_eq!(contents.tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "git's own id of an empty tree");
    let settings: AgentSettings = read_strictly(&found["settings"], 14);
    assert!(settings.deny.is_none());
}
