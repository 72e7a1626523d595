//! A reader's errors in plain words, with what to do. Two readers say them, the one of YAML and
//! serde: both as text.

use crate::fault::Fault;

/// How what a reader says begins, the same in plain words, and what to do.
type Row = (&'static [&'static str], &'static str, &'static str);

/// Of a text that is no YAML.
const NO_YAML: &[Row] = &[
    (
        &[
            "tabs disallowed",
            "tab cannot be used",
            "while scanning a plain scalar, found a tab",
            "a block scalar content cannot start with a tab",
        ],
        "a tab stands where YAML has spaces",
        "indent with spaces alone",
    ),
    (
        &["unclosed quote", "while scanning a quoted scalar"],
        "this quote is not closed",
        "add the same quote after the text",
    ),
    (
        &["invalid indentation in multiline quoted"],
        "a quote before this place is not closed",
        "add the same quote after the text",
    ),
    (
        &["mapping values are not allowed", "illegal placement of ':'"],
        "a `: ` stands where no key can begin",
        "indent this line as its neighbours are, or put a text with `: ` in it in quotes",
    ),
    (&["simple key expected ':'", "simple key is no longer valid"], "a `:` is missing here", "write `key: value`"),
    (
        &["while parsing a block mapping, did not find expected key"],
        "no key of this mapping can begin here",
        "indent its keys alike, and write `key: value`",
    ),
    (
        &["block sequence entries are not allowed"],
        "no list can begin here",
        "write `key:` on a line of its own, and the list's `- ` below it",
    ),
    (
        &["while parsing a block collection"],
        "an entry of this list does not begin with `- `",
        "indent the list's entries alike, each with `- `",
    ),
    (&["while parsing a flow mapping"], "a `,` or `}` is missing here", "write `{ key: value, other: value }`"),
    (&["while parsing a flow sequence"], "a `,` or `]` is missing here", "write `[one, two]`"),
    (
        &["while parsing a quoted scalar"],
        "in double quotes this is no character",
        "double a `\\`, or use single quotes, where it has no meaning",
    ),
    (
        &["invalid trailing content after"],
        "there is more behind the closing quote",
        "put the whole text in quotes, or none of it",
    ),
    (
        &["unexpected character", "plain scalar cannot start"],
        "no text without quotes begins with this character",
        "put the text in quotes, or remove it",
    ),
    (
        &["invalid indentation", "wrongly indented line", "indentation error", "folded block scalars"],
        "this line is indented unlike the others",
        "indent the lines of one mapping or list alike",
    ),
    (
        &["alias references unknown anchor", "while parsing node, found unknown anchor"],
        "there is no `&` above for this `*`",
        "put a text that begins with `*` in quotes",
    ),
    (
        &["multiple YAML documents", "multiple documents not supported"],
        "a second document begins here",
        "the file has one: remove the line `---`",
    ),
    (
        &[
            "unexpected EOF",
            "unexpected eof",
            "unexpected end of input",
            "while parsing a node",
            "unexpected container end",
        ],
        "something is missing here, or the file ends too early",
        "close what was opened with `{`, `[` or a quote, and write something between two commas",
    ),
    (
        &["misplaced bracket", "list or mapping end"],
        "this bracket closes nothing that is open",
        "remove it, or open it before",
    ),
    (
        &[
            "while scanning a YAML directive",
            "while scanning a directive",
            "while scanning TAG",
            "while parsing a tag directive",
            "missing explicit document end marker",
        ],
        "no line begins with a `%` here",
        "remove the line, or put the text in quotes",
    ),
    (
        &[
            "while parsing a tag",
            "while scanning a tag",
            "while scanning a verbatim tag",
            "unsupported tag",
            "tagged enum",
            "cannot deserialize tagged",
        ],
        "a `!` begins a tag, and this file has none",
        "put a text that begins with `!` in quotes",
    ),
    (
        &["while scanning an anchor or alias"],
        "a name is missing behind this `&` or `*`",
        "put a text that begins with `&` or `*` in quotes",
    ),
    (
        &["while scanning a block scalar"],
        "behind `|` or `>` nothing else stands in the line",
        "write the text on the lines below it, indented",
    ),
    (&["YAML merge"], "`<<` takes a mapping of keys", "write `<<: *name`, with `&name` at a mapping above it"),
    (
        &["recursion limit", "budget breached", "alias replay", "alias expansion", "recursive references"],
        "there is more in this than is read: too deep, or too often the same",
        "the file needs a few levels alone, and each thing once",
    ),
    (&["input is not valid UTF-8"], "this file is no text in UTF-8", "save it as UTF-8"),
];

/// Of a value that is not what belongs there.
const NO_VALUE: &[Row] = &[
    (&["expected mapping start"], "a mapping of keys is expected here", MAPPING),
    (&["expected sequence start"], "a list is expected here", LIST),
    (
        &["expected string scalar"],
        "a single value is expected here, not a list or a mapping",
        "write one word, number or line; in quotes where `: ` or ` #` is in it",
    ),
    (
        &[
            "externally tagged enum",
            "expected string key for externally",
            "unexpected value for unit",
            "expected end of mapping",
        ],
        "a single word is expected here",
        "write one of those that docs/configuration.md has for this key",
    ),
    (&["cannot deserialize null into string"], "a string is expected here", "write it, or remove the key"),
    (&["invalid boolean"], "a boolean is expected here", BOOLEAN),
    (&["invalid u32"], "a whole number from 0 to 4294967295 is expected here", DIGITS),
    (&["invalid u64"], "a whole number from 0 on is expected here", DIGITS),
    (&["non-finite float", "invalid floating point"], "this is no number", DIGITS),
    (&["invalid u16"], "a number from 1 to 65535 is expected here", DIGITS),
];

const BOOLEAN: &str = "write `true` or `false`";
const DIGITS: &str = "write digits alone, without a unit and without a leading 0";
const LIST: &str = "write `[one, two]`, or `- one` a line";
const MAPPING: &str = "write `key: value` lines below it, indented, with a space after each `:`; or `{ key: value }`";

/// The same error, in plain words. What is not known stays as it is.
pub fn plain(said: &str) -> Fault {
    let fault = |message: &str, hint: &str| Fault::new(message).hint(hint);
    if said.ends_with("version number") {
        return fault("this is no whole version", "write its three numbers, such as `0.19.0`");
    }
    let rows = NO_YAML.iter().chain(NO_VALUE);
    let of_it = |(begins, ..): &&Row| begins.iter().any(|begin| said.starts_with(begin));
    if let Some((_, message, hint)) = rows.into_iter().find(of_it) {
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
    unknown(said).or_else(|| key(said)).or_else(|| wrong_type(said)).unwrap_or_else(|| Fault::new(said))
}

/// A key or a value that nobody knows, and the known ones.
fn unknown(said: &str) -> Option<Fault> {
    let (is_key, rest) = match said.strip_prefix("unknown field `") {
        Some(rest) => (true, rest),
        None => (false, said.strip_prefix("unknown variant `")?),
    };
    let (word, rest) = rest.split_once("`, ")?;
    let known = rest.strip_prefix("expected ").map(|rest| rest.trim_start_matches("one of ")).unwrap_or_default();
    let known: Vec<&str> =
        known.split(", ").flat_map(|part| part.split(" or ")).map(|word| word.trim_matches('`')).collect();
    // `model:x` and `model = x` are keys without a value to YAML.
    let joined = word.contains([':', '=']).then(|| "write `key: value`, with a space after the `:`; ".to_owned());
    let meant = joined.or_else(|| nearest(word, known.iter().copied()).map(|word| format!("did you mean `{word}`? ")));
    let (message, all) = match is_key {
        true => (format!("unknown key `{word}`"), "the keys here are"),
        false if matches!(word, "" | "~") => ("nothing is written here".to_owned(), "write one of"),
        false => (format!("unknown value `{word}`"), "write one of"),
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
    const QUOTES: &str =
        "YAML reads `on`, `off`, `yes`, `no`, `y`, `n`, `true` and `false` as booleans; put the word in quotes";
    let rest = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.split_once(", expected ")?;
    let (found, is_boolean) = match found.split_once(' ') {
        _ if found == "sequence" => ("a list".to_owned(), false),
        _ if found == "map" => ("a mapping".to_owned(), false),
        _ if found == "null" || found == "unit value" => ("nothing".to_owned(), false),
        Some(("string", text)) => (format!("the string {text}"), false),
        Some(("integer" | "floating", text)) => (format!("the number {}", text.trim_start_matches("point ")), false),
        Some(("boolean", text)) => (format!("the boolean {text}"), true),
        _ => (found.to_owned(), false),
    };
    let (expected, hint) = match expected {
        "a string" => ("a string", Some("put it in quotes")),
        "a boolean" => ("a boolean", Some(BOOLEAN)),
        "a sequence" => ("a list", Some(LIST)),
        "u16" | "a nonzero u16" => ("a number from 1 to 65535", Some(DIGITS)),
        "u32" | "u64" => ("a whole number from 0 on", Some(DIGITS)),
        "a nonzero u32" => ("a whole number from 1 on", Some(DIGITS)),
        _ if expected == "a map" || expected.starts_with("struct ") => ("a mapping of keys", Some(MAPPING)),
        _ if expected.contains("`off` or a") => (expected, Some("write `off`, or what it is when it is on")),
        _ => (expected, None),
    };
    let hint = if is_boolean && !expected.starts_with("`off`") { Some(QUOTES) } else { hint };
    Some(Fault { message: format!("{expected} is expected here, not {found}"), hint: hint.map(str::to_owned) })
}

/// The word of `known` nearest to `word`, if it is near enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Near in its letters is the opposite.
    let name = if name == "ingress" { "inbound" } else { name };
    let near = known.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    near.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
