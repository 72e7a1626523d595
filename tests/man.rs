//! The man pages, judged by groff, which knows nothing of clap.

#[expect(dead_code, reason = "no template is rendered here")]
mod judge;

use clap::CommandFactory;
use judge::{folder, judge, verdict};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A page as a reader sees it, and what groff complains about.
fn read(page: &Path) -> (String, String) {
    let output =
        judge("groff", "groff-base").args(["-Kutf8", "-man", "-Tutf8", "-ww"]).arg(page).output().expect("groff");
    // Without overstrikes, and hyphens as they were written.
    let shown =
        judge("groff", "groff-base").args(["-Kutf8", "-man", "-Tascii", "-P-cbou", "-rHY=0"]).arg(page).output();
    let text = String::from_utf8_lossy(&shown.expect("groff").stdout).into_owned();
    (text, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn petasos(args: &[&str]) -> (bool, String) {
    verdict(Command::new(env!("CARGO_BIN_EXE_petasos")).args(args))
}

/// Each command with its words, the program itself first.
fn commands(command: &clap::Command, args: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![args.to_vec()];
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        all.extend(commands(verb, &[args, &[verb.get_name().to_owned()]].concat()));
    }
    all
}

#[test]
fn every_verb_has_a_page_with_all_its_flags() {
    let dir = tempfile::tempdir().expect("a folder");
    let below = dir.path().join("man1");
    let (done, output) = petasos(&["man", "--dir", below.to_str().expect("UTF-8")]);
    assert!(done, "{output}");
    let mut pages = BTreeSet::new();
    for args in commands(&petasos::cli::Cli::command(), &["petasos".to_owned()]) {
        let name = format!("{}.1", args.join("-"));
        let (text, complaints) = read(&below.join(&name));
        assert_eq!(complaints, "", "{name}");
        let args: Vec<&str> = args[1..].iter().map(String::as_str).chain(["--help"]).collect();
        let help = petasos(&args).1;
        let flags = |text: &str| -> BTreeSet<String> {
            let tokens = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
            tokens.filter(|flag| flag.starts_with("--")).map(str::to_owned).collect()
        };
        let missing: Vec<String> = flags(&help).difference(&flags(&text)).cloned().collect();
        assert_eq!(missing, [""; 0], "{name} lacks flags of `petasos {}`:\n{text}", args.join(" "));
        pages.insert(name);
    }
    let written = std::fs::read_dir(&below).expect("the pages");
    assert_eq!(
        written.map(|page| page.expect("a page").file_name().into_string().expect("UTF-8")).collect::<BTreeSet<_>>(),
        pages
    );
}

#[test]
fn without_a_folder_the_first_page_is_printed() {
    let (done, page) = petasos(&["man"]);
    assert!(done, "{page}");
    let (_dir, path) = folder("petasos.1", &page);
    let (text, complaints) = read(&path);
    assert_eq!(complaints, "");
    assert!(text.contains("petasos-up(1)"), "{text}");
}

/// groff must be able to complain.
#[test]
fn groff_does_not_accept_everything() {
    let (_dir, path) = folder("odd.1", ".TH odd 1\n.SH NAME\n\\fQodd \\[nonsense]\n.nonsense\n");
    assert!(read(&path).1.contains("nonsense"));
}
