//! A command's text to its words, where it has one meaning; the reading of the policy's lexer
//! (`remote/policy/lexer.py`), for a single command.

use crate::fault::Fault;

/// What means itself in bash wherever it stands in a word.
pub fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:,@%+=".contains(c)
}

/// The words of one command.
///
/// # Errors
/// What in it bash would interpret, so that no rule can allow it.
pub fn words(text: &str) -> Result<Vec<String>, Fault> {
    let (mut words, mut word, mut rest) = (Vec::new(), None::<String>, text.trim_matches([' ', '\n']).chars());
    while let Some(c) = rest.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => word.get_or_insert_default().push_str(&quoted(&mut rest, '\'')?),
            '"' => word.get_or_insert_default().push_str(&quoted(&mut rest, '"')?),
            c if plain(c) => word.get_or_insert_default().push(c),
            '&' | ';' | '|' => return Err("it joins commands".into()),
            '\n' => return Err("it has more than one line".into()),
            c => return Err(format!("it has `{}`, which bash interprets", c.escape_default()).into()),
        }
    }
    words.extend(word);
    if words.is_empty() { Err("there is no command".into()) } else { Ok(words) }
}

fn quoted(rest: &mut std::str::Chars<'_>, end: char) -> Result<String, Fault> {
    let mut inner = String::new();
    while let Some(c) = rest.next() {
        match c {
            c if c == end => return Ok(inner),
            '\\' if end == '"' => {
                let escaped = rest.clone().next().filter(|next| "\"\\$`".contains(*next));
                inner.push(escaped.unwrap_or(c));
                if escaped.is_some() {
                    rest.next();
                }
            }
            '$' | '`' | '!' if end == '"' => return Err(format!("it has `{c}`, which bash interprets").into()),
            // Letters of other scripts may be in a rule, but nobody should paste them unread.
            ' '..='~' => inner.push(c),
            _ => return Err("it has characters that are not ASCII".into()),
        }
    }
    Err("it has a quote that is not closed".into())
}

/// A word as a rule and bash read it: as it is, or in single quotes.
pub fn quote(word: &str) -> String {
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}
