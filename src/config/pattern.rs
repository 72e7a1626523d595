//! A pattern of `agent.redact.patterns`: checked here, written for Python's `re`, which searches
//! every text of the agent's with it by backtracking, and must not be made to search for hours.
//!
//! It is read by regex-syntax, which knows neither look-around nor backreferences, and printed anew
//! from what that understood, so that nothing can mean one thing here and another there: `\w`,
//! `\d`, `\s` and `\b` are ASCII's, flags are spelt out, groups capture nothing.

mod node;
mod python;
mod steps;

use crate::fault::Fault;
use node::Node;
use serde::{Deserialize, Serialize};

/// From each place of a text no more attempts than these: Python needs some 40 ns for one, and
/// tool results have up to 200 kB, so the worst text holds the agent up for two seconds.
const MOST_STEPS: u64 = 256;
const LONGEST: usize = 512;

/// A pattern that is linear in the text and matches no empty one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    written: String,
    /// The same for Python's `re`.
    pub python: String,
}

impl TryFrom<String> for Pattern {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let wrong = |why: &str| Fault::new(format!("the pattern `{}` {why}", text.escape_debug()));
        if text.len() > LONGEST {
            return Err(wrong(&format!("has more than {LONGEST} bytes")));
        }
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(20).build();
        let hir = parser.parse(&text).map_err(|error| {
            let hint = match &error {
                regex_syntax::Error::Parse(error) if error.to_string().contains("look-around") => {
                    "look-around and backreferences are not in linear patterns"
                }
                _ => "it is a regular expression of the plain kind; non-ASCII letters go outside of `[…]`",
            };
            wrong(&format!("cannot be read: {}", kind(&error))).hint(hint)
        })?;
        if hir.properties().minimum_len().unwrap_or(0) == 0 {
            return Err(wrong("matches the empty text, so everything").hint("`x*` and `x?` match nothing at all too"));
        }
        let node = Node::of(&hir).map_err(wrong)?;
        let steps = steps::most(&node).map_err(|fault| Fault { message: wrong(&fault.message).message, ..fault })?;
        if steps > MOST_STEPS {
            return Err(wrong(&format!(
                "can take {steps} attempts at each place of a text, of which {MOST_STEPS} are accepted"
            ))
            .hint("give repetitions that something follows a smaller number, or put between two of them what neither takes"));
        }
        Ok(Self { python: python::of(&node), written: text })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.written
    }
}

/// What is wrong, without the drawing: the line and the caret of petasos.yaml come with it.
fn kind(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
