//! A pattern as far as Python's `re` and regex-syntax agree on it.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Characters: each of ASCII by its bit, and of the others none, all or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    pub ascii: u128,
    pub beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    None,
    All,
    One(char),
}

impl Set {
    /// Whether no character is in both.
    pub fn is_apart(self, other: Self) -> bool {
        let beyond = match (self.beyond, other.beyond) {
            (Beyond::None, _) | (_, Beyond::None) => true,
            (Beyond::One(a), Beyond::One(b)) => a != b,
            (Beyond::All, _) | (_, Beyond::All) => false,
        };
        self.ascii & other.ascii == 0 && beyond
    }

    /// All that is in either.
    pub fn or(self, other: Self) -> Self {
        let beyond = match (self.beyond, other.beyond) {
            (Beyond::None, beyond) | (beyond, Beyond::None) => beyond,
            (Beyond::One(a), Beyond::One(b)) if a == b => Beyond::One(a),
            _ => Beyond::All,
        };
        Self { ascii: self.ascii | other.ascii, beyond }
    }

    fn one(letter: char) -> Self {
        match u32::from(letter) {
            code @ ..=127 => Self { ascii: 1 << code, beyond: Beyond::None },
            _ => Self { ascii: 0, beyond: Beyond::One(letter) },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Set(Set),
    All(Vec<Node>),
    Either(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    Place(Place),
}

/// A place in the text that takes no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Start,
    End,
    LineStart,
    LineEnd,
    Word,
    NotWord,
}

impl Node {
    /// # Errors
    /// What of it Python's `re` has not, or has with another meaning.
    pub fn of(hir: &Hir) -> Result<Self, &'static str> {
        let all = |list: &[Hir]| list.iter().map(Self::of).collect::<Result<Vec<_>, _>>();
        Ok(match hir.kind() {
            HirKind::Empty => Self::All(Vec::new()),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).map_err(|_| "has bytes that are no text")?;
                let mut sets: Vec<Node> = text.chars().map(|letter| Self::Set(Set::one(letter))).collect();
                match (sets.len(), sets.pop()) {
                    (1, Some(one)) => one,
                    (_, last) => Self::All(sets.into_iter().chain(last).collect()),
                }
            }
            HirKind::Class(class) => Self::Set(set(class)?),
            HirKind::Look(look) => Self::Place(place(*look)?),
            HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
                Self::Repeat { node: Box::new(Self::of(sub)?), min: *min, max: *max, greedy: *greedy }
            }
            HirKind::Capture(capture) => Self::of(&capture.sub)?,
            HirKind::Concat(list) => Self::All(all(list)?),
            HirKind::Alternation(list) => Self::Either(all(list)?),
        })
    }
}

fn set(class: &Class) -> Result<Set, &'static str> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
        Class::Unicode(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let mut ascii = 0_u128;
    let mut beyond = Beyond::None;
    for (start, end) in ranges {
        for code in start..=end.min(127) {
            ascii |= 1 << code;
        }
        if end > 127 {
            // Without Unicode, a negated class reaches up to the last byte, which stands for all
            // that is not ASCII.
            if start > 128 || end != 255 {
                return Err("has a class with single characters that are not ASCII");
            }
            beyond = Beyond::All;
        }
    }
    Ok(Set { ascii, beyond })
}

fn place(look: Look) -> Result<Place, &'static str> {
    match look {
        Look::Start => Ok(Place::Start),
        Look::End => Ok(Place::End),
        Look::StartLF => Ok(Place::LineStart),
        Look::EndLF => Ok(Place::LineEnd),
        Look::WordAscii => Ok(Place::Word),
        Look::WordAsciiNegate => Ok(Place::NotWord),
        Look::StartCRLF
        | Look::EndCRLF
        | Look::WordUnicode
        | Look::WordUnicodeNegate
        | Look::WordStartAscii
        | Look::WordEndAscii
        | Look::WordStartUnicode
        | Look::WordEndUnicode
        | Look::WordStartHalfAscii
        | Look::WordEndHalfAscii
        | Look::WordStartHalfUnicode
        | Look::WordEndHalfUnicode => {
            Err("has a boundary that Python does not know; `^`, `$`, `\\b` and `\\B` are there")
        }
    }
}
