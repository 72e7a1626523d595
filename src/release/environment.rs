//! The managed `.env` of the agent, `/etc/hermes/.env`: names and values in the one form that all
//! of the agent's readers (python-dotenv, its own line reader, its repairs) understand alike.

use crate::fault::Fault;
use std::collections::BTreeMap;

/// Why a pair cannot stand in the file. The value is not in the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    #[error("`{0}` is not the name of an environment variable (capitals, digits and `_`)")]
    Name(String),
    #[error("the value of `{0}` is empty")]
    Empty(String),
    #[error(
        "the value of `{0}` has a character that the agent's reader of `.env` would change: white space, a quote, a backslash, `#`, `${{` or a letter beyond ASCII"
    )]
    Value(String),
}

impl EnvError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Value(_)).then(|| "is there a line break or a quote from copying?".to_owned())
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}

/// One line of the file, with its line break.
///
/// # Errors
/// The name or the value is not one that arrives as it was written.
pub fn line(name: &str, value: &str) -> Result<String, EnvError> {
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_uppercase() || b == b'_');
    if !first || !letters.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
        return Err(EnvError::Name(name.to_owned()));
    }
    if value.is_empty() {
        return Err(EnvError::Empty(name.to_owned()));
    }
    let plain = |b: u8| b.is_ascii_graphic() && !b"'\"`\\#".contains(&b);
    if !value.bytes().all(plain) || value.contains("${") {
        return Err(EnvError::Value(name.to_owned()));
    }
    Ok(format!("{name}={value}\n"))
}

/// Reads what Petasos wrote, and what people write by hand: no quotes or double ones, `export`
/// before the name, a comment after.
pub fn read(text: &str) -> BTreeMap<String, String> {
    pairs(text).filter_map(|(_, pair)| pair).collect()
}

/// The same line by line, each with its number: a name and its value, or none where the line is no
/// such pair. Empty lines and comments are left out.
pub fn pairs(text: &str) -> impl Iterator<Item = (usize, Option<(String, String)>)> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let name = name.strip_prefix("export ").map_or(name, str::trim);
        let quoted = ['\'', '"'].into_iter().find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
        let bare =
            quoted.map_or_else(|| value.split_once(" #").map_or(value, |(value, _)| value.trim()), |(bare, _)| bare);
        Some((name.to_owned(), bare.to_owned()))
    };
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(move |(at, line)| (at, pair(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is() {
        assert_eq!(line("OPENROUTER_API_KEY", "sk-or-v1-a$b=="), Ok("OPENROUTER_API_KEY=sk-or-v1-a$b==\n".into()));
    }

    #[test]
    fn what_would_arrive_changed_is_refused_without_showing_it() {
        for value in ["a b", "a\nB=c", "'a'", "a#b", "a\\n", "${HOME}", "é", "a\u{7f}"] {
            let refused = line("KEY", &format!("s3cret{value}")).unwrap_err();
            assert_eq!(refused, EnvError::Value("KEY".into()), "{value:?}");
            assert!(!refused.to_string().contains("s3cret"), "{value:?}");
        }
        assert_eq!(line("KEY", ""), Err(EnvError::Empty("KEY".into())));
        assert_eq!(line("A=B", "c"), Err(EnvError::Name("A=B".into())));
    }
}
