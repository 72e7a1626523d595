//! The house rules that a reader of the sources can check: the pure ring does nothing, and
//! dependencies point one way (ARCHITECTURE.md).
//!
//! What counts is what a source names: `use` trees and paths, outside of comments, strings and
//! tests.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod sources;

use sources::{code, paths, read, sources};

/// What computes and never acts.
const PURE: [&str; 17] = [
    "addresses",
    "starters",
    "audit",
    "fault",
    "name",
    "release",
    "review",
    "shell",
    "act",
    "fact",
    "resource",
    "plan",
    "guard",
    "incident",
    "playbook",
    "verify",
    "desired",
];
/// What acts: the world outside the process, its clock and its environment.
/// A duration is a number; what asks a clock is not.
const IMPURE: [&str; 10] = [
    "tokio",
    "openssh",
    "reqwest",
    "indicatif",
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Each module, and those modules of this crate that it may name. None names one further down, so
/// there is no circle of modules.
const MAY_NAME: [(&str, &[&str]); 30] = [
    (EVERYWHERE, &[]),
    ("addresses", &[]),
    ("calendar", &[]),
    ("places", &[]),
    ("starters", &[]),
    ("audit", &["starters"]),
    ("name", &[]),
    ("wording", &[]),
    ("yaml", &["wording"]),
    ("release", &[]),
    ("review", &["yaml"]),
    ("lab", &[]),
    ("shell", &[]),
    ("act", &["name", "shell"]),
    ("secret", &["name", "act", "release::environment"]),
    ("config", &["name", "wording", "yaml", "release::pinned", "starters"]),
    ("backup", &["calendar", "config"]),
    ("incident", &[]),
    ("fact", &["name", "shell"]),
    (
        "resource",
        &[
            "name",
            "shell",
            "act",
            "fact",
            "release::environment",
            "release::pinned",
            "release::python",
            "release::steps",
        ],
    ),
    ("plan", &["name", "shell", "act", "fact", "resource"]),
    ("guard", &["name", "act", "resource", "plan"]),
    ("playbook", &["name", "yaml", "act", "fact", "resource", "plan", "config", "release::quote"]),
    ("verify", &["addresses", "audit", "incident", "name", "places", "plan", "config"]),
    ("transport", &["name", "shell", "act", "config"]),
    ("pin", &["config", "release", "review"]),
    ("desired", &["addresses", "incident", "places", "name", "act", "config", "playbook", "release", "verify", "yaml"]),
    ("run", EVERYTHING_BELOW_RUN),
    ("ui", &["audit", "backup", "calendar", "plan", "run", "verify"]),
    (
        "command",
        &[
            "audit",
            "backup",
            "calendar",
            "name",
            "shell",
            "act",
            "config",
            "desired",
            "incident",
            "lab",
            "pin",
            "playbook",
            "release::environment",
            "run",
            "secret",
            "transport",
            "ui",
            "verify",
        ],
    ),
];

/// What went wrong: the one word that every module may say.
const EVERYWHERE: &str = "fault";

const EVERYTHING_BELOW_RUN: &[&str] = &[
    "addresses",
    "audit",
    "backup",
    "calendar",
    "name",
    "act",
    "fact",
    "resource",
    "plan",
    "guard",
    "incident",
    "playbook",
    "verify",
    "config",
    "release",
    "shell",
    "transport",
];

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
        !own && !is_in(inner, EVERYWHERE) && !allowed.iter().any(|other| is_in(inner, other))
    };
    paths(text).into_iter().filter(wrong).collect()
}

#[test]
fn the_pure_ring_is_pure() {
    for module in PURE {
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
    for (at, (module, allowed)) in MAY_NAME.iter().enumerate() {
        let before = |name: &&str| MAY_NAME[..at].iter().any(|(other, _)| is_in(name, other));
        assert!(allowed.iter().all(before), "`{module}` may name one that stands below it");
    }
}

/// What people and programs see goes through `ui`, which spells out what a terminal would obey.
#[test]
fn only_ui_prints() {
    fn prints(text: &str) -> bool {
        let code = code(text);
        let macros = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
        macros.iter().any(|name| code.contains(name)) || code.contains("io::stdout") || code.contains("io::stderr")
    }
    for (module, _) in MAY_NAME.iter().filter(|(module, _)| *module != "ui").chain([&("cli", EVERYTHING_BELOW_RUN)]) {
        for path in sources(module) {
            assert!(!prints(&read(&path)), "{}", path.display());
        }
    }
    assert!(sources("ui").iter().any(|path| prints(&read(path))), "nobody prints");
    assert!(prints("fn f() { println!(\"x\"); }") && prints("fn f() { std::io::stderr().write(b); }"));
}

/// Every module of the crate has its place above; `cli` stands over all of them.
#[test]
fn no_module_is_without_a_rule() {
    let lib = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let modules: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let ruled: BTreeSet<&str> = MAY_NAME.iter().map(|(module, _)| *module).chain(["cli"]).collect();
    assert_eq!(modules, ruled);
}

/// The files that a file names, as far as they are siblings, nieces or in other modules: a parent
/// and its children know each other.
fn named_files(file: &Path, src: &Path) -> BTreeSet<PathBuf> {
    let own = module_of(file, src);
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    let absolute = |path: &String| {
        let path = path.strip_prefix("petasos::").unwrap_or(path);
        if let Some(inner) = path.strip_prefix("crate::") {
            return Some(inner.to_owned());
        }
        let (mut base, mut rest) = (own.as_str(), path.strip_prefix("self::").unwrap_or(path));
        let ups = rest.starts_with("super::");
        while let Some(up) = rest.strip_prefix("super::") {
            base = base.rsplit_once("::").map_or("", |(parent, _)| parent);
            rest = up;
        }
        ups.then(|| if base.is_empty() { rest.to_owned() } else { format!("{base}::{rest}") })
    };
    let file_of = |path: String| {
        let mut path = path.as_str();
        loop {
            let stem = src.join(path.replace("::", "/"));
            for candidate in [stem.with_extension("rs"), stem.join("mod.rs")] {
                if candidate.is_file() {
                    return Some(candidate);
                }
            }
            path = path.rsplit_once("::")?.0;
        }
    };
    let named = paths(&read(file)).iter().filter_map(absolute).filter_map(file_of).collect::<BTreeSet<_>>();
    let kin = |other: &&PathBuf| {
        let other = module_of(other, src);
        !is_in(&own, &other) && (parent.is_empty() || !is_in(&other, &own))
    };
    named.iter().filter(|other| *other != file).filter(kin).cloned().collect()
}

fn module_of(file: &Path, src: &Path) -> String {
    let inner = file.strip_prefix(src).expect("below src").with_extension("");
    inner.to_string_lossy().trim_end_matches("/mod").replace('/', "::")
}

/// A file from which a chain of names leads back to itself, and that chain.
fn circle(graph: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Option<Vec<PathBuf>> {
    graph.keys().find_map(|start| {
        let (mut seen, mut waiting) = (BTreeMap::new(), vec![start.clone()]);
        while let Some(at) = waiting.pop() {
            for next in graph.get(&at).into_iter().flatten() {
                if next == start {
                    let mut chain = vec![start.clone(), at.clone()];
                    while let Some(before) = chain.last().and_then(|last| seen.get(last)).cloned() {
                        chain.push(before);
                    }
                    return Some(chain);
                }
                if !seen.contains_key(next) {
                    seen.insert(next.clone(), at.clone());
                    waiting.push(next.clone());
                }
            }
        }
        None
    })
}

#[test]
fn no_two_files_import_each_other() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = MAY_NAME.iter().map(|(module, _)| *module).chain(["cli"]);
    let files: Vec<PathBuf> = modules.flat_map(sources).collect();
    let graph = files.iter().map(|file| (file.clone(), named_files(file, &src))).collect();
    assert_eq!(circle(&graph), None);
    let arrows: usize = BTreeMap::values(&graph).map(BTreeSet::len).sum();
    assert!(arrows > 200, "the reading finds {arrows} imports only");
    let (a, b, c) = (PathBuf::from("a"), PathBuf::from("b"), PathBuf::from("c"));
    let planted = BTreeMap::from([
        (a.clone(), BTreeSet::from([b.clone()])),
        (b.clone(), BTreeSet::from([c.clone()])),
        (c, BTreeSet::from([a])),
    ]);
    assert!(circle(&planted).is_some());
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
