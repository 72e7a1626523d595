//! The audit log as text. Words that others chose stand in double quotes, as JSON writes them.

use super::exit;
use super::report::count;
use super::visible::{in_json, line};
use crate::audit::chain::{ChainState, Judgement};
use crate::audit::denials::{Group, Place, Places, Proposal};
use crate::audit::record::Record;
use crate::run::audit::AuditLines;
use std::collections::BTreeMap;

/// What a line shows of a long text.
const LONGEST: usize = 160;

/// The lines of a host.
pub fn lines(host: &str, since: &str, found: &AuditLines) -> String {
    let mut text = format!("{host}: the agent's audit log of the last {since}\n");
    if found.more > 0 {
        text += &format!("  and {} before these\n", count_of(found.more, "line"));
    }
    text.extend(found.lines.iter().map(line_of));
    if found.lines.is_empty() {
        text += "  nothing recorded\n";
    }
    text
}

/// A time of the log, which is UTC and says so.
fn utc(time: &str, length: usize) -> String {
    time.get(..length).map_or_else(|| time.to_owned(), |short| format!("{}Z", short.replace('T', " ")))
}

/// One line: when, what, who, and what about.
pub fn line_of(record: &Record) -> String {
    let time = utc(&record.time, 19);
    let mut parts = vec![time, format!("{:<16}", record.event)];
    let word = |field: &str| Some(record.text(field)).filter(|text| !text.is_empty());
    parts.push(Some(record.who()).filter(|who| !who.is_empty()).map_or_else(|| "-".into(), |who| clipped(&who)));
    parts.extend(["tool", "verdict", "status"].into_iter().filter_map(word).map(|text| clipped(&text)));
    parts.extend(["command", "args"].into_iter().filter_map(word).take(1).map(|text| said(&text)));
    parts.extend(word("reason").map(|text| format!("({})", clipped(&text))));
    parts.extend(word("flags").map(|text| format!("flags {}", clipped(&text))));
    format!("  {}\n", line(&parts.join("  ")))
}

/// The line as it stands in the log, so that its digest is the same. The log is ASCII (see
/// `remote/audit/lines.py`); anything else is nothing that our writer wrote, and is spelt out.
pub fn original(record: &Record) -> String {
    let ours = record.line.chars().all(|c| matches!(c, ' '..='\u{7f}'));
    format!("{}\n", if ours { record.line.clone() } else { in_json(&record.line) })
}

/// In quotes, so that nobody takes it for a word of ours.
fn said(text: &str) -> String {
    in_json(&serde_json::Value::from(clipped(text)).to_string())
}

fn clipped(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn count_of(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

/// What the chain proves.
pub fn judgement(name: &str, judged: &Judgement) -> String {
    let Judgement { lines, first, last, .. } = judged;
    let state = match judged.state {
        ChainState::Intact => "intact",
        ChainState::Broken => "BROKEN",
        ChainState::Unobserved => "not confirmed",
    };
    let mut text = format!("{}: the audit log is {state}: {}", line(name), count_of(*lines, "line"));
    if *lines > 0 {
        text += &format!(", {first} to {last}");
    }
    text += &match judged.confirmed {
        Some(seq) if seq == *last => {
            format!("; the journal confirms {}, the last one too", count(judged.heads, "line"))
        }
        Some(seq) => format!("; the journal confirms it up to line {seq}"),
        None if judged.heads > 0 => "; the journal confirms none".into(),
        None => String::new(),
    };
    text.push('\n');
    if judged.state == ChainState::Unobserved {
        text += "  no journal confirms its last line; a host's journal gets it within a minute: run the command again then\n";
    }
    text.extend(judged.findings.iter().map(|finding| format!("  {}\n", line(finding))));
    text
}

/// The exit code of a chain.
pub fn code(state: ChainState) -> u8 {
    match state {
        ChainState::Intact => exit::DONE,
        ChainState::Broken => exit::DRIFT,
        ChainState::Unobserved => exit::UNOBSERVED,
    }
}

/// The rules and the tools that are proposed, each with its comment.
pub fn proposed(groups: &[Group]) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut allow, mut tools) = (BTreeMap::new(), BTreeMap::new());
    for group in groups {
        let why = || format!("{}, {}", times(group.count), who(group));
        match &group.proposal {
            Proposal::Allow(rules) => allow.extend(rules.iter().map(|rule| {
                let wide = if rule.ends_with(" *") { "; any further words" } else { "" };
                (rule.clone(), format!("{}{wide}", why()))
            })),
            Proposal::Tool(tool) => drop(tools.insert(tool.clone(), why())),
            Proposal::None(_) => {}
        }
    }
    (allow, tools)
}

/// What was refused, grouped; then YAML to paste.
pub fn denials(host: &str, since: &str, groups: &[Group], more: u64, places: &Places) -> String {
    let mut text = format!("{host}: what the agent was refused in the last {since}\n");
    if groups.is_empty() {
        return text + "  nothing recorded\n";
    }
    if more > 0 {
        text += &format!("  and {} before these\n", count_of(more, "refusal"));
    }
    text.extend(groups.iter().map(of_group));
    let (allow, tools) = proposed(groups);
    if allow.is_empty() && tools.is_empty() {
        return text;
    }
    text += "\n# What would allow it. Whoever talked to the agent chose the words: read each line before you add it.\n";
    let mut above: &[String] = &[];
    for (place, entries) in [(&places.allow, allow), (&places.tools, tools)] {
        if !entries.is_empty() {
            text += &to_add(&places.file, place, above, &entries);
            above = place.path.as_slice();
        }
    }
    text
}

/// The entries, below as much of their keys as is missing; `above` are the keys just printed.
fn to_add(file: &str, place: &Place, above: &[String], entries: &BTreeMap<String, String>) -> String {
    let Place { path, stated } = place;
    let (there, missing) = path.split_at_checked(*stated).unwrap_or((path, &[]));
    // The mapping that the list before has just begun goes on.
    let shared = path.iter().zip(above).take_while(|(one, other)| one == other).count();
    let begun = if above.is_empty() || shared <= *stated { 0 } else { shared - stated };
    let mut text = match there {
        _ if begun > 0 => String::new(),
        [] => format!("# Add to {}:\n", line(file)),
        there if missing.is_empty() => format!("# Add to the list `{}` of {}:\n", line(&there.join(".")), line(file)),
        there => format!("# Add under `{}` of {}:\n", line(&there.join(".")), line(file)),
    };
    for (at, key) in path.iter().enumerate().skip(stated + begun) {
        let note = if key == "tools" && at + 1 == path.len() {
            " # a list of your own replaces the built-in one: name all that it is to use"
        } else {
            ""
        };
        text += &format!("{:indent$}{key}:{note}\n", "", indent = 2 * at);
    }
    let indent = 2 * path.len();
    for (entry, why) in entries {
        text += &format!("{:indent$}- {:<40} # {}\n", "", yaml(entry), line(why));
    }
    text
}

fn of_group(group: &Group) -> String {
    let last = utc(&group.last, 16);
    let mut text =
        format!("  {}  {}, last {last}, by {}\n", line(&clipped(&group.shape)), times(group.count), line(&who(group)));
    text.extend(group.examples.iter().map(|example| format!("      {}\n", said(example))));
    text += &match &group.proposal {
        Proposal::Allow(rules) if rules.len() == 1 => String::new(),
        Proposal::Allow(_) => "      each as it is: `*` would allow far more\n".into(),
        Proposal::Tool(tool) => format!("      the tool `{}` is not listed\n", line(tool)),
        Proposal::None(why) => format!("      not proposed: {}\n", line(&clipped(why))),
    };
    text
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// The three who asked most.
fn who(group: &Group) -> String {
    let mut all: Vec<(&String, &u64)> = group.who.iter().collect();
    all.sort_by(|one, two| two.1.cmp(one.1));
    let name = |who: &str| if who.is_empty() { "nobody named".to_owned() } else { clipped(who) };
    let shown: Vec<String> = all.iter().take(3).map(|(who, count)| format!("{} ({count})", name(who))).collect();
    let rest = all.len().saturating_sub(3);
    shown.join(", ") + &if rest > 0 { format!(" and {rest} more") } else { String::new() }
}

/// A scalar that no reader of YAML takes for anything else; rules are ASCII.
fn yaml(text: &str) -> String {
    if text.chars().all(|c| (' '..='~').contains(&c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    in_json(&serde_json::Value::from(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::denials::groups;
    use serde_json::json;

    fn denied(command: &str, user: &str) -> Record {
        serde_json::from_value(json!({
            "seq": 1, "time": "2026-01-01T00:00:00.000Z", "event": "command_denied", "tool": "terminal",
            "command": command, "rule": "unlisted", "platform": "telegram", "user": user,
        }))
        .unwrap()
    }

    fn places(stated: usize) -> Places {
        let place = |list: &str| Place { path: ["agent", "approvals", list].map(str::to_owned).into(), stated };
        Places { file: "petasos.yaml".into(), allow: place("allow"), tools: place("tools") }
    }

    #[test]
    fn only_what_is_missing_is_proposed_and_its_place_is_said() {
        let tool = Record::read(
            json!({ "seq": 1, "time": "2026-01-01T00:00:00.000Z", "event": "command_denied", "tool": "patch", "rule": "tools" })
                .to_string(),
        );
        let records = [denied("git status", "7"), tool.unwrap()];
        let added = |places: &Places| {
            let text = denials("web", "7d", &groups(&records), 0, places);
            text.split_once("before you add it.\n").unwrap().1.to_owned()
        };
        let new = added(&places(0));
        let read: serde_json::Value = serde_yaml::from_str(&new).unwrap();
        assert_eq!(read, json!({ "agent": { "approvals": { "allow": ["git status"], "tools": ["patch"] } } }));
        let begun = added(&places(2));
        assert!(begun.starts_with("# Add under `agent.approvals` of petasos.yaml:\n    allow:\n      - "), "{begun}");
        assert!(begun.contains("\n    tools: #"), "{begun}");
        let there = added(&places(3));
        assert!(there.starts_with("# Add to the list `agent.approvals.allow` of petasos.yaml:\n      - "), "{there}");
        assert!(
            there.contains("# Add to the list `agent.approvals.tools` of") && !there.contains("allow:\n"),
            "{there}"
        );
        let path: Vec<String> = ["hosts", "web", "agent", "approvals", "allow"].map(str::to_owned).into();
        let own = added(&Places { allow: Place { stated: path.len(), path }, ..places(2) });
        assert!(own.starts_with("# Add to the list `hosts.web.agent.approvals.allow` of petasos.yaml:\n"), "{own}");
        assert!(own.contains("# Add under `agent.approvals` of petasos.yaml:\n    tools: #"), "{own}");
    }

    #[test]
    fn what_is_pasted_is_yaml_whatever_was_refused() {
        let hostile = ["git log '# x: [a, *b'", "x \"it's\"", "a: b", "echo 'y\u{1b}[2J'", "x\nallow: ['*']"];
        let records: Vec<Record> = hostile.iter().map(|command| denied(command, "7\n      - '*'")).collect();
        let text = denials("web", "7d", &groups(&records), 0, &places(0));
        assert!(!text.contains('\u{1b}'), "{text}");
        let pasted = text.split_once("# What would allow").unwrap().1.split_once('\n').unwrap().1;
        let read: serde_json::Value = serde_yaml::from_str(pasted).unwrap();
        let rules = &read["agent"]["approvals"]["allow"];
        // `a:` is the name of a program like any other.
        assert_eq!(*rules, json!(["a: b", "git log '# x: [a, *b'", "x 'it'\"'\"'s'"]));
    }

    #[test]
    fn a_line_is_printed_as_it_stands() {
        let line = r#"{"seq":1,"time":"2026-01-01T00:00:00.000Z","event":"message","uid":5,"z":"\u00e9 \u001b","a":"x","prev":"0"}"#;
        let record = Record::read(line.into()).unwrap();
        assert_eq!(original(&record), format!("{line}\n"));
        let deleted = Record::read(line.replace('x', "\u{7f}")).unwrap();
        assert!(original(&deleted).contains('\u{7f}'), "json.dumps of Python leaves it as it is");
        assert!(!original(&Record::read(line.replace('x', "\u{9b}2J")).unwrap()).contains('\u{9b}'));
    }

    #[test]
    fn times_say_that_they_are_utc() {
        assert!(line_of(&denied("ls", "7")).starts_with("  2026-01-01 00:00:00Z  "));
        let text = denials("web", "7d", &groups(&[denied("ls", "7")]), 0, &Places::default());
        assert!(text.contains("last 2026-01-01 00:00Z,"), "{text}");
    }

    #[test]
    fn a_line_is_one_line_and_marks_what_others_said() {
        let shown = line_of(&denied("ls\n2026-01-01  approval  \u{202e}\u{1b}[1A", "7\nx"));
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains(r#""ls\n2026"#) && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
}
