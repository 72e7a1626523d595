//! Files that are one of several, of which the last one read wins: sysctl.d(5), apt.conf(5), and
//! the settings of systemd's daemons. What is in force is judged, not our file alone: a line of a
//! later file that says something else is turned into a comment.

use super::{Change, Touches, drop_in_apt};
use crate::act::Act;
use crate::fact::later::Line;
use crate::fact::{Facts, Query};
use crate::fault::Fault;
use crate::name::AbsPath;
use std::collections::{BTreeMap, BTreeSet};

/// The line must still be the one that was seen.
const SILENCE: &str = include_str!("../../remote/file/silence.sh");

/// How such files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// `kernel.sysrq = 0`, `kernel/sysrq=0`, `-kernel.sysrq = 0`.
    Sysctl,
    /// `[Section]`, then `Key=value`.
    Sections,
    /// See apt.conf(5).
    Apt,
}

fn syntax(path: &AbsPath) -> Option<Syntax> {
    match path.parent().as_str() {
        "/etc/sysctl.d" => Some(Syntax::Sysctl),
        "/etc/apt/apt.conf.d" => Some(Syntax::Apt),
        folder => (folder.starts_with("/etc/systemd/") && folder.ends_with(".conf.d")).then_some(Syntax::Sections),
    }
}

/// What must be observed to judge the file at this path.
pub fn queries(path: &AbsPath, queries: &mut BTreeSet<Query>) {
    queries.extend(syntax(path).map(|_| Query::Later(path.clone())));
}

/// What these changes alter beside the file itself.
pub fn touches(path: &AbsPath, own: Touches) -> Touches {
    match syntax(path) {
        None => own,
        Some(_) => {
            let folder = path.parent();
            let volatile = folder.as_str().replacen("/etc/", "/run/", 1);
            own.tree(folder.as_str()).tree(volatile).path(UFW).path(APT)
        }
    }
}

/// What UFW sets when it starts.
const UFW: &str = "/etc/ufw/sysctl.conf";

/// What apt reads after its folder.
const APT: &str = "/etc/apt/apt.conf";

/// The changes that make what a file says hold against later ones. `read`: what makes whoever reads
/// them do so again.
///
/// # Errors
/// When nobody asked what follows the file.
pub fn rivals(path: &AbsPath, content: &str, read: &Act, facts: &Facts) -> Result<Vec<Change>, Fault> {
    let Some(syntax) = syntax(path) else { return Ok(Vec::new()) };
    let later = facts.later.get(path).ok_or_else(|| Fault::new("what follows it was not asked for"))?;
    let ours: BTreeMap<Key, String> = settings(syntax, content.lines().map(|line| ("", line)))
        .into_iter()
        .map(|(_, key, value)| (key, value))
        .collect();
    let theirs = settings(syntax, later.iter().map(|line| (line.file.as_str(), line.text.as_str())));
    let rival = |(at, key, value): &(usize, Key, String)| {
        let want = ours.get(key).filter(|want| *want != value)?;
        let line = later.get(*at)?;
        if syntax == Syntax::Apt && !drop_in_apt::stands_alone(&line.text) {
            let Line { file, number, .. } = line;
            let fault =
                Fault::new(format!("{file}:{number} sets `{}` to `{value}` again, among other settings", key.1));
            return Some(Err(fault.hint(format!("take it out of `{file}`, or write it on a line of its own"))));
        }
        Some(Ok(silence(line, &key.1, want, read)))
    };
    theirs.iter().filter_map(rival).collect()
}

fn silence(line: &Line, key: &str, want: &str, read: &Act) -> Change {
    let (file, number) = (line.file.to_string(), line.number.to_string());
    let from = format!("{} ({file}:{number})", line.text.trim());
    let act = Act::sh("turn a line of a later file into a comment", SILENCE, [file, number, line.text.clone()]);
    Change::new("rival line", from, format!("{key} is {want}"), vec![act, read.clone()])
}

/// Section and name.
type Key = (String, String);

/// The settings of lines of files, each with the number of its line, counted from 0.
fn settings<'a>(syntax: Syntax, lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(usize, Key, String)> {
    if syntax == Syntax::Apt {
        let settings = drop_in_apt::settings(lines).into_iter();
        return settings.map(|(at, key, value)| (at, (String::new(), key), value)).collect();
    }
    let (mut found, mut section, mut last) = (Vec::new(), String::new(), "");
    for (at, (file, line)) in lines.enumerate() {
        let line = line.trim();
        if file != last {
            (section, last) = (String::new(), file);
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) else { continue };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = match syntax {
            Syntax::Sysctl => parameter(key.trim().trim_start_matches('-')),
            Syntax::Sections | Syntax::Apt => key.trim().to_owned(),
        };
        found.push((at, (section.clone(), key), value));
    }
    found
}

/// With dots between its parts: where the first separator is a slash, dots are none (sysctl.d(5)).
fn parameter(key: &str) -> String {
    match key.find(['.', '/']).and_then(|at| key.get(at..=at)) {
        Some("/") => key
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        _ => key.to_owned(),
    }
}
