//! What sshd does: the settings in force for a login (`sshd -T -C`), and the lines of its files
//! that they come from.

use super::{Facts, Family, Query, Seen, sections};
use crate::fault::Fault;
use crate::name::Account;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A line of sshd's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub file: String,
    /// Counted from 1.
    pub number: u32,
    /// In small letters.
    pub keyword: String,
    pub value: String,
    /// Whether it stands in a `Match` block.
    pub matched: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sshd {
    /// For each user asked about: keyword (small letters) to value.
    pub effective: BTreeMap<Account, BTreeMap<String, String>>,
    /// In the order in which sshd reads them.
    pub lines: Vec<Line>,
    /// Keyword (small letters) and value of what the running sshd was started with (`-o`).
    #[serde(default)]
    pub options: Vec<(String, String)>,
}

pub const FAMILY: Family = Family { name: "sshd", fragment, parse };

// `sshd -T` wants its privilege separation directory, which is not there while systemd listens in
// its stead (Ubuntu 24.04).
const FRAGMENT: &str = include_str!("../../remote/fact/sshd.sh");

/// Of these `sshd -T` prints a line for each value.
const LISTS: [&str; 5] = ["port", "allowusers", "denyusers", "allowgroups", "denygroups"];

fn users(queries: &BTreeSet<Query>) -> impl Iterator<Item = &Account> {
    queries.iter().filter_map(|query| match query {
        Query::Sshd(user) => Some(user),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = users(queries).map(ToString::to_string).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    facts.sshd = Some(match frame.rc {
        0 => Seen::Is(read(queries, &frame.text())?),
        3 => Seen::Absent,
        _ => Seen::Unreadable(format!("sshd -T: {}", frame.error_text())),
    });
    Ok(())
}

fn read(queries: &BTreeSet<Query>, text: &str) -> Result<Sshd, Fault> {
    let sections = sections(text);
    let mut sshd = Sshd::default();
    for user in users(queries) {
        let lines = sections.get(user.as_str()).ok_or_else(|| Fault::new(format!("no settings for `{user}`")))?;
        let settings = sshd.effective.entry(user.clone()).or_default();
        for (key, value) in lines.iter().filter_map(|line| line.split_once(' ')) {
            // As sshd_config(5) spells them since OpenSSH 10.5, in small letters before.
            let key = key.to_ascii_lowercase();
            match settings.get_mut(&key) {
                Some(values) if LISTS.contains(&&*key) => *values = format!("{values} {}", value.trim()),
                _ => drop(settings.insert(key, value.trim().to_owned())),
            }
        }
    }
    sshd.options = sections.get("=options").into_iter().flatten().map(|option| setting(option)).collect();
    // What a line in a `Match` block includes is in it, too.
    let (mut matched, mut outer): (BTreeMap<&str, bool>, bool) = (BTreeMap::new(), false);
    for line in sections.get("=lines").into_iter().flatten() {
        let mut parts = line.splitn(3, ':');
        let (Some(file), Some(number), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Fault::new(format!("unexpected line `{line}`")));
        };
        let (keyword, value) = setting(text);
        let in_block = matched.entry(file).or_insert(outer);
        *in_block |= keyword == "match";
        if keyword == "include" {
            outer = *in_block;
        }
        sshd.lines.push(Line {
            file: file.to_owned(),
            number: number.parse().map_err(|_| Fault::new(format!("unexpected line `{line}`")))?,
            keyword,
            value,
            matched: *in_block,
        });
    }
    Ok(sshd)
}

/// A line as sshd takes it apart: blanks or one `=` after the keyword, quotes around words, a
/// comment after the last.
fn setting(text: &str) -> (String, String) {
    let text = text.trim();
    let (keyword, rest) = text.split_at(text.find([' ', '\t', '=']).unwrap_or(text.len()));
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let values = rest.split_whitespace().take_while(|value| !value.starts_with('#'));
    let values: Vec<&str> = values.map(|value| value.trim_matches('"')).collect();
    (keyword.to_ascii_lowercase(), values.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As OpenSSH 10.6 prints them, and 10.0.
    #[test]
    fn a_keyword_may_be_spelt_as_the_manual_does() {
        let ops = Account::new("ops").unwrap();
        let queries = BTreeSet::from([Query::Sshd(ops.clone())]);
        let read = |text: &str| read(&queries, text).unwrap().effective[&ops].clone();
        let mixed = read(
            "== ops\nPort 22\nPort 2222\nPermitRootLogin no\nPasswordAuthentication no\nAllowUsers Ops\n== =lines\n",
        );
        let small = read(
            "== ops\nport 22\nport 2222\npermitrootlogin no\npasswordauthentication no\nallowusers Ops\n== =lines\n",
        );
        assert_eq!(mixed, small);
        assert_eq!((&*mixed["port"], &*mixed["allowusers"]), ("22 2222", "Ops"));
    }
}
