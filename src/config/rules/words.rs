//! The words of an allow rule, as the policy's lexer on the host (its `lexer`) reads them: what
//! it refuses in a command, no rule can match.

use crate::fault::Fault;
use crate::starters::STARTERS;

const OPERATORS: [&str; 4] = ["&&", "||", ";", "|"];
const GLOB: &str = "*?[]";
/// All that means itself outside of quotes, beside letters and digits.
const PLAIN: &str = "_-./:,@%+=";

/// Words of bash's own language, builtins that run or change others, and programs whose only use is
/// to start another one.
const NO_PROGRAMS: [&str; 71] = [
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "case",
    "esac",
    "for",
    "select",
    "while",
    "until",
    "do",
    "done",
    "in",
    "function",
    "time",
    "coproc",
    ".",
    ":",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "declare",
    "dirs",
    "disown",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "times",
    "trap",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
    "env",
];

/// More that start what they are given: to bash, or by their own names.
#[rustfmt::skip]
const MORE_STARTERS: [&str; 5] = [
    "alias", ".", "ld.so", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
];

/// Each word as a glob; what was quoted matches itself alone.
///
/// # Errors
/// Why the lexer takes no such command.
pub fn of(rule: &str) -> Result<Vec<String>, Fault> {
    let rule = rule.trim_matches(' ');
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut rest = rule;
    while let Some(letter) = rest.chars().next() {
        let after = |count: usize| rest.get(count..).unwrap_or_default();
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            return Err(Fault::new(format!("`{operator}` stands between commands, and a rule is about one"))
                .hint("give each command a rule, and set `compound: each`"));
        }
        match letter {
            ' ' => {
                words.extend(word.take());
                rest = after(1);
            }
            '\'' | '"' => {
                let (inner, count) = quoted(after(1), letter)?;
                word.get_or_insert_default().push_str(&inner);
                rest = after(1 + count);
            }
            _ if letter.is_ascii_alphanumeric() || PLAIN.contains(letter) || GLOB.contains(letter) => {
                word.get_or_insert_default().push(letter);
                rest = after(1);
            }
            _ => return Err(refused(letter)),
        }
    }
    words.extend(word);
    if words.is_empty() {
        Err(Fault::new("it is empty").hint("write a command, such as `git status`, or remove it"))
    } else {
        Ok(words)
    }
}

/// What stands in quotes, as a glob, and the bytes that it takes with its end.
fn quoted(text: &str, quote: char) -> Result<(String, usize), Fault> {
    let mut inner = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Ok((inner, at + 1));
        }
        let mut letter = letter;
        if quote == '"' {
            match letters.peek() {
                Some((_, next)) if letter == '\\' && "\"\\$`".contains(*next) => {
                    letter = *next;
                    letters.next();
                }
                _ if "$`!".contains(letter) => return Err(refused(letter)),
                _ => {}
            }
        }
        match letter {
            _ if is_hidden(letter) => return Err(refused(letter)),
            _ if GLOB.contains(letter) => inner.push_str(&format!("[{letter}]")),
            _ => inner.push(letter),
        }
    }
    Err(Fault::new("a quote is not closed").hint("close it; in single quotes every character means itself"))
}

/// Whether it cannot be seen, or changes how others are seen.
fn is_hidden(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || letter != ' ' && letter.is_whitespace()
        || matches!(code, 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff)
}

fn refused(letter: char) -> Fault {
    let what = match letter {
        '$' | '~' => format!("`{letter}`, which a shell expands,"),
        '`' => "a backquote, which runs a command,".to_owned(),
        '&' => "`&`, which runs a command in the background,".to_owned(),
        '<' | '>' => format!("`{letter}`, which redirects,"),
        '\\' => "a backslash outside of quotes".to_owned(),
        '!' | '#' | '(' | ')' | '{' | '}' | '^' => format!("`{letter}`, which is special to a shell,"),
        _ if letter.is_ascii_graphic() => format!("`{letter}`"),
        _ if is_hidden(letter) => format!("the character U+{:04X}", u32::from(letter)),
        _ => format!("`{letter}` outside of quotes"),
    };
    let fault = Fault::new(format!("no command with {what} is accepted"));
    if is_hidden(letter) { fault } else { fault.hint("in single quotes every character means itself") }
}

/// Whether such a rule lets every command through.
pub fn start_others(words: &[String]) -> bool {
    let Some([program, first]) = words.first_chunk::<2>() else { return false };
    let name = program.rsplit('/').next().unwrap_or(program);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let name = if bare.is_empty() { name } else { bare };
    (STARTERS.contains(&name) || MORE_STARTERS.contains(&name)) && first.chars().all(|c| "*?".contains(c))
}

const PROGRAM: &str = "name the program, such as `git log *`";

/// # Errors
/// When the first word can be no program.
pub fn check_program(words: &[String]) -> Result<(), Fault> {
    let name = words.first().map_or("", String::as_str);
    if name.chars().all(|letter| "*?".contains(letter)) {
        return Err(Fault::new(format!("`{name}` names no program")).hint(PROGRAM));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_./+-".contains(letter);
    let of_glob = |letter: char| plain(letter) || GLOB.contains(letter) || letter == '!';
    let Some(literal) = literal(name) else {
        // What was quoted means itself, and no program's name has it.
        let quoted = GLOB.chars().any(|letter| name.contains(&format!("[{letter}]")));
        let sound = !quoted && !name.starts_with(['-', '+']) && name.chars().all(of_glob);
        let wrong = || Fault::new(format!("no program is called `{name}`")).hint(PROGRAM);
        return if sound { Ok(()) } else { Err(wrong()) };
    };
    let name = literal.as_str();
    if name.starts_with(['-', '+']) || name.is_empty() || !name.chars().all(plain) {
        return Err(Fault::new(format!("`{name}` is not the name of a program")).hint(PROGRAM));
    }
    if NO_PROGRAMS.contains(&name) || name == "xargs" {
        return Err(Fault::new(format!("`{name}` runs or changes others, and is never taken for a program"))
            .hint("allow what it would run"));
    }
    let mut others = words.iter().skip(1).filter_map(|word| self::literal(word));
    if name == "printf" && words.get(1).and_then(|word| self::literal(word)).is_some_and(|word| word.starts_with('-')) {
        return Err(Fault::new("no option of `printf` is accepted").hint("leave it out"));
    }
    if name == "printf" && words.get(1).and_then(|word| self::literal(word)).is_some_and(|word| assigns(&word)) {
        return Err(Fault::new("no `%n` of `printf` is accepted, for it sets a variable").hint("leave it out"));
    }
    if name == "test" && others.any(|word| word == "-v" || word == "-R") {
        return Err(Fault::new("no variable is accepted as an operand of `test`").hint("leave it out"));
    }
    Ok(())
}

/// Whether a format of printf(1) has `%n`, with whatever stands before that letter.
fn assigns(format: &str) -> bool {
    format.split('%').skip(1).any(|conversion| {
        let rest = conversion.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        rest.trim_start_matches(|c| "hlLjqtz".contains(c)).starts_with('n')
    })
}

/// The one word that a glob matches, where it is no more than that: what was quoted, and a `]` that
/// closes nothing.
pub fn literal(glob: &str) -> Option<String> {
    let (mut word, mut rest) = (String::new(), glob);
    while let Some(letter) = rest.chars().next() {
        let quoted = GLOB.chars().find_map(|c| Some((c, rest.strip_prefix(format!("[{c}]").as_str())?)));
        let (letter, after) = quoted.unwrap_or((letter, rest.get(letter.len_utf8()..).unwrap_or_default()));
        if quoted.is_none() && "*?[".contains(letter) {
            return None;
        }
        word.push(letter);
        rest = after;
    }
    Some(word)
}
