//! What exists at a path, and the contents of files.

use super::{Facts, Family, Query, Seen};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// With the SHA-256 of its content, in hexadecimal.
    File(String),
    Directory,
    /// With its target.
    Symlink(String),
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathEntry {
    pub kind: PathKind,
    pub owner: String,
    pub group: String,
    /// The twelve permission bits.
    pub mode: u32,
}

pub const FAMILY: Family = Family { name: "path", fragment, parse };
pub const TEXTS: Family = Family { name: "text", fragment: text_fragment, parse: parse_texts };

// Three processes, however many paths: stat, readlink for the links, sha256sum for the files.
// Fields end in NUL; an empty field ends a part, because no path, no link's target and no line of
// stat's is empty.
const FRAGMENT: &str = include_str!("../../remote/fact/path.sh");

// Two processes: sizes, then contents one after the other.
const TEXT_FRAGMENT: &str = include_str!("../../remote/fact/text.sh");

fn paths(queries: &BTreeSet<Query>, texts: bool) -> Vec<AbsPath> {
    let path = |query: &Query| match query {
        Query::Path(path) if !texts => Some(path.clone()),
        Query::Text(path) if texts => Some(path.clone()),
        _ => None,
    };
    queries.iter().filter_map(path).collect()
}

fn fragment_of(text: &'static str, paths: &[AbsPath]) -> Option<(&'static str, Vec<String>)> {
    (!paths.is_empty()).then(|| (text, paths.iter().map(ToString::to_string).collect()))
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    fragment_of(FRAGMENT, &paths(queries, false))
}

fn text_fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    fragment_of(TEXT_FRAGMENT, &paths(queries, true))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = String::from_utf8(frame.out.clone()).map_err(|_| "a name that is not UTF-8")?;
    let fields: Vec<&str> = text.split_terminator('\0').collect();
    let parts: Vec<&[&str]> = fields.split(|field| field.is_empty()).collect();
    let [stats, links, digests] = parts[..] else { return Err(Fault::new("it does not have its three parts")) };
    let pairs = |fields: &[&str]| -> BTreeMap<String, String> {
        fields.as_chunks::<2>().0.iter().map(|[key, value]| (key.to_string(), value.to_string())).collect()
    };
    let (stats, links) = (pairs(stats), pairs(links));
    let digests: BTreeMap<&str, &str> =
        digests.iter().filter_map(|line| line.split_once("  ").map(|(digest, path)| (path, digest))).collect();
    let complaints = frame.error_text();
    for path in paths(queries, false) {
        let name = path.as_str();
        let seen = match stats.get(name) {
            Some(stat) => entry(stat, links.get(name), digests.get(name).copied()),
            None => missing(name, &complaints),
        };
        facts.paths.insert(path, seen);
    }
    Ok(())
}

/// A path that `stat` has no line for: absent, if `stat` reported exactly that.
fn missing(name: &str, complaints: &str) -> Seen<PathEntry> {
    // As stat(1) quotes it: in single quotes, or in double ones where there is a single one in it.
    let quoted = [format!("'{name}':"), format!("\"{name}\":")];
    let complaint = complaints.lines().find(|line| quoted.iter().any(|quoted| line.contains(quoted.as_str())));
    match complaint {
        Some(line) if says_absent(line) => Seen::Absent,
        Some(line) => Seen::Unreadable(line.to_owned()),
        None => Seen::Unreadable("stat did not answer".into()),
    }
}

/// Rust's stat (Ubuntu 25.10 and later) adds the number of the error.
fn says_absent(line: &str) -> bool {
    let line = line.rsplit_once(" (os error ").map_or(line, |(line, _)| line);
    line.ends_with("No such file or directory") || line.ends_with("Not a directory")
}

fn entry(stat: &str, link: Option<&String>, digest: Option<&str>) -> Seen<PathEntry> {
    let fields: Vec<&str> = stat.split(' ').collect();
    let [raw, owner, group] = fields[..] else { return Seen::Unreadable(format!("stat said `{stat}`")) };
    let Ok(raw) = u32::from_str_radix(raw, 16) else { return Seen::Unreadable(format!("stat said `{stat}`")) };
    let kind = match (raw & 0o170_000, digest, link) {
        (0o100_000, Some(digest), _) => PathKind::File(digest.to_owned()),
        (0o100_000, None, _) => return Seen::Unreadable("it could not be read".into()),
        (0o040_000, _, _) => PathKind::Directory,
        (0o120_000, _, Some(target)) => PathKind::Symlink(target.clone()),
        _ => PathKind::Other,
    };
    Seen::Is(PathEntry { kind, owner: owner.to_owned(), group: group.to_owned(), mode: raw & 0o7777 })
}

fn parse_texts(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    for path in paths(queries, true) {
        facts.texts.insert(path, Seen::Absent);
    }
    let split = frame.out.windows(4).position(|window| window == b"//=\0").ok_or("it breaks off")?;
    let (sizes, contents) = frame.out.split_at(split);
    let mut contents = contents.get(4..).unwrap_or_default();
    let sizes = String::from_utf8(sizes.to_vec()).map_err(|_| "a name that is not UTF-8")?;
    for line in sizes.split_terminator('\0') {
        let (size, name) = line.split_once(' ').ok_or_else(|| Fault::new(format!("unexpected `{line}`")))?;
        let size: usize = size.parse().map_err(|_| Fault::new(format!("unexpected `{line}`")))?;
        let content = contents.get(..size).ok_or("a file shrank while it was read")?;
        contents = contents.get(size..).unwrap_or_default();
        let seen = match std::str::from_utf8(content) {
            Ok(text) => Seen::Is(text.to_owned()),
            Err(_) => Seen::Unreadable("it is not UTF-8".into()),
        };
        facts.texts.insert(AbsPath::new(name)?, seen);
    }
    if contents.is_empty() { Ok(()) } else { Err(Fault::new("a file grew while it was read")) }
}
