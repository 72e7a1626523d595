//! What the program's sources name: `use` trees and paths, outside of comments, strings and tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source without comments, strings and `#[cfg(test)]` modules.
pub fn code(text: &str) -> String {
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

/// Every path that a source names, with the branches of `use` trees spelt out: `use a::{b, c::d}`
/// names `a::b` and `a::c::d`.
pub fn paths(text: &str) -> BTreeSet<String> {
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

/// The sources of a module: `a.rs`, and what is below `a/`, but for tests.
pub fn sources(module: &str) -> Vec<PathBuf> {
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

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
