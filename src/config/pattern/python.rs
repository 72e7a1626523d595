//! A pattern in the syntax of Python's `re`, in ASCII, with nothing in it that a flag would change.

use super::node::{Beyond, Node, Place, Set};

pub fn of(node: &Node) -> String {
    match node {
        Node::Set(set) => class(*set),
        Node::All(list) => list.iter().map(part).collect(),
        Node::Either(list) => list.iter().map(of).collect::<Vec<_>>().join("|"),
        Node::Repeat { node, min, max, greedy } => {
            let count = match (min, max) {
                (0, None) => "*".to_owned(),
                (1, None) => "+".to_owned(),
                (0, Some(1)) => "?".to_owned(),
                (min, None) => format!("{{{min},}}"),
                (min, Some(max)) if min == max => format!("{{{min}}}"),
                (min, Some(max)) => format!("{{{min},{max}}}"),
            };
            let one = if matches!(**node, Node::Set(_)) { of(node) } else { format!("(?:{})", of(node)) };
            format!("{one}{count}{}", if *greedy { "" } else { "?" })
        }
        Node::Place(place) => match place {
            Place::Start => r"\A",
            Place::End => r"\Z",
            Place::LineStart => "(?m:^)",
            Place::LineEnd => "(?m:$)",
            Place::Word => r"(?a:\b)",
            Place::NotWord => r"(?a:\B)",
        }
        .to_owned(),
    }
}

/// What stands in a sequence.
fn part(node: &Node) -> String {
    if matches!(node, Node::Either(_)) { format!("(?:{})", of(node)) } else { of(node) }
}

fn class(set: Set) -> String {
    let codes = |set: u128| (0..128_u32).filter(move |code| set >> code & 1 == 1);
    let single = |ascii: u128| codes(ascii).next().filter(|_| ascii.count_ones() == 1);
    match (set.beyond, set.ascii) {
        (Beyond::One(letter), _) => match u32::from(letter) {
            code @ ..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        },
        (Beyond::All, u128::MAX) => r"[\x00-\U0010ffff]".to_owned(),
        (Beyond::All, ascii) => format!("[^{}]", ranges(!ascii)),
        (Beyond::None, ascii) => single(ascii).map_or_else(|| format!("[{}]", ranges(ascii)), letter),
    }
}

/// The ranges of a class.
fn ranges(ascii: u128) -> String {
    let mut out = String::new();
    let mut code = 0;
    while code < 128 {
        if ascii >> code & 1 == 0 {
            code += 1;
            continue;
        }
        let start = code;
        while code < 127 && ascii >> (code + 1) & 1 == 1 {
            code += 1;
        }
        out.push_str(&letter(start));
        if code > start {
            if code > start + 1 {
                out.push('-');
            }
            out.push_str(&letter(code));
        }
        code += 1;
    }
    out
}

/// Letters and digits as they are; all else by number, so that no place gives it a meaning.
fn letter(code: u32) -> String {
    match char::from_u32(code) {
        Some(letter) if letter.is_ascii_alphanumeric() => letter.to_string(),
        _ => format!("\\x{code:02x}"),
    }
}
