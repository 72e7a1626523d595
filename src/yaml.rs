//! Reading YAML: errors with file, line, caret, and what was probably meant.

use crate::fault::{self, Fault};
use crate::wording;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use std::collections::BTreeMap;

/// # Errors
/// What is wrong, where, with the lines around it.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Fault> {
    // A file may have any number of comments; by default the parser keeps them, and gives up at a
    // hundred.
    let options = serde_yaml::options! { emit_comments: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| explain(file, &error.to_string()))
}

fn explain(file: &str, message: &str) -> Fault {
    let message = message.strip_prefix("error: ").unwrap_or(message).replace("<input>", file);
    // The reader knows one text alone, and shows it twice.
    let (message, hint) = fault::take_hint(&message);
    let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
    let what = first.split_once(": ").filter(|(place, _)| place.starts_with("line ")).map_or(first, |(_, what)| what);
    let Fault { message: plain, hint: usual } = wording::plain(what);
    let rest = if plain == what { rest.to_owned() } else { rest.replace(what, &plain) };
    Fault { message: format!("{plain}\n{}", rest.trim_end()), hint: hint.or(usual) }
}

/// A file's text.
///
/// # Errors
/// When it is none; shown is its first place that is no letter.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let before = String::from_utf8_lossy(sound);
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        // What is no letter is shown as one that stands for it.
        let shown = String::from_utf8_lossy(bytes);
        let fault = Fault::new("this file is no text in UTF-8").hint("save it as UTF-8");
        drawn(file, &shown, (before.matches('\n').count() + 1, column), fault)
    })
}

/// A step into a text: a key of a mapping, or a place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    At(usize),
}

/// A place in a text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub text: String,
    pub path: Vec<Step>,
}

impl Place {
    /// The same error, with file, line and caret of this place.
    pub fn point(&self, fault: Fault) -> Fault {
        point(&self.file, &self.text, &self.path, fault)
    }
}

/// The same error, with file, line and caret of what stands at the end of `path`, or of the nearest
/// thing on the way that is there.
pub fn point(file: &str, text: &str, path: &[Step], fault: Fault) -> Fault {
    let options = serde_yaml::options! { emit_comments: false };
    let Ok(tree) = serde_yaml::from_str_with_options::<Spanned<Node>>(text, options) else { return fault };
    let mut at = &tree;
    for step in path {
        let next = match (&at.value, step) {
            (Node::Map(map), Step::Key(key)) => map.get(key).map(|(_, value)| value),
            (Node::List(list), Step::At(number)) => list.get(*number),
            _ => None,
        };
        let Some(next) = next else { break };
        at = next;
    }
    drawn(file, text, place(&at.referenced), fault)
}

/// The same for the key at the end of `path`, and not for its value.
pub fn point_at_key(file: &str, text: &str, path: &[Step], fault: Fault) -> Fault {
    let options = serde_yaml::options! { emit_comments: false };
    let tree = serde_yaml::from_str_with_options::<Spanned<Node>>(text, options).ok();
    let mut at = tree.as_ref().map(|tree| &tree.value);
    let mut found = None;
    for step in path {
        let (Some(Node::Map(map)), Step::Key(key)) = (at, step) else { break };
        found = map.get(key);
        at = found.map(|(_, value)| &value.value);
    }
    match found {
        Some((key, _)) => drawn(file, text, *key, fault),
        None => fault,
    }
}

/// Line and column.
fn place(location: &serde_yaml::Location) -> (usize, usize) {
    let number = |number: u64| usize::try_from(number).unwrap_or_default();
    (number(location.line()), number(location.column()))
}

/// The error with the lines around a place, and a caret.
fn drawn(file: &str, text: &str, (line, column): (usize, usize), fault: Fault) -> Fault {
    let width = line.to_string().len();
    let shown = text.lines().enumerate().skip(line.saturating_sub(3)).take(line.min(3));
    let mut message = format!("{}\n{:width$}--> {file}:{line}:{column}\n{:width$} |", fault.message, "", "");
    for (number, text) in shown {
        message.push_str(&format!("\n{:width$} | {text}", number + 1));
    }
    message.push_str(&format!("\n{:width$} | {:>column$} {}", "", "^", fault.message));
    Fault { message, hint: fault.hint }
}

/// Any text, with the place of each of its parts.
enum Node {
    /// Each with the place of its key.
    Map(BTreeMap<String, ((usize, usize), Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Leaf,
}

impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("anything")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut nodes = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, _>()? {
            nodes.insert(key.value, (place(&key.referenced), value));
        }
        Ok(Node::Map(nodes))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
}
