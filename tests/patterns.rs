//! Patterns of `agent.redact` under Python's own reader: what is accepted stays linear in the text,
//! counted by the attempts of a backtracking search, and finds what its author meant.

use petasos::config::pattern::Pattern;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

fn python(text: &str) -> Option<String> {
    Pattern::try_from(text.to_owned()).ok().map(|pattern| pattern.python)
}

/// Patterns as people write them.
const ACCEPTED: [&str; 16] = [
    "AKIA[0-9A-Z]{16}",
    r"tok_\w+",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"[a-z]{1,64}@corp\.example",
    r#""token": "[^"]{1,100}""#,
    r"\w{1,60}\s{0,4}=\s{0,4}\S+",
    "-----BEGIN [A-Z ]{1,40}-----",
    "ghp_[A-Za-z0-9]{36,}",
    "(?i)password[:=] ?[^ ]+",
    "(?:foo|bar)-[0-9]{1,9}x",
    r"^key=.{1,80}$",
    "(a{1,9}b){1,3}c",
    "[ab]{1,12}[ab]{1,12}c",
    "(ab|cd){1,6}x",
    "a{1,14}a{0,14}b",
    "x{0,9}?[xy]{1,20}z",
];

/// Patterns that take ever longer, each with what it takes longer on.
const BAD: [(&str, &str); 6] = [
    ("(a+)+$", "a"),
    ("(a|a)*b", "a"),
    ("(a|aa)+$", "a"),
    ("a+a*a+b", "a"),
    (".*.*x", "a"),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "a"),
];

/// Patterns made of parts, the same ones each time.
fn made(count: usize) -> Vec<Value> {
    const ATOMS: [&str; 10] = ["a", "b", "[ab]", r"\w", r"\s", ".", "[^b]", "ab", "_", r"\d"];
    const COUNTS: [&str; 10] = ["", "", "", "+", "*", "?", "{1,8}", "{0,5}", "{3}", "{1,6}?"];
    let mut seed = 1_u64;
    let mut dice = move |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 40).unwrap() % sides
    };
    let mut patterns = Vec::new();
    while patterns.len() < count {
        let mut written = String::new();
        for _ in 0..=dice(4) {
            let (one, other) = (ATOMS[dice(10)], ATOMS[dice(10)]);
            let inner = COUNTS[dice(10)];
            match dice(4) {
                0 => written.push_str(&format!("(?:{one}{inner}{other})")),
                1 => written.push_str(&format!("(?:{one}{inner}|{other})")),
                _ if one == "ab" => written.push_str("(?:ab)"),
                _ => written.push_str(one),
            }
            written.push_str(COUNTS[dice(10)]);
        }
        if let Some(python) = python(&written) {
            patterns.push(json!({ "written": written, "python": python }));
        }
    }
    patterns
}

fn verdict(asked: &Value) -> String {
    let mut child = Command::new("python3")
        .args(["-I", "-c", include_str!("patterns.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is here to judge");
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_accepted_stays_linear_and_means_the_same() {
    let accepted = ACCEPTED.map(|written| {
        let python = python(written).unwrap_or_else(|| panic!("{written} is refused"));
        json!({ "written": written, "python": python })
    });
    for (bad, _) in BAD {
        assert_eq!(python(bad), None, "{bad}");
    }
    assert_eq!(verdict(&json!({ "accepted": accepted, "made": made(200), "bad": BAD })), "");
}

/// A judge that accepts everything is none.
#[test]
fn the_judge_sees_what_is_wrong() {
    let slow = [json!({ "written": "a+b", "python": "a+b" }), json!({ "written": "a*", "python": "a*" })];
    let other = [json!({ "written": "ab", "python": "a" })];
    let said = verdict(&json!({ "accepted": slow, "made": other, "bad": [["a{1,3}b", "a"]] }));
    for part in ["a+b: ", "a*: matches the empty text", "ab as a: finds something else", "does not see that it is slow"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}
