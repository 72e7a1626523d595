//! The house rules that a reader of the sources can check: the pure ring does nothing, and dependencies point one way (ARCHITECTURE.md).
//!
//! What counts is what a source names: `use` trees and paths, outside of comments, strings and tests.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What computes and never acts.
const PURE: [&str; 9] = ["name", "shell", "act", "fact", "resource", "plan", "guard", "playbook", "prove"];
/// What acts: the world outside the process, its clock and its environment.
const IMPURE: [&str; 9] =
    ["tokio", "openssh", "reqwest", "indicatif", "std::fs", "std::env", "std::process", "std::net", "std::time"];

/// Each module, and those modules of this crate that it may name.
const MAY_NAME: [(&str, &[&str]); 16] = [
    ("name", &[]),
    ("yaml", &[]),
    ("shell", &[]),
    ("act", &["name", "shell"]),
    ("fact", &["name", "shell"]),
    ("release::environment", &[]),
    ("release::pinned", &[]),
    ("release::quote", &[]),
    ("release::steps", &["release::pinned"]),
    ("resource", &["name", "shell", "act", "fact", "release::environment", "release::pinned", "release::steps"]),
    ("plan", &["name", "shell", "act", "fact", "resource"]),
    ("guard", &["name", "act", "resource", "plan"]),
    ("config", &["name", "yaml", "release::pinned"]),
    ("playbook", &["name", "yaml", "act", "fact", "resource", "plan", "config", "release::quote"]),
    ("prove", &["name", "plan", "config"]),
    ("transport", &["name", "shell", "act", "config"]),
];

/// The outer layers, which `run` does not know.
const OUTER: [&str; 3] = ["command", "cli", "ui"];

/// A source without comments, strings and `#[cfg(test)]` modules.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('/', Some('/')) => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        out.push('\n');
                        break;
                    }
                }
            }
            ('r', Some('#' | '"')) if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                let mut hashes = 0;
                while chars.peek() == Some(&'#') {
                    chars.next();
                    hashes += 1;
                }
                if chars.next() != Some('"') {
                    continue;
                }
                let end = format!("\"{}", "#".repeat(hashes));
                let mut inside = String::new();
                while !inside.ends_with(&end) {
                    let Some(c) = chars.next() else { break };
                    inside.push(c);
                }
            }
            ('"', _) => {
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => {
                            chars.next();
                        }
                        '"' => break,
                        _ => {}
                    }
                }
            }
            // A character, not a lifetime.
            ('\'', _) => {
                let ahead: Vec<char> = chars.clone().take(2).collect();
                if ahead.first() == Some(&'\\') || ahead.get(1) == Some(&'\'') {
                    let escaped = chars.next() == Some('\\');
                    if escaped {
                        chars.next();
                    }
                    for c in chars.by_ref() {
                        if c == '\'' {
                            break;
                        }
                    }
                }
            }
            _ => out.push(c),
        }
    }
    match out.find("#[cfg(test)]\nmod ") {
        Some(at) => out[..at].to_owned(),
        None => out,
    }
}

/// Every path that a source names, with the branches of `use` trees spelt out: `use a::{b, c::d}` names `a::b` and `a::c::d`.
fn paths(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut paths = BTreeSet::new();
    for statement in code.split(';') {
        // The last `use` of a statement: attributes and doc comments may stand before it.
        let tree = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let tree =
            tree.rsplit_once("use ").filter(|(before, _)| before.is_empty() || before.ends_with(['}', ' ', ']', ')']));
        if let Some((_, tree)) = tree {
            branches("", tree, &mut paths);
        }
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    paths.extend(
        code.split(|c| !word(c)).filter(|path| path.contains("::")).map(|path| path.trim_matches(':').to_owned()),
    );
    paths
}

fn branches(prefix: &str, tree: &str, paths: &mut BTreeSet<String>) {
    let tree = tree.trim();
    let Some((stem, inside)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        paths.insert(format!("{prefix}{name}"));
        return;
    };
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches(&format!("{prefix}{}", stem.trim()), &inside[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Whether `path` is `module` or something in it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What of the world outside a pure source names.
fn impure(text: &str) -> Vec<String> {
    let named = |path: &String| IMPURE.iter().any(|module| is_in(path, module));
    paths(text).into_iter().filter(named).collect()
}

/// The modules of this crate that a source of `module` names and may not.
fn misdirected(module: &str, allowed: &[&str], text: &str) -> Vec<String> {
    let wrong = |path: &String| {
        let Some(inner) = path.strip_prefix("crate::") else { return false };
        let own = is_in(inner, module) || inner.chars().next().is_some_and(char::is_uppercase);
        !own && !allowed.iter().any(|other| is_in(inner, other))
    };
    paths(text).into_iter().filter(wrong).collect()
}

/// The sources of a module: `a.rs`, and what is below `a/`, but for tests.
fn sources(module: &str) -> Vec<PathBuf> {
    fn below(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a readable folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module.replace("::", "/"));
    let mut found = Vec::new();
    if src.is_dir() {
        below(&src, &mut found);
    }
    let file = src.with_extension("rs");
    if file.is_file() {
        found.push(file);
    }
    assert!(!found.is_empty(), "the module `{module}` has no source");
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_pure_ring_is_pure() {
    // The release's types and commands are data for the ring, though they live with what fetches them.
    for module in PURE.into_iter().chain(["release::pinned", "release::steps"]) {
        for path in sources(module) {
            assert_eq!(impure(&read(&path)), Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    for (module, allowed) in MAY_NAME {
        for path in sources(module) {
            assert_eq!(misdirected(module, allowed, &read(&path)), Vec::<String>::new(), "{}", path.display());
        }
    }
    // `run` emits events and knows nobody who draws them or asks for them.
    for path in sources("run") {
        let named = paths(&read(&path));
        let wrong: Vec<&String> =
            named.iter().filter(|path| OUTER.iter().any(|module| is_in(path, &format!("crate::{module}")))).collect();
        assert_eq!(wrong, Vec::<&String>::new(), "{}", path.display());
    }
}

/// A check that cannot fail is none.
#[test]
fn planted_violations_are_found() {
    for bad in [
        "use std::fs;",
        "use std::{collections::BTreeMap, fs::File};",
        "use std::{io::{self, Read}, time::{Duration, Instant}};",
        "fn f() { let x = std::env::var(\"X\"); }",
        "#[derive(Debug)]\nstruct X;\nuse tokio::process as p;",
        "fn f<'a>(x: &'a str) -> char { std::process::exit(if x == \"\\\"\" { 1 } else { 'x' as i32 }) }",
        "pub use reqwest::Client;",
    ] {
        assert!(!impure(bad).is_empty(), "{bad}");
    }
    for good in [
        "// use std::fs;\nuse std::fmt;",
        "const X: &str = \"std::fs\"; const Y: &str = r#\"std::env::var(\"x\")\"#;",
        "use std::collections::BTreeMap;\n#[cfg(test)]\nmod tests { use std::fs; }",
        "fn time() { fs(); env(); } mod net {}",
    ] {
        assert_eq!(impure(good), Vec::<String>::new(), "{good}");
    }
    for bad in
        ["use crate::plan::Plan;", "use crate::{name::AbsPath, run::Job};", "fn f() { crate::config::lock::x() }"]
    {
        assert!(!misdirected("fact", &["name", "shell"], bad).is_empty(), "{bad}");
    }
    assert_eq!(
        misdirected("fact", &["name"], "use crate::{fact::Query, name::AbsPath}; use super::Seen;"),
        Vec::<String>::new()
    );
}
