//! The rules of `agent.approvals`: which commands run unasked, and which never run.
//!
//! They are judged on the host (the policy's `rules` and `deny`), by the words of a command. What
//! is refused here could match none there, so its author means something else.

mod globs;
mod words;

use crate::fault::Fault;
use serde::{Deserialize, Serialize};

/// `git log *`: the words of a command, with globs; a last `*` is any further words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allow {
    text: String,
    /// Each as a glob: what was quoted matches itself alone.
    words: Vec<String>,
}

/// `sudo *`: a glob over the whole command, in whatever way it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Deny(String);

impl TryFrom<String> for Allow {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let never = |fault: Fault| Fault {
            message: format!("the allow rule `{}` can never match: {}", text.escape_debug(), fault.message),
            hint: fault.hint,
        };
        let words = words::of(&text).map_err(never)?;
        words::check_program(&words).map_err(never)?;
        if let Some(word) = words.iter().find(|word| words::literal(word).is_none() && word.contains("..")) {
            return Err(never(
                Fault::new(format!("`{word}` is a glob with `..` in it, and no glob matches `..`"))
                    .hint("write the path without `..`"),
            ));
        }
        if let Some(word) = words.iter().find(|word| globs::has_open_class(word)) {
            return Err(never(Fault::new(format!("the `[` of `{word}` is not closed")).hint("quote it: '['")));
        }
        if words::start_others(&words) {
            return Err(Fault::new(format!("the allow rule `{}` lets every command through", text.escape_debug()))
                .hint("name the command that it may start"));
        }
        Ok(Self { text, words })
    }
}

impl TryFrom<String> for Deny {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let never = |why: &str| Fault::new(format!("the deny rule `{}` can never match: {why}", text.escape_debug()));
        if text.trim().is_empty() {
            return Err(never("it is empty").hint("write a pattern, such as `sudo *`, or remove it"));
        }
        if text.chars().all(|c| "*? ".contains(c)) {
            return Err(Fault::new(format!("the deny rule `{text}` stands for every command"))
                .hint("`mode: allowlist` with an empty `allow` lets none through"));
        }
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err(never("it has a control character").hint("a rule is one line; `*` matches line breaks too"));
        }
        if globs::has_empty_class(&text) {
            return Err(never("a range in its `[…]` runs backwards").hint("write the smaller end first: `[a-z]`"));
        }
        Ok(Self(text))
    }
}

impl Allow {
    /// Whether each command that this rule allows is refused by that one.
    pub fn is_beaten_by(&self, deny: &Deny) -> bool {
        let stripped = deny.0.split_whitespace().collect::<Vec<_>>().join(" ");
        let unquoted = words::of(&deny.0).map(|words| words.join(" "));
        let command = self.words.join(" ");
        // A program may be named with its folder.
        let (program, rest) = command.split_once(' ').map_or((command.as_str(), ""), |(program, rest)| (program, rest));
        let name = program.rsplit('/').next().unwrap_or(program);
        let short = if rest.is_empty() { name.to_owned() } else { format!("{name} {rest}") };
        let covers = |glob: String| globs::covers(&glob, &command) || globs::covers(&glob, &short);
        std::iter::once(stripped).chain(unquoted).any(covers)
    }
}

macro_rules! text_of {
    ($($name:ident: $field:tt),*) => {$(
        impl From<$name> for String {
            fn from(rule: $name) -> String {
                rule.$field
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(&self.$field)
            }
        }
    )*};
}
text_of!(Allow: text, Deny: 0);

#[cfg(test)]
mod tests;
