//! A reader's errors in plain words, with what to do. Two readers say them, the one of YAML and
//! serde: both as text.

use crate::fault::Fault;

/// What a reader says of a text that is no YAML: how it begins, the same in plain words, and what
/// to do.
const NO_YAML: &[(&str, &str, &str)] = &[
    ("tabs disallowed", "a tab stands where YAML has spaces", "indent with spaces alone"),
    ("tab cannot be used", "a tab stands where YAML has spaces", "indent with spaces alone"),
    ("unclosed quote", "this quote is not closed", "add the same quote after the text"),
    (
        "mapping values are not allowed",
        "a `: ` stands where no key can begin",
        "indent this line as its neighbours are, or put a text with `: ` in it in quotes",
    ),
    (
        "illegal placement of ':'",
        "a `: ` stands where no key can begin",
        "indent this line as its neighbours are, or put a text with `: ` in it in quotes",
    ),
    ("simple key expected ':'", "a `:` is missing here", "write `key: value`"),
    ("simple key is no longer valid", "a `:` is missing here", "write `key: value`"),
    (
        "while parsing a block mapping, did not find expected key",
        "no key of this mapping can begin here",
        "indent its keys alike, and write `key: value`",
    ),
    (
        "block sequence entries are not allowed",
        "no list can begin here",
        "write `key:` on a line of its own, and the list's `- ` below it",
    ),
    (
        "while parsing a block collection",
        "an entry of this list does not begin with `- `",
        "indent the list's entries alike, each with `- `",
    ),
    ("while parsing a flow mapping", "a `,` or `}` is missing here", "write `{ key: value, other: value }`"),
    ("while parsing a flow sequence", "a `,` or `]` is missing here", "write `[one, two]`"),
    (
        "while parsing a quoted scalar",
        "in double quotes this is no character",
        "double a `\\`, or use single quotes, where it has no meaning",
    ),
    (
        "invalid trailing content after",
        "there is more behind the closing quote",
        "put the whole text in quotes, or none of it",
    ),
    (
        "unexpected character",
        "no text without quotes begins with this character",
        "put the text in quotes, or remove it",
    ),
    ("plain scalar cannot start", "no text without quotes begins with this character", "put the text in quotes"),
    (
        "invalid indentation in multiline quoted",
        "a quote before this place is not closed",
        "add the same quote after the text",
    ),
    ("invalid indentation", "this line is indented unlike the others", "indent the lines of one mapping or list alike"),
    (
        "wrongly indented line",
        "this line is indented unlike the others",
        "indent the lines of one mapping or list alike",
    ),
    (
        "alias references unknown anchor",
        "there is no `&` above for this `*`",
        "put a text that begins with `*` in quotes",
    ),
    (
        "while parsing node, found unknown anchor",
        "there is no `&` above for this `*`",
        "put a text that begins with `*` in quotes",
    ),
    ("multiple YAML documents", "a second document begins here", "the file has one: remove the line `---`"),
    ("multiple documents not supported", "a second document begins here", "the file has one: remove the line `---`"),
    ("unexpected EOF", "the file ends too early", "close what was opened with `{`, `[` or a quote"),
    ("unexpected eof", "the file ends too early", "close what was opened with `{`, `[` or a quote"),
    ("unexpected end of input", "the file ends too early", "close what was opened with `{`, `[` or a quote"),
    ("input is not valid UTF-8", "this file is no text in UTF-8", "save it as UTF-8"),
];

/// What a reader says of a value that is not what belongs there, in the same form.
const NO_VALUE: &[(&str, &str, &str)] = &[
    ("expected mapping start", "a mapping of keys is expected here", MAPPING),
    ("expected sequence start", "a list is expected here", "write `[one, two]`, or `- one` a line"),
    ("expected string scalar", TEXT, "write one word or line; in quotes where `: ` or ` #` is in it"),
    ("cannot deserialize null into string", TEXT, "write it, or remove the key"),
    ("invalid boolean", "a boolean is expected here", "write `true` or `false`"),
    ("invalid u32", NUMBER, DIGITS),
    ("invalid u64", NUMBER, DIGITS),
    ("invalid u16", PORT, DIGITS),
];

const TEXT: &str = "a text is expected here";
const NUMBER: &str = "a whole number from 0 on is expected here";
const PORT: &str = "a number from 1 to 65535 is expected here";
const DIGITS: &str = "write digits alone, without a unit";
const MAPPING: &str = "write `key: value` lines below it, or `{ key: value }`";

/// The same error, in plain words. What is not known stays as it is.
pub fn plain(said: &str) -> Fault {
    let fault = |message: &str, hint: &str| Fault::new(message).hint(hint);
    let rows = NO_YAML.iter().chain(NO_VALUE);
    if let Some((_, message, hint)) = rows.into_iter().find(|(begins, ..)| said.starts_with(begins)) {
        return fault(message, hint);
    }
    let brackets = said.strip_prefix("mismatched bracket '").and_then(|rest| rest.split_once("' closed by '"));
    if let Some((open, rest)) = brackets {
        let close = rest.split('\'').next().unwrap_or(rest);
        return fault(&format!("this `{open}` is closed by `{close}`"), "close each bracket with its own kind");
    }
    if let Some(open) = said.strip_prefix("unclosed bracket ") {
        let open = open.trim_matches('\'');
        return fault(&format!("this `{open}` is not closed"), "add the bracket that closes it");
    }
    unknown_word(said).or_else(|| key(said)).or_else(|| wrong_type(said)).unwrap_or_else(|| Fault::new(said))
}

/// A key or a word that nobody knows, and the known ones.
fn unknown_word(said: &str) -> Option<Fault> {
    let (is_key, rest) = match said.strip_prefix("unknown field `") {
        Some(rest) => (true, rest),
        None => (false, said.strip_prefix("unknown variant `")?),
    };
    let (word, rest) = rest.split_once("`, ")?;
    let known = rest.strip_prefix("expected ").map(|rest| rest.trim_start_matches("one of ")).unwrap_or_default();
    let known: Vec<&str> =
        known.split(", ").flat_map(|part| part.split(" or ")).map(|word| word.trim_matches('`')).collect();
    let meant = nearest(word, known.iter().copied()).map(|word| format!("did you mean `{word}`? "));
    let (message, all) = match is_key {
        true => (format!("unknown key `{word}`"), "the keys here are"),
        false => (format!("unknown word `{word}`"), "write one of"),
    };
    Some(Fault::new(message).hint(format!("{}{all} {}", meant.unwrap_or_default(), known.join(", "))))
}

/// A key that is missing, or here twice.
fn key(said: &str) -> Option<Fault> {
    if let Some(key) = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Some(Fault::new(format!("the key `{key}` is missing here")).hint(format!("write `{key}: …`")));
    }
    let key = said.strip_prefix("duplicate mapping key: ")?;
    let key = key.split(", set ").next().unwrap_or(key);
    Some(Fault::new(format!("the key `{key}` is here twice")).hint("keep one of them, with what belongs to it"))
}

/// `invalid type: string "x", expected a boolean`, and the same of a value.
fn wrong_type(said: &str) -> Option<Fault> {
    const BOOLEAN: &str =
        "YAML reads `on`, `off`, `yes`, `no`, `y`, `n`, `true` and `false` as booleans; put the word in quotes";
    let rest = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.split_once(", expected ")?;
    let found = match found.split_once(' ') {
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a mapping".to_owned(),
        _ if found == "null" || found == "unit value" => "nothing".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "floating", text)) => format!("the number {}", text.trim_start_matches("point ")),
        Some(("boolean", text)) => format!("the boolean {text}"),
        _ => found.to_owned(),
    };
    let fault = |expected: &str| Fault::new(format!("{expected} is expected here, not {found}"));
    Some(match expected {
        _ if expected.contains("`off` or a") => fault(expected).hint("write `off`, or what it is when it is on"),
        _ if found.starts_with("the boolean") => fault(expected_in_words(expected)).hint(BOOLEAN),
        "a string" => fault("a text").hint("put it in quotes"),
        "u16" | "a nonzero u16" | "nonzero u16" => fault("a number from 1 to 65535").hint(DIGITS),
        "u32" | "u64" => fault("a whole number from 0 on").hint(DIGITS),
        "a boolean" => fault("a boolean").hint("write `true` or `false`"),
        "a sequence" => fault("a list").hint("write `[one, two]`, or `- one` a line"),
        "a map" => fault("a mapping of keys").hint(MAPPING),
        _ if expected.starts_with("struct ") => fault("a mapping of keys").hint(MAPPING),
        _ => fault(expected),
    })
}

fn expected_in_words(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "a mapping of keys",
        "u16" | "a nonzero u16" | "u32" | "u64" => "a whole number",
        _ if expected.starts_with("struct ") => "a mapping of keys",
        _ => expected,
    }
}

/// The word of `known` nearest to `word`, if it is near enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    near.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
