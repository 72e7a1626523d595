//! The chain: each line carries the digest of the one before, and the journal the digest of some.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What comes before the first line of all.
pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// More than these are counted only.
const MOST_BREAKS: usize = 100;
/// Of the lines that the journal does not confirm.
const MOST_HEADS: usize = 20;

/// A place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    pub file: String,
    /// Of the file, from 1.
    pub line: u64,
    pub kind: BreakKind,
    /// The number that the line has, and the one that it should have; 0 where it has none.
    pub seq: u64,
    pub due: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakKind {
    /// No line that the writer wrote.
    Form,
    /// Its number is not the next one.
    Number,
    /// It has another digest of the line before.
    Digest,
    /// The file ends in the middle of it.
    CutOff,
}

/// A walk along the lines, in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    pub lines: u64,
    /// The first line's number, and its digest of the one before it, which may be gone.
    pub first: u64,
    pub before: String,
    /// The last line's number and digest.
    pub last: u64,
    pub head: String,
    pub breaks: Vec<Break>,
    /// How many there are beside these.
    pub more: u64,
}

/// A line whose digest the journal has, and the one that it has in the log, if it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub seq: u64,
    pub told: String,
    pub is: Option<String>,
}

/// What the chain and the journal prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub state: ChainState,
    /// What is wrong, a line each.
    pub findings: Vec<String>,
    pub lines: u64,
    pub first: u64,
    pub last: u64,
    /// The newest line that the journal confirms.
    pub confirmed: Option<u64>,
    /// How many lines are there whose digest the journal has.
    pub heads: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainState {
    Intact,
    Broken,
    /// Nothing says that it is all.
    Unobserved,
}

impl Walk {
    /// Goes on with a file's content.
    pub fn file(&mut self, name: &str, content: &[u8]) {
        for (at, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let number = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
            self.line(name, number, line);
        }
    }

    fn line(&mut self, file: &str, line: u64, text: &[u8]) {
        let due = if self.lines == 0 { 0 } else { self.last + 1 };
        let own = Own::of(text);
        let (seq, kind) = match &own {
            _ if !text.ends_with(b"\n") => (0, Some(BreakKind::CutOff)),
            None => (0, Some(BreakKind::Form)),
            Some(own) if self.lines == 0 => {
                (self.first, self.before) = (own.seq, own.prev.to_owned());
                (own.seq, None)
            }
            Some(own) if own.seq != due => (own.seq, Some(BreakKind::Number)),
            Some(own) if own.prev != self.head => (own.seq, Some(BreakKind::Digest)),
            Some(own) => (own.seq, None),
        };
        if let Some(kind) = kind {
            let found = Break { file: file.to_owned(), line, kind, seq, due };
            if self.breaks.len() < MOST_BREAKS { self.breaks.push(found) } else { self.more += 1 }
        }
        self.lines += 1;
        self.last = if seq > 0 { seq } else { self.last + 1 };
        self.head = digest(text);
    }
}

/// What the writer says of a line, at its begin and its end.
struct Own<'a> {
    seq: u64,
    prev: &'a str,
}

impl<'a> Own<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let (seq, rest) = text.strip_prefix("{\"seq\":")?.split_once(',')?;
        let (time, rest) = rest.strip_prefix("\"time\":\"")?.split_once('"')?;
        let (event, rest) = rest.strip_prefix(",\"event\":\"")?.split_once('"')?;
        let (_, prev) = rest.strip_prefix(",\"uid\":")?.rsplit_once(",\"prev\":\"")?;
        let prev = prev.strip_suffix("\"}\n").filter(|prev| prev.len() == 64)?;
        let made_of = |text: &str, letters: &str| text.chars().all(|c| c.is_ascii_digit() || letters.contains(c));
        let word = !event.is_empty() && event.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let sound = time.len() == 24 && made_of(time, "T:.Z-") && word && made_of(prev, "abcdef");
        let number = seq.len() <= 18 && made_of(seq, "");
        Some(Self { seq: seq.parse().ok().filter(|_| sound && number)?, prev })
    }
}

fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The verdict. Without a journal (a file alone) there is nothing to compare the end with, and none
/// is asked for.
pub fn judge(walk: &Walk, journal: Option<&[Head]>) -> Judgement {
    let mut findings: Vec<String> = walk.breaks.iter().map(finding).collect();
    if walk.more > 0 {
        findings.push(format!("and {} more places", walk.more));
    }
    if walk.first == 1 && walk.before != NOTHING {
        findings.push("line 1 speaks of a line before it".into());
    }
    let heads: Vec<&Head> = journal.unwrap_or_default().iter().filter(|head| head.seq >= walk.first.max(1)).collect();
    let of = |sound: bool| heads.iter().filter(move |head| (head.is.as_ref() == Some(&head.told)) == sound);
    let confirmed = of(true).map(|head| head.seq).max();
    let other = of(false).filter(|head| head.is.is_some()).take(MOST_HEADS);
    findings.extend(other.map(|head| format!("line {} is another one than the journal has on record", head.seq)));
    // One that is missing in between, the chain has shown.
    let gone = of(false).filter(|head| head.is.is_none() && head.seq > walk.last).map(|head| head.seq).max();
    findings.extend(gone.map(|seq| {
        format!("the journal has line {seq} on record, and the log ends with line {}: lines are gone", walk.last)
    }));
    let state = match (findings.is_empty(), journal) {
        (false, _) => ChainState::Broken,
        (true, Some(_)) if confirmed.is_none() => ChainState::Unobserved,
        (true, _) if walk.lines == 0 => ChainState::Unobserved,
        (true, _) => ChainState::Intact,
    };
    Judgement { state, findings, lines: walk.lines, first: walk.first, last: walk.last, confirmed, heads: heads.len() }
}

fn finding(found: &Break) -> String {
    let Break { file, line, seq, due, .. } = found;
    let place = format!("{file}:{line}");
    match found.kind {
        BreakKind::Form => format!("{place}: no line of the audit writer"),
        BreakKind::CutOff => format!("{place}: the line is cut off"),
        BreakKind::Number if seq > due => {
            let gone = seq - due;
            let lines = if gone == 1 { format!("line {due} is") } else { format!("lines {due} to {} are", seq - 1) };
            format!("{place}: line {seq} follows where line {due} should: {lines} missing or elsewhere")
        }
        BreakKind::Number => format!("{place}: line {seq} stands where line {due} should"),
        BreakKind::Digest => {
            format!("{place}: line {} is not what it was when line {seq} was written after it", due - 1)
        }
    }
}
