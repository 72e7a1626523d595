//! House rules that a reader of the files can check: no test is forgotten, none is skipped without
//! a reason, only `ui` prints, files are small, and comments wrap.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tree of tests: the repository's own, or one that a test below plants its faults in.
struct Tree {
    root: PathBuf,
    /// What cargo builds and runs as a test or a benchmark.
    targets: BTreeSet<PathBuf>,
}

impl Tree {
    /// The repository, with its targets by cargo's own word.
    fn own() -> Tree {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(env!("CARGO"));
        command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(&root);
        let output = command.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
        let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
        let runs = |target: &serde_json::Value| {
            let kind = |name: &str| list(&target["kind"]).iter().any(|kind| kind == name);
            kind("bench") || kind("test") && target["test"] == true
        };
        let targets =
            list(&metadata["packages"]).into_iter().flat_map(|package| list(&package["targets"])).filter(runs);
        let path = |target: serde_json::Value| target["src_path"].as_str().map(PathBuf::from).expect("a path");
        Tree { root, targets: targets.map(path).collect() }
    }

    /// All files and all directories below one of the tree's directories.
    fn below(&self, dir: &str) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let (mut files, mut dirs, mut todo) = (Vec::new(), Vec::new(), vec![self.root.join(dir)]);
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten() {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    dirs.push(path.clone());
                    todo.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        dirs.sort();
        (files, dirs)
    }

    /// The sources below `tests` and `benches`, without comments.
    fn sources(&self) -> Vec<(PathBuf, String)> {
        let files = ["tests", "benches"].into_iter().flat_map(|dir| self.below(dir).0);
        files
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
            .map(|path| (path.clone(), code(&path)))
            .collect()
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// A source without the lines that are comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Sources that no target is made of: neither one themselves nor a module of one.
fn forgotten_sources(tree: &Tree) -> Vec<String> {
    let sources = tree.sources();
    let declares = |text: &str, name: &str| {
        let module = |line: &str| line.trim().trim_start_matches("pub ").strip_prefix("mod ").map(str::to_owned);
        text.lines().filter_map(module).any(|rest| rest.strip_suffix(';') == Some(name))
    };
    let built = |path: &Path| {
        let stem = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let own = stem(path);
        // `dir/mod.rs` is the module `dir` of what stands beside `dir`.
        let place = if own == "mod" { path.parent().unwrap_or(path) } else { path };
        let (name, beside) = (stem(place), place.parent());
        let parent = |other: &Path| {
            let root = matches!(stem(other).as_str(), "mod" | "main") || tree.targets.contains(other);
            other.parent() == beside && root || beside.is_some_and(|dir| *other == dir.with_extension("rs"))
        };
        sources.iter().any(|(other, text)| parent(other) && declares(text, &name))
    };
    let left = sources.iter().map(|(path, _)| path).filter(|path| !tree.targets.contains(*path) && !built(path));
    left.map(|path| tree.shown(path)).collect()
}

/// Files of the lab's table whose `trials` nobody collects: `main.rs` has to name them.
fn forgotten_trials(tree: &Tree) -> Vec<String> {
    let main = code(&tree.root.join("tests/lab/main.rs"));
    let (mut left, sources) = (Vec::new(), tree.sources());
    for (path, text) in sources.iter().filter(|(path, _)| path.starts_with(tree.root.join("tests/lab"))) {
        let name = path.strip_prefix(tree.root.join("tests/lab")).unwrap_or(path).with_extension("");
        let name = name.display().to_string().replace("/mod", "").replace('/', "::");
        if text.contains("pub fn trials(") && !main.contains(&format!("{name}::trials(")) {
            left.push(tree.shown(path));
        }
    }
    left
}

/// Directories of `tests` that hold neither a target nor a module of one, and that no source names
/// as its data.
fn forgotten_directories(tree: &Tree) -> Vec<String> {
    let sources = tree.sources();
    let holds_sources = |dir: &Path| sources.iter().any(|(path, _)| path.parent() == Some(dir));
    let named = |dir: &Path| {
        let Some(name) = dir.file_name().map(|name| name.to_string_lossy().into_owned()) else { return false };
        let patterns = [format!("\"{name}\""), format!("\"{name}/"), format!("tests/{name}\"")];
        sources.iter().any(|(_, text)| patterns.iter().any(|pattern| text.contains(pattern)))
    };
    // One directory a kind: cases.rs itself compares them with the kinds that there are.
    let compared = |dir: &Path| dir.parent() == Some(&tree.root.join("tests/cases"));
    let left = tree.below("tests").1.into_iter().filter(|dir| !holds_sources(dir) && !named(dir) && !compared(dir));
    left.map(|dir| tree.shown(&dir)).collect()
}

/// Tests that are skipped without a word: an attribute without a reason, or a flag that is not set
/// where reasons are kept.
fn skipped_in_silence(tree: &Tree) -> Vec<String> {
    let (bare, flag) = (concat!("#[", "ignore]"), concat!("with_ignored", "_flag"));
    let keeps = tree.root.join("tests/lab/harness/ignored.rs");
    let silent = |(path, text): &(PathBuf, String)| text.contains(bare) || text.contains(flag) && *path != keeps;
    tree.sources().iter().filter(|source| silent(source)).map(|(path, _)| tree.shown(path)).collect()
}

/// The program's sources, without comments and tests, but those in some places.
fn program(tree: &Tree, without: &[&str]) -> Vec<(PathBuf, String)> {
    let without: Vec<PathBuf> = without.iter().map(|place| tree.root.join(place)).collect();
    let files = tree.below("src").0.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let files =
        files.filter(|path| !path.ends_with("tests.rs") && !without.iter().any(|place| path.starts_with(place)));
    let text = |path: &Path| code(path).split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    files.map(|path| (path.clone(), text(&path))).collect()
}

/// Sources outside of `ui` that print, or take hold of what is printed on; their tests may.
fn prints_by_itself(tree: &Tree) -> Vec<String> {
    let patterns = ["print!(", "println!(", "eprint!(", "eprintln!(", "stdout()", "stderr()"];
    let names = |text: &str, pattern: &str| {
        // `child.stdout()` is another program's.
        let whole = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        text.match_indices(pattern).any(|(at, _)| whole(at))
    };
    let outside = program(tree, &["src/ui", "src/ui.rs", "src/main.rs"]).into_iter();
    let speaking = outside.filter(|(_, text)| patterns.iter().any(|pattern| names(text, pattern)));
    speaking.map(|(path, _)| tree.shown(&path)).collect()
}

/// What stands in the string literals of a source, one after the other.
fn literals(code: &str) -> String {
    let code = code.replace("'\"'", "").replace("'\\\"'", "");
    let (mut text, mut inside, mut escaped) = (String::new(), false, false);
    for letter in code.chars() {
        match letter {
            '"' if !escaped => inside = !inside,
            _ if inside => text.push(letter),
            _ => {}
        }
        escaped = inside && letter == '\\' && !escaped;
    }
    text
}

/// Sources that write a hint into a message: it is a field of a `Fault`, and `ui` writes it.
fn hints_in_messages(tree: &Tree) -> Vec<String> {
    let outside = program(tree, &["src/ui", "src/ui.rs", "src/fault.rs"]).into_iter();
    outside.filter(|(_, text)| literals(text).contains("hint: ")).map(|(path, _)| tree.shown(&path)).collect()
}

/// Comments that are wider than the 100 columns at which they wrap, as `file:line`.
fn wide_comments(tree: &Tree) -> Vec<String> {
    let folders = [".ci", "benches", "playbooks", "remote", "src", "tests", "vagrant"];
    let mut left = Vec::new();
    for path in folders.into_iter().flat_map(|folder| tree.below(folder).0) {
        let mark = match path.extension().and_then(|end| end.to_str()) {
            Some("rs") => "//",
            Some("sh" | "py" | "yaml") => "#",
            None if path.starts_with(tree.root.join(".ci")) => "#",
            // What Vagrant itself keeps there is in a folder of its own.
            None if path.parent() == Some(&tree.root.join("vagrant")) => "#",
            _ => continue,
        };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let wide = |line: &str| line.trim_start().starts_with(mark) && line.chars().count() > 100;
        let lines = text.lines().enumerate().filter(|(_, line)| wide(line));
        left.extend(lines.map(|(at, _)| format!("{}:{}", tree.shown(&path), at + 1)));
    }
    left
}

/// Files of code that are longer than somebody reads at once, in lines.
fn long_files(tree: &Tree) -> Vec<String> {
    const MOST: usize = 350;
    let folders = [".ci", "benches", "playbooks", "remote", "src", "templates", "tests/lab", "vagrant"];
    let files = folders.into_iter().flat_map(|folder| tree.below(folder).0);
    let long =
        files.filter(|path| std::fs::read(path).is_ok_and(|text| text.split(|byte| *byte == b'\n').count() > MOST + 1));
    long.map(|path| tree.shown(&path)).collect()
}

#[test]
fn files_are_small() {
    assert_eq!(long_files(&Tree::own()), [""; 0]);
}

#[test]
fn no_test_is_forgotten() {
    let tree = Tree::own();
    assert_eq!(forgotten_sources(&tree), [""; 0], "no target is made of these");
    assert_eq!(forgotten_trials(&tree), [""; 0], "tests/lab/main.rs does not collect their trials");
    assert_eq!(forgotten_directories(&tree), [""; 0], "no test reads these");
}

#[test]
fn no_test_is_skipped_without_a_reason() {
    assert_eq!(skipped_in_silence(&Tree::own()), [""; 0]);
}

#[test]
fn only_ui_prints() {
    assert_eq!(prints_by_itself(&Tree::own()), [""; 0]);
}

#[test]
fn hints_are_fields() {
    assert_eq!(hints_in_messages(&Tree::own()), [""; 0], "use `Fault::hint`");
}

#[test]
fn comments_wrap() {
    assert_eq!(wide_comments(&Tree::own()), [""; 0]);
}

/// The rules can fail: one fault each, among things that are as they should be.
#[test]
fn what_is_planted_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_path_buf();
    let flag = concat!("with_ignored", "_flag(true)");
    for (path, text) in [
        ("tests/good.rs", "mod shared;\nconst DATA: &str = \"tests/data\";\n".to_owned()),
        ("tests/shared/mod.rs", String::new()),
        ("tests/data/one.txt", String::new()),
        ("tests/stray-data/one.txt", String::new()),
        ("tests/stray/mod.rs", "// mod stray;\n".to_owned()),
        ("tests/silent.rs", format!("{}\nfn slow() {{}}\n", concat!("#[", "ignore]"))),
        ("tests/lab/main.rs", "mod told;\nmod untold;\nfn main() { told::trials(); }\n".to_owned()),
        ("tests/lab/told.rs", format!("pub fn trials() {{}}\n// {flag}\n")),
        ("tests/lab/untold.rs", format!("pub fn trials() {{ {flag} }}\n")),
        ("tests/lab/stray.rs", "pub fn trials() {}\n".to_owned()),
        ("src/ui/print.rs", "fn say() { println!(); }\n".to_owned()),
        (
            "src/quiet.rs",
            "// println!()\nfn a() { child.stdout().take(); }\n#[cfg(test)]\nmod t { print!(); }\n".to_owned(),
        ),
        ("src/long.rs", "\n".repeat(351)),
        ("src/longest.rs", "\n".repeat(350)),
        ("src/wide.rs", format!("{}\n    //! {}\n", "x".repeat(120), "x".repeat(93))),
        ("remote/wide.sh", format!("{}\n# {}\n", "#".repeat(100), "ö".repeat(99))),
        ("vagrant/Vagrantfile", format!("{}\n", "#".repeat(101))),
        ("src/loud.rs", "fn a() { if b { eprintln!(\"c\"); } }\n".to_owned()),
        ("src/hinting.rs", "fn a() { b('\"', \"\\\"\", \"no\\nhint: yes\"); }\n".to_owned()),
        ("src/hinted.rs", "fn a() { b(\"\\\\\", Fault { hint: None }, '\"'); }\n".to_owned()),
        ("src/louder.rs", "fn a() { std::io::stdout().flush(); }\n".to_owned()),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        std::fs::write(path, text).expect("a writable folder");
    }
    let targets = ["tests/good.rs", "tests/silent.rs", "tests/lab/main.rs"].map(|path| root.join(path));
    let tree = Tree { root, targets: targets.into() };
    assert_eq!(forgotten_sources(&tree), ["tests/lab/stray.rs", "tests/stray/mod.rs"]);
    assert_eq!(forgotten_trials(&tree), ["tests/lab/stray.rs", "tests/lab/untold.rs"]);
    assert_eq!(forgotten_directories(&tree), ["tests/stray-data"]);
    assert_eq!(skipped_in_silence(&tree), ["tests/lab/untold.rs", "tests/silent.rs"]);
    assert_eq!(long_files(&tree), ["src/long.rs"]);
    assert_eq!(wide_comments(&tree), ["remote/wide.sh:2", "src/wide.rs:2", "vagrant/Vagrantfile:1"]);
    assert_eq!(hints_in_messages(&tree), ["src/hinting.rs"]);
    assert_eq!(prints_by_itself(&tree), ["src/loud.rs", "src/louder.rs"]);
}
