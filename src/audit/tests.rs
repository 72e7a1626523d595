use super::chain::{Break, BreakKind, ChainState, Head, NOTHING, Walk, judge};
use super::denials::{Proposal, groups};
use super::record::Record;
use super::words::words;
use serde_json::json;
use sha2::{Digest, Sha256};

fn digest(line: &str) -> String {
    Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lines 1 to `count`, as the writer writes them.
fn lines(count: u64) -> Vec<String> {
    let mut prev = NOTHING.to_owned();
    let line = |seq| {
        let line = format!(
            "{{\"seq\":{seq},\"time\":\"2026-01-01T00:00:00.000Z\",\"event\":\"a\",\"uid\":5,\"prev\":\"{prev}\"}}\n"
        );
        prev = digest(&line);
        line
    };
    (1..=count).map(line).collect()
}

fn walk(lines: &[String]) -> Walk {
    let mut walk = Walk::default();
    walk.file("f", lines.concat().as_bytes());
    walk
}

fn places(lines: &[String]) -> Vec<(u64, BreakKind)> {
    walk(lines).breaks.iter().map(|Break { line, kind, .. }| (*line, *kind)).collect()
}

#[test]
fn a_chain_holds_over_files() {
    let all = lines(9);
    let mut both = Walk::default();
    both.file("a", all[..4].concat().as_bytes());
    both.file("b", all[4..].concat().as_bytes());
    assert_eq!((both.lines, both.first, both.last, both.breaks.len()), (9, 1, 9, 0));
    assert_eq!(both.head, digest(&all[8]));
    assert_eq!(judge(&both, None).state, ChainState::Intact);
    let tail = walk(&all[4..]);
    assert_eq!((tail.first, tail.before.clone(), tail.breaks.len()), (5, digest(&all[3]), 0));
}

#[test]
fn what_was_done_to_a_line_is_found_at_its_place() {
    let all = lines(9);
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut copy = all.clone();
        change(&mut copy);
        copy
    };
    let edited = changed(&|all| all[3] = all[3].replace("\"a\"", "\"b\""));
    assert_eq!(places(&edited), [(5, BreakKind::Digest)]);
    let said = judge(&walk(&edited), None).findings;
    assert_eq!(said, ["f:5: line 4 is not what it was when line 5 was written after it"]);
    let removed = changed(&|all| drop(all.remove(3)));
    assert_eq!(places(&removed), [(4, BreakKind::Number)]);
    assert!(judge(&walk(&removed), None).findings[0].contains("line 4 is missing or elsewhere"));
    let swapped = changed(&|all| all.swap(3, 4));
    assert_eq!(places(&swapped), [(4, BreakKind::Number), (5, BreakKind::Number), (6, BreakKind::Number)]);
    let added = changed(&|all| all.insert(3, "hello\n".into()));
    assert_eq!(places(&added)[0], (4, BreakKind::Form));
    let cut = changed(&|all| all[8].truncate(30));
    assert_eq!(places(&cut), [(9, BreakKind::CutOff)]);
    let renumbered = changed(&|all| all[3] = all[3].replace("\"seq\":4", "\"seq\":5"));
    assert_eq!(places(&renumbered)[0], (4, BreakKind::Number));
}

fn head(seq: u64, told: &str, is: Option<&str>) -> Head {
    Head { seq, told: told.into(), is: is.map(str::to_owned) }
}

#[test]
fn the_journal_tells_what_the_chain_cannot() {
    let whole = walk(&lines(9));
    let verdict = |heads: &[Head]| judge(&whole, Some(heads));
    let sound = verdict(&[head(5, "x", Some("x")), head(9, "y", Some("y"))]);
    assert_eq!((sound.state, sound.confirmed, sound.findings.len()), (ChainState::Intact, Some(9), 0));
    assert_eq!(verdict(&[]).state, ChainState::Unobserved, "nothing says that it is all");
    assert_eq!(verdict(&[head(0, NOTHING, None)]).state, ChainState::Unobserved, "before the first line there is none");
    let gone = verdict(&[head(5, "x", Some("x")), head(12, "y", None)]);
    assert_eq!(gone.state, ChainState::Broken);
    assert!(gone.findings[0].contains("line 12") && gone.findings[0].contains("ends with line 9"), "{gone:?}");
    let other = verdict(&[head(5, "x", Some("z"))]);
    assert_eq!((other.state, other.findings.len()), (ChainState::Broken, 1));
    let late = judge(&walk(&lines(9)[4..]), Some(&[head(2, "x", None), head(9, "y", Some("y"))]));
    assert_eq!((late.state, late.heads), (ChainState::Intact, 1), "what rotation removed is no loss");
}

#[test]
fn nothing_is_not_intact() {
    assert_eq!(judge(&Walk::default(), None).state, ChainState::Unobserved);
}

fn denied(command: &str, rule: &str) -> Record {
    serde_json::from_value(json!({
        "seq": 1, "time": "2026-01-01T00:00:00.000Z", "event": "command_denied", "tool": "terminal", "command": command,
        "rule": rule, "reason": format!("because of {rule}"), "platform": "telegram", "user": 7,
    }))
    .unwrap()
}

#[track_caller]
fn proposed(commands: &[&str]) -> Vec<String> {
    let records: Vec<Record> = commands.iter().map(|command| denied(command, "unlisted")).collect();
    let mut rules = Vec::new();
    for group in groups(&records) {
        match group.proposal {
            Proposal::Allow(allow) => rules.extend(allow),
            other => panic!("{other:?}"),
        }
    }
    rules
}

#[test]
fn the_smallest_rule_is_proposed() {
    assert_eq!(proposed(&["git status", "git status"]), ["git status"]);
    assert_eq!(proposed(&["git log -3", "git log -5"]), ["git log -*"]);
    assert_eq!(
        proposed(&["git log", "git log -5 --stat"]),
        ["git log", "git log -5 --stat"],
        "two make no `*` at the end"
    );
    assert_eq!(proposed(&["git log", "git log -5 --stat", "git log a"]), ["git log *"], "`*` is any number of words");
    assert_eq!(proposed(&["cat notes-1.txt", "cat notes-22.txt"]), ["cat notes-*.txt"]);
    assert_eq!(proposed(&["ls -l", "wc -l"]), ["ls -l", "wc -l"], "of two programs each has its own");
    assert_eq!(proposed(&["rg -n foo src/", "rg -n 'a b' src/"]), ["rg -n * src/"]);
    assert_eq!(proposed(&["apt list -a x", "apt list -a x y", "apt list -a x y z"]), ["apt list -a x *"]);
    assert_eq!(proposed(&["head 'a*'"]), ["head 'a*'"], "a letter that is a glob in a rule is quoted");
    assert_eq!(proposed(&["cat -- -x", "cat -- y"]), ["cat -- -x", "cat -- y"], "two again");
    assert_eq!(proposed(&["cat ../a", "cat ../b"]), ["cat ../a", "cat ../b"], "nor `..`");
    assert_eq!(proposed(&["ls"]), ["ls"]);
}

#[test]
fn what_starts_others_is_proposed_to_the_letter_only() {
    assert_eq!(proposed(&["python3 a.py", "python3 b.py"]), ["python3 a.py", "python3 b.py"]);
    assert_eq!(proposed(&["find . -name a", "find . -name b"]), ["find . -name a", "find . -name b"]);
    assert_eq!(proposed(&["timeout 5 ls", "timeout 6 ls"]).len(), 2);
}

#[track_caller]
fn not_proposed(command: &str, rule: &str, why: &str) {
    let group = groups(&[denied(command, rule)]).remove(0);
    match group.proposal {
        Proposal::None(said) => assert!(said.contains(why), "{command}: {said}"),
        other => panic!("{command}: {other:?}"),
    }
}

#[test]
fn what_must_not_be_allowed_is_not_proposed() {
    not_proposed("sudo id", "deny: sudo *", "deny always wins");
    not_proposed("x", "deny", "deny always wins");
    not_proposed("echo $HOME", "plain words", "because of plain words");
    not_proposed("ls && id", "compound", "compound: each");
    not_proposed("sleep 9", "mode: allowlist", "because of");
    not_proposed("rm -rf x", "the agent's own", "because of");
    let unlisted = [
        ("bash -c id", "interpreter"),
        ("/usr/bin/python3.13 -c 'import os'", "interpreter"),
        ("perl -we 'x'", "interpreter"),
        ("node --eval=1", "interpreter"),
        ("awk '{print}' x", "interpreter"),
        ("echo $(id)", "interprets"),
        ("ls; id", "joins"),
        ("ls\nid", "more than one line"),
        ("ls \u{202e}x", "interprets"),
        ("echo 'é'", "not ASCII"),
        ("echo 'x", "not closed"),
    ];
    unlisted.into_iter().for_each(|(command, why)| not_proposed(command, "unlisted", why));
}

#[test]
fn groups_say_who_and_how_often() {
    let mut records =
        vec![denied("git status", "unlisted"), denied("git status", "unlisted"), denied("id", "unlisted")];
    records[1].fields.insert("user".into(), json!("ann"));
    records[1].time = "2026-01-02T00:00:00.000Z".into();
    records.push(Record { event: "tool_call".into(), ..denied("ls", "unlisted") });
    let groups = groups(&records);
    assert_eq!(groups.len(), 2);
    assert_eq!((groups[0].shape.as_str(), groups[0].count), ("git status …", 2));
    assert_eq!(
        groups[0].who.iter().map(|(who, n)| format!("{who} {n}")).collect::<Vec<_>>(),
        ["telegram 7 1", "telegram ann 1"]
    );
    assert_eq!(groups[0].last, "2026-01-02T00:00:00.000Z");
    let tool = Record { event: "command_denied".into(), ..denied("", "tools") };
    assert_eq!(super::denials::groups(std::slice::from_ref(&tool))[0].proposal, Proposal::Tool("terminal".into()));
    // As the policy's own test calls it.
    let text = include_str!("../../remote/policy/selftest.py");
    let name = text.split("TOOL = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mut own = tool;
    own.fields.insert("tool".into(), json!(name));
    assert!(super::denials::groups(std::slice::from_ref(&own)).is_empty());
    assert_eq!(super::denials::all_groups(&[own]).len(), 1);
}

#[test]
fn words_are_what_a_shell_reads() {
    for text in ["a b  c", "a 'b c' d", "a 'b'\"c\"d", "a \"b\\\"c\" ''", "x=1/2 %y,z", "a \"\\x\\\\\""] {
        let shell = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {text}")]).output().unwrap();
        let read: Vec<String> = String::from_utf8(shell.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(words(text), Ok(read), "{text}");
    }
}
