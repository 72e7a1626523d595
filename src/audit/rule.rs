//! The smallest allow rule for some commands: their words, and `*` only where they differ.

use super::words::{plain, quote};
use crate::starters::STARTERS;

/// Programs that run what they are given, beside those that no rule may end in `*` for.
#[rustfmt::skip]
const MORE_STARTERS: [&str; 27] = [
    "csh", "tcsh", "pwsh", "python", "pypy", "perl", "ruby", "node", "nodejs", "php", "lua", "awk",
    "gawk", "mawk", "nawk", "tclsh", "deno", "bun", "find", "fd", "fdfind", "gdb", "vim", "vi", "ed",
    "make", "tar",
];
/// Of those, the ones whose options hold a program's text.
const INTERPRETERS: [&str; 28] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "rbash", "csh", "tcsh", "pwsh", "python", "pypy",
    "perl", "ruby", "node", "nodejs", "php", "lua", "awk", "gawk", "mawk", "nawk", "tclsh", "deno", "bun", "expect",
];

/// `/usr/bin/python3.13` is `python`.
fn program(argv: &[String]) -> &str {
    let name = argv.first().map_or("", String::as_str);
    let name = name.rsplit('/').next().unwrap_or(name);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if bare.is_empty() { name } else { bare }
}

/// Whether it runs what it is given.
pub fn starts_others(argv: &[String]) -> bool {
    let program = program(argv);
    STARTERS.contains(&program) || MORE_STARTERS.contains(&program)
}

/// Whether it is an interpreter that is given its program on the command line.
pub fn runs_a_text(argv: &[String]) -> bool {
    let inline = |word: &String| {
        let short = word.starts_with('-') && !word.starts_with("--") && word.contains(['c', 'e', 'E', 'r', 'p']);
        short || ["--command", "--eval", "--print", "--execute"].iter().any(|option| word.starts_with(option))
    };
    let awk = program(argv).ends_with("awk");
    INTERPRETERS.contains(&program(argv)) && (awk || argv.iter().skip(1).any(inline))
}

/// What these commands have in common with others of their shape: the program, and its first word
/// where that names what the program does.
pub fn shape(argv: &[String]) -> Vec<String> {
    let verb = |word: &&String| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    };
    let first = argv.first().into_iter();
    first.chain(argv.get(1).filter(verb)).cloned().collect()
}

/// A rule that allows exactly these words.
pub fn exact(argv: &[String]) -> String {
    argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// The smallest rule for all of them, or none that would name more than the program. They are of
/// one shape, and differ.
pub fn common(argvs: &[&Vec<String>]) -> Option<String> {
    let (first, others) = argvs.split_first()?;
    let shape = shape(first).len();
    let words: Vec<String> = if others.iter().all(|argv| argv.len() == first.len()) {
        (0..first.len()).map(|at| column(argvs, at)).collect()
    } else {
        let shared =
            first.iter().enumerate().take_while(|(at, word)| others.iter().all(|argv| argv.get(*at) == Some(*word)));
        let mut words: Vec<String> = shared.map(|(_, word)| quote(word)).collect();
        // It stands for any number of words, none too.
        words.push("*".to_owned());
        words
    };
    // At the end `*` stands for any words, options and other places too: not for two commands only.
    if argvs.len() < 3 && words.last().is_some_and(|word| word == "*") {
        return None;
    }
    // A glob matches no option and no `..`: then the rule would not do what it is for.
    let covered = argvs.iter().all(|argv| matches(&words, argv));
    (words.len() > shape.max(1) && covered).then(|| words.join(" "))
}

/// One word for all: what they begin and end with, and `*` between.
fn column(argvs: &[&Vec<String>], at: usize) -> String {
    let all: Vec<&str> = argvs.iter().filter_map(|argv| argv.get(at)).map(String::as_str).collect();
    let Some((first, others)) = all.split_first() else { return String::new() };
    if others.iter().all(|word| word == first) {
        return quote(first);
    }
    let same = |of: fn(&str, &str) -> usize| others.iter().map(|word| of(first, word)).min().unwrap_or(0);
    let start = same(|one, two| one.chars().zip(two.chars()).take_while(|(a, b)| a == b).count());
    let shortest = all.iter().map(|word| word.chars().count()).min().unwrap_or(0);
    let end = same(|one, two| one.chars().rev().zip(two.chars().rev()).take_while(|(a, b)| a == b).count());
    let end = end.min(shortest - start.min(shortest));
    let head: String = first.chars().take(start).collect();
    let tail: String = first.chars().skip(first.chars().count() - end).collect();
    if head.chars().chain(tail.chars()).all(plain) { format!("{head}*{tail}") } else { "*".to_owned() }
}

/// As the policy's rules match, for those rules that are made here.
fn matches(rule: &[String], argv: &[String]) -> bool {
    let more = rule.len() > 1 && rule.last().is_some_and(|word| word == "*");
    let fixed = rule.get(..rule.len() - usize::from(more)).unwrap_or_default();
    if argv.len() < fixed.len() || argv.len() > fixed.len() && !more {
        return false;
    }
    fixed.iter().zip(argv).all(|(pattern, word)| match pattern.split_once('*') {
        Some((head, tail)) if !pattern.starts_with('\'') => {
            let option = head.is_empty() && word.starts_with('-');
            let long = word.len() >= head.len() + tail.len();
            !option && !word.contains("..") && long && word.starts_with(head) && word.ends_with(tail)
        }
        _ => *pattern == quote(word),
    })
}
