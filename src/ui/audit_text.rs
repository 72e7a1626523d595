//! The audit log as text. Words that others chose stand in double quotes, as JSON writes them.

use super::exit;
use super::report::count;
use super::visible::{in_json, line};
use crate::audit::chain::{ChainState, Judgement};
use crate::audit::denials::{Group, Proposal};
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

/// One line: when, what, who, and what about.
pub fn line_of(record: &Record) -> String {
    let time = record.time.get(..19).unwrap_or(&record.time).replace('T', " ");
    let mut parts = vec![time, format!("{:<16}", record.event)];
    let word = |field: &str| Some(record.text(field)).filter(|text| !text.is_empty());
    parts.push(Some(record.who()).filter(|who| !who.is_empty()).map_or_else(|| "-".into(), |who| clipped(&who)));
    parts.extend(["tool", "verdict", "status"].into_iter().filter_map(word).map(|text| clipped(&text)));
    parts.extend(["command", "args"].into_iter().filter_map(word).take(1).map(|text| said(&text)));
    parts.extend(word("reason").map(|text| format!("({})", clipped(&text))));
    parts.extend(word("flags").map(|text| format!("flags {}", clipped(&text))));
    format!("  {}\n", line(&parts.join("  ")))
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
        ChainState::Unobserved => "could not be observed",
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
        None => "; no journal was asked what the last line is".into(),
    };
    text.push('\n');
    if judged.state == ChainState::Unobserved {
        text += "  the journal has no record of it: nothing says that this is all\n";
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
pub fn denials(host: &str, since: &str, groups: &[Group], more: u64) -> String {
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
    text += "\n# To allow what was refused, merge these lines into petasos.yaml. Whoever talked to the agent chose the words: read each.\n";
    text += "agent:\n  approvals:\n";
    for (key, entries) in [("allow", allow), ("tools", tools)] {
        if entries.is_empty() {
            continue;
        }
        let note = if key == "tools" {
            " # a list of your own replaces the built-in one: name all that it is to use"
        } else {
            ""
        };
        text += &format!("    {key}:{note}\n");
        for (entry, why) in entries {
            text += &format!("      - {:<40} # {}\n", yaml(&entry), line(&why));
        }
    }
    text
}

fn of_group(group: &Group) -> String {
    let last = group.last.get(..16).unwrap_or_default().replace('T', " ");
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

    #[test]
    fn what_is_pasted_is_yaml_whatever_was_refused() {
        let hostile = ["git log '# x: [a, *b'", "x \"it's\"", "a: b", "echo 'y\u{1b}[2J'", "x\nallow: ['*']"];
        let records: Vec<Record> = hostile.iter().map(|command| denied(command, "7\n      - '*'")).collect();
        let text = denials("web", "7d", &groups(&records), 0);
        assert!(!text.contains('\u{1b}'), "{text}");
        let pasted = text.split_once("# To allow").unwrap().1.split_once('\n').unwrap().1;
        let read: serde_json::Value = serde_yaml::from_str(pasted).unwrap();
        let rules = &read["agent"]["approvals"]["allow"];
        // `a:` is the name of a program like any other.
        assert_eq!(*rules, json!(["a: b", "git log '# x: [a, *b'", "x 'it'\"'\"'s'"]));
    }

    #[test]
    fn a_line_is_one_line_and_marks_what_others_said() {
        let shown = line_of(&denied("ls\n2026-01-01  approval  \u{202e}\u{1b}[1A", "7\nx"));
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains(r#""ls\n2026"#) && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
}
