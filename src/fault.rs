//! What went wrong, for people; and apart from it, what to do.

use serde::Serialize;
use std::fmt;

/// An error whose reader matches nothing: a message, and a hint where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    #[serde(rename = "why")]
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// With what to do about it, in place of any hint so far.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With where it happened, before the message.
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

/// A text that errors of ours were written into by somebody who spells out line breaks, without
/// their hint; and that.
pub fn take_hint(text: &str) -> (String, Option<String>) {
    let mut hint = None;
    let lines = text.lines().map(|line| match line.split_once(r"\nhint: ") {
        Some((line, found)) => {
            hint = Some(found.to_owned());
            line
        }
        None => line,
    });
    (lines.collect::<Vec<_>>().join("\n"), hint)
}

/// The message, and the hint on a line of its own.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, "\nhint: {hint}"))
    }
}

impl std::error::Error for Fault {}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_hint_stays_on_its_own_line_whatever_comes_before_the_message() {
        let fault = Fault::new("no such key").hint("is it `x`?").at("line 3").at("`web`");
        assert_eq!(fault.to_string(), "`web`: line 3: no such key\nhint: is it `x`?");
        assert_eq!(Fault::from("a\nhint: b").hint, None, "a message gives no hint, whoever wrote it");
    }
}
