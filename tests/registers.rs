//! What stands in a register of the program stands in the documents, and the other way round; and
//! what is written is part of the program.

use clap::CommandFactory;
use petasos::config::backup::Keep;
use petasos::config::network::EgressMode;
use petasos::config::settings::{Role, SshAlgorithms};
use petasos::config::store::Store;
use petasos::playbook::KINDS;
use petasos::verify::claims::{Policy, Vault};
use petasos::verify::report::ControlStatus;
use petasos::verify::{Claims, Control, registry};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

#[path = "lab/breaks/mod.rs"]
#[expect(dead_code, reason = "the lab does what is told here")]
mod breaks;
#[path = "lab/drifts/mod.rs"]
#[expect(dead_code, reason = "the lab does what is told here")]
mod drifts;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files below `dir` that no `mod` declares.
fn undeclared(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            undeclared(&path, found);
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|kind| kind != "rs") || ["lib", "main", "mod"].contains(&stem.as_str()) {
            continue;
        }
        let parents = [dir.join("mod.rs"), dir.join("lib.rs"), dir.with_extension("rs")];
        let declares = |parent: &PathBuf| {
            let text = std::fs::read_to_string(parent).unwrap_or_default();
            text.lines().any(|line| line.trim().trim_start_matches("pub ") == format!("mod {stem};"))
        };
        if !parents.iter().any(declares) {
            found.push(path);
        }
    }
}

#[test]
fn every_source_is_part_of_the_program() {
    let mut found = Vec::new();
    undeclared(&root().join("src"), &mut found);
    assert_eq!(found, Vec::<PathBuf>::new());
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("lib.rs", "pub mod known;"), ("known.rs", ""), ("stray.rs", "")] {
        std::fs::write(folder.path().join(name), text).expect("writable");
    }
    undeclared(folder.path(), &mut found);
    assert_eq!(found, [folder.path().join("stray.rs")]);
}

/// The names in the first column of the tables below a heading, as far as they stand in backticks.
fn first_column(text: &str, heading: &str) -> BTreeSet<String> {
    let below = text.split_once(heading).unwrap_or_else(|| panic!("no `{heading}`")).1;
    let section = below.split("\n## ").next().unwrap_or(below);
    let cells = section.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split(" | ").next());
    let in_backticks = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    cells.flat_map(in_backticks).collect()
}

#[test]
fn every_kind_has_its_file_and_its_row() {
    let kinds: BTreeSet<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(first_column(&text("docs/playbooks.md"), "\n## Kinds\n"), kinds, "docs/playbooks.md");
    let specs = std::fs::read_dir(root().join("src/resource")).expect("a readable folder").filter_map(|entry| {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let stem = path.file_stem()?.to_string_lossy().into_owned();
        text.contains("impl super::ResourceSpec for Spec").then_some(stem)
    });
    assert_eq!(specs.collect::<BTreeSet<String>>(), kinds, "the registry of src/resource/mod.rs");
}

#[test]
fn every_verb_is_in_readme() {
    let command = petasos::cli::Cli::command();
    let verbs = command.get_subcommands().map(|verb| verb.get_name().to_owned()).filter(|verb| verb != "help");
    let listed = first_column(&text("README.md"), "\n## Five minutes\n");
    let listed = listed.iter().filter_map(|cell| cell.split(' ').next().map(str::to_owned));
    assert_eq!(listed.collect::<BTreeSet<_>>(), verbs.collect());
}

/// Those that this version sets up, and those that it does not.
fn controls() -> (Vec<&'static Control>, Vec<&'static Control>) {
    registry().iter().partition(|control| !is_planned(control))
}

fn is_planned(control: &Control) -> bool {
    let claims = Claims {
        role: Role::Agent,
        own_address: None,
        ssh_port: 22,
        inbound: Vec::new(),
        admin: "ops".into(),
        mode: EgressMode::Names,
        enforce: true,
        allowed: Vec::new(),
        sink: [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        proxy: 1,
        sees_hello: true,
        resolver_addr: Ipv4Addr::LOCALHOST.into(),
        platforms: Vec::new(),
        release: String::new(),
        tree: String::new(),
        memory: None,
        disk: Some(4 << 30),
        tasks: 1,
        vault: Some(Vault { address: None, port: 22, bucket: true, keep: Keep::default() }),
        ssh_algorithms: SshAlgorithms::Strict,
        policy: Policy::default(),
        full: false,
    };
    matches!((control.short)(&claims), Some((ControlStatus::Planned, _)))
}

#[test]
fn the_documents_count_as_the_registry_does() {
    let (made, planned) = controls();
    let (all, made_count, planned_count) = (registry().len(), made.len(), planned.len());
    let page = text("docs/controls.md").replace('\n', " ");
    for words in [
        format!("for each of the {all} what is claimed"),
        format!("**implemented** ({made_count}) or **not yet** ({planned_count})"),
    ] {
        assert!(page.contains(&words), "docs/controls.md does not say `{words}`");
    }
    let row = |control: &Control, status: &str| {
        let anchor = control.id.replace('.', "");
        format!("| [`{}`](#{anchor}) | {} | {status} |", control.id, control.title)
    };
    let rows =
        registry().iter().map(|control| row(control, if is_planned(control) { "not yet" } else { "implemented" }));
    for row in rows {
        assert!(page.contains(&row), "docs/controls.md has no row `{row}`");
    }
    let words = format!("**{planned_count} of the {all} controls** of the checklist");
    assert!(text("SECURITY.md").replace('\n', " ").contains(&words), "SECURITY.md does not say `{words}`");
    let words = format!("Of the {all} controls of the checklist, this version sets up and proves {made_count}.");
    assert!(text("README.md").replace('\n', " ").contains(&words), "README does not say `{words}`");
}

#[test]
fn every_control_is_seen_to_fail_for_some_break() {
    let by_host = breaks::all().flat_map(|one| one.controls).copied();
    let broken: BTreeSet<&str> = by_host.chain(of_backups()).collect();
    let made: BTreeSet<&str> = controls().0.iter().map(|control| control.id).collect();
    assert_eq!(broken, made, "the controls that tests/lab/breaks breaks, and those that this version sets up");
}

/// It takes a vault to see these.
fn of_backups() -> impl Iterator<Item = &'static str> {
    breaks::backup::BROKEN.iter().filter(|one| !one.long).map(|one| one.control)
}

/// A drop-in of the agent's unit is drift of the unit, and counts for what its entry is a part of.
#[test]
fn a_drop_in_breaks_what_the_unit_is_part_of() {
    let entries: Vec<serde_json::Value> = serde_yaml::from_str(&text("playbooks/20-agent.yaml")).expect("YAML");
    let unit = entries.iter().find(|entry| entry["file"]["path"] == "/etc/systemd/system/hermes.service");
    let unit = unit.expect("the agent's unit");
    let of_unit: BTreeSet<String> = match &unit["control"] {
        serde_json::Value::String(one) => BTreeSet::from([one.clone()]),
        several => serde_json::from_value(several.clone()).expect("ids of controls"),
    };
    let drop_ins: Vec<_> = breaks::all().filter(|one| one.done.contains("DROP_IN")).collect();
    assert!(!of_unit.is_empty() && drop_ins.len() > 3, "{of_unit:?}, {} breaks", drop_ins.len());
    for one in drop_ins {
        let said: BTreeSet<String> = one.controls.iter().map(ToString::to_string).collect();
        assert!(of_unit.is_subset(&said), "`{}` of tests/lab/breaks also breaks {of_unit:?}", one.name);
    }
}

/// The default run leaves out only what others in it show too.
#[test]
fn every_control_and_every_field_has_its_row_by_default() {
    let made: BTreeSet<&str> = controls().0.iter().map(|control| control.id).collect();
    let by_default = breaks::all().filter(|one| !one.long).flat_map(|one| one.controls).copied();
    assert_eq!(
        by_default.chain(of_backups()).collect::<BTreeSet<_>>(),
        made,
        "the controls that tests/lab/breaks breaks by default"
    );

    let fields = |long: bool| -> BTreeSet<(&str, &str)> {
        let rows = drifts::all().filter(|drift| drift.long == long).flat_map(|drift| drift.expect);
        // What follows is which one: `file /etc/x`, `allow 443/tcp`.
        rows.map(|(id, field)| (first_word(id), first_word(field))).collect()
    };
    let missing: Vec<_> = fields(true).difference(&fields(false)).copied().collect();
    assert!(missing.is_empty(), "only long drifts of tests/lab/drifts show {missing:?}");
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Those that change nothing which `undo` brings back, or have a test of their own for that.
const NO_UNDO: [&str; 9] = ["package", "disk", "sshd", "ufw", "nft", "release", "current", "key", "first_run"];

#[test]
fn undo_is_tried_with_every_kind() {
    let tried = text("tests/lab/effects.rs");
    let rest = tried.split_once("const EVERY_KIND").expect("the playbook of all kinds").1;
    let playbook = rest.split_once("\"#;").expect("its end").0;
    for kind in KINDS.iter().filter(|kind| !NO_UNDO.contains(kind)) {
        assert!(playbook.contains(&format!("\n  {kind}: ")), "`EVERY_KIND` of tests/lab/effects.rs has no `{kind}`");
    }
}

/// On a bad day nobody looks for it.
#[test]
fn every_key_and_token_has_the_page_where_it_is_made_anew() {
    let packs: serde_json::Value = serde_yaml::from_str(&text("playbooks/data/packs.yaml")).expect("YAML");
    let pages: BTreeMap<String, String> = serde_yaml::from_str(&text("playbooks/data/rotation.yaml")).expect("YAML");
    let of = |section: &str, field: &str| {
        let all = packs[section].as_object().expect("a map").values().filter_map(|one| one[field].as_array().cloned());
        all.flatten().map(|name| name.as_str().expect("a name").to_owned()).collect::<BTreeSet<_>>()
    };
    let bucket = Store::try_from("s3:https://s3.example.com/petasos".to_owned()).expect("a bucket");
    let of_bucket = bucket.secrets().iter().map(ToString::to_string);
    let names: BTreeSet<String> =
        of("providers", "keys").into_iter().chain(of("platforms", "tokens")).chain(of_bucket).collect();
    assert_eq!(pages.keys().cloned().collect::<BTreeSet<_>>(), names, "playbooks/data/rotation.yaml");
    assert!(pages.values().all(|page| page.starts_with("https://")), "{pages:?}");
}

#[test]
fn every_provider_has_its_row() {
    let packs: serde_json::Value = serde_yaml::from_str(&text("playbooks/data/packs.yaml")).expect("YAML");
    let keys = packs["providers"].as_object().expect("providers").keys().cloned().collect::<BTreeSet<_>>();
    let page = text("docs/providers.md");
    // Below the line that ends the table's head.
    assert_eq!(first_column(&page, "|---|---|---|---|\n"), keys, "docs/providers.md");
}
