//! What went wrong, in words for people; and apart from it, what to do.

use std::fmt;

/// An error whose reader matches nothing: a message, and a hint where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
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

/// The message, and the hint on a line of its own.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, "\nhint: {hint}"))
    }
}

impl std::error::Error for Fault {}

/// Of modules that still write their hint below the message; not for what a host said.
impl From<String> for Fault {
    fn from(text: String) -> Self {
        match text.rsplit_once("\nhint: ") {
            Some((message, hint)) => Self::new(message).hint(hint),
            None => Self::new(text),
        }
    }
}

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// For the same modules, the other way.
impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_hint_stays_on_its_own_line_whatever_comes_before_the_message() {
        let fault = Fault::new("no such key").hint("is it `x`?").at("line 3").at("`web`");
        assert_eq!(fault.to_string(), "`web`: line 3: no such key\nhint: is it `x`?");
        assert_eq!(Fault::from(fault.to_string()), fault);
        assert_eq!(Fault::new("a\nhint: b").hint, None, "what a host said gives no hint");
    }
}
