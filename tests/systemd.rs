//! The settings of our units against the systemd of the oldest distribution: what it does not know
//! it ignores, and a lock that is ignored is none. The oracle is systemd 247 (Debian 11), which
//! says what it knows; Ubuntu 22.04 has 249.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What came after 247, and the version that it came with (systemd's NEWS). None may be younger
/// than 249 without a row in docs/hosts.md.
const YOUNGER: [(&str, u32); 2] = [("PrivateIPC", 248), ("SocketBindDeny", 249)];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// By section.
fn known() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("tests/systemd-247.txt");
    let mut section = String::new();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name.to_owned(),
            None => known.entry(section.clone()).or_default().extend(line.split_whitespace().map(str::to_owned)),
        }
    }
    known
}

/// Section and name of all settings in a unit's template.
fn settings(text: &str) -> Vec<(String, String)> {
    // What is included in the middle of a unit names no section.
    let included = !text.lines().any(|line| line.starts_with('['));
    let mut section = if included { "Service" } else { "Unit" }.to_owned();
    let mut found = Vec::new();
    for line in text.lines() {
        // What is included ends in this section.
        if line.contains("include \"agent/sandbox.tera\"") {
            section = "Service".to_owned();
        }
        // A template may begin a line with a condition.
        let line = line.rsplit("%}").next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((name, _)) = line.split_once('=')
            && name.chars().all(|c| c.is_ascii_alphanumeric())
            && name.starts_with(|c: char| c.is_ascii_uppercase())
        {
            found.push((section.clone(), name.to_owned()));
        }
    }
    found
}

fn templates() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["agent", "backup", "base", "egress", "guard", "vault"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(folder);
        for entry in std::fs::read_dir(dir).unwrap() {
            let name = format!("templates/{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            let unit = ["service", "socket", "timer"].iter().any(|kind| name.ends_with(&format!(".{kind}.tera")));
            if unit
                || name.ends_with("/sandbox.tera")
                || name.ends_with("/confined.tera")
                || name.ends_with("/ssh-socket.conf.tera")
            {
                found.push((name.clone(), read(&name)));
            }
        }
    }
    found
}

#[test]
fn the_oldest_systemd_ignores_no_setting() {
    let known = known();
    let templates = templates();
    assert!(templates.len() > 15, "{}", templates.len());
    let mut younger = BTreeSet::new();
    for (name, text) in &templates {
        let settings = settings(text);
        assert!(!settings.is_empty(), "{name}: {settings:?}");
        for (section, setting) in settings {
            if !known[&section].contains(&setting) {
                assert!(YOUNGER.iter().any(|(young, _)| *young == setting), "{name}: [{section}] {setting}=");
                younger.insert(setting);
            }
        }
    }
    assert_eq!(younger.into_iter().collect::<Vec<_>>(), YOUNGER.map(|(name, _)| name));
}

#[test]
fn what_stands_in_the_place_of_each_is_documented() {
    let hosts = read("docs/hosts.md");
    for (name, version) in YOUNGER {
        let row = hosts.lines().find(|line| line.starts_with(&format!("| `{name}=")));
        assert!(row.is_some_and(|row| row.contains(&format!("| {version} |"))), "{name} {version}");
        assert!(version <= 249, "{name} is ignored by Ubuntu 22.04");
    }
}
