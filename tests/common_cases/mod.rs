//! The cases of `tests/cases/`, for the tests that go through them.
#![allow(dead_code, reason = "each test file takes a part of it")]

use petasos::act::Text;
use petasos::fact::sshd::Sshd;
use petasos::fact::{Facts, Query, Seen};
use petasos::fault::Fault;
use petasos::name::{AbsPath, Account, EnvName};
use petasos::plan::Plan;
use petasos::playbook::{DesiredState, Playbook, Renderer};
use petasos::resource::{ResolveContext, Resource, Risk};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows.
    pub about: String,
    /// Whether its changes may lock people out: then they are guarded whatever an entry says, and
    /// else they are not.
    #[serde(default)]
    pub guarded: bool,
    pub want: Value,
    /// What earlier resources of the plan write: path to SHA-256, or `link:TARGET`.
    #[serde(default)]
    pub provided: BTreeMap<AbsPath, String>,
    /// What the caller's environment holds.
    #[serde(default)]
    pub secrets: BTreeMap<EnvName, String>,
    pub seen: Facts,
    pub changes: Option<Vec<Expected>>,
    pub unknown: Option<String>,
    pub refused: Option<String>,
    pub after: Option<Facts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub field: String,
    pub from: String,
    pub to: String,
    #[serde(default)]
    pub risk: Risk,
    /// What mends it, one line an act; not looked at when left out.
    pub acts: Option<Vec<String>>,
    /// The paths and units that its acts alter, where tests/effects.rs does not know the commands.
    pub alters: Option<Vec<String>>,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

pub fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

pub fn cases(kind: &str) -> Vec<(String, Case)> {
    let read = |name: String| {
        let path = folder().join(kind).join(&name);
        let text = with_digests(&std::fs::read_to_string(&path).expect("readable"));
        let case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (format!("{kind}/{name}"), case)
    };
    names(&folder().join(kind)).into_iter().map(read).collect()
}

/// `SHA256(remote/x.py)` stands for the digest of that file, and `SHORT(…)` for its first digits:
/// what is laid down as it is changes with its file.
fn with_digests(text: &str) -> String {
    let mut text = text.to_owned();
    for (word, length) in [("SHA256(", 64), ("SHORT(", 12)] {
        while let Some(start) = text.find(word) {
            let end = start + text[start..].find(')').expect("it is closed");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&text[start + word.len()..end]);
            let sum = std::process::Command::new("sha256sum").arg(&path).output().expect("sha256sum runs").stdout;
            let sum = String::from_utf8(sum).expect("text");
            text.replace_range(
                start..=end,
                sum.get(..length).unwrap_or_else(|| panic!("{} has no digest", path.display())),
            );
        }
    }
    text
}

pub fn playbook(kind: &str, want: &Value) -> Playbook {
    let text = json!([{ "name": "case", kind: want }]).to_string();
    let renderer = Renderer::new(&BTreeMap::new(), &json!({})).expect("nothing to render");
    Playbook::read("case", &text, &renderer).unwrap_or_else(|why| panic!("{why}"))
}

/// What of the facts was asked for: a resource that looks at more than it asks about finds nothing.
pub fn asked(playbook: &Playbook, facts: &Facts) -> Facts {
    let mut queries = BTreeSet::new();
    playbook.entries[0].spec().queries(&mut queries);
    // Every host is asked what it is.
    let mut asked = Facts { host: facts.host.clone(), ..Facts::default() };
    for query in queries {
        match query {
            Query::Package(name) => copy(&facts.packages, name, &mut asked.packages),
            Query::Offer(name) => copy(&facts.offers, name, &mut asked.offers),
            Query::User(name) => copy(&facts.users, name, &mut asked.users),
            Query::Group(name) => copy(&facts.groups, name, &mut asked.groups),
            Query::Path(path) => copy(&facts.paths, path, &mut asked.paths),
            Query::Text(path) => copy(&facts.texts, path, &mut asked.texts),
            Query::Unit(name) => copy(&facts.units, name, &mut asked.units),
            Query::Listener(port) => copy(&facts.listeners, port, &mut asked.listeners),
            Query::Sysctl(key) => copy(&facts.sysctls, key, &mut asked.sysctls),
            // Most cases have nothing there.
            Query::Later(path) => {
                let lines = facts.later.get(&path).cloned().unwrap_or_default();
                asked.later.insert(path, lines);
            }
            Query::Sshd(user) => login(facts, &user, &mut asked),
            Query::Ufw => asked.ufw.clone_from(&facts.ufw),
            Query::Disk { mount, .. } => copy(&facts.disks, mount, &mut asked.disks),
            Query::Table { table, .. } => copy(&facts.tables, table, &mut asked.tables),
        }
    }
    asked
}

fn copy<K: Ord, T: Clone>(from: &BTreeMap<K, T>, key: K, to: &mut BTreeMap<K, T>) {
    if let Some(fact) = from.get(&key) {
        to.insert(key, fact.clone());
    }
}

/// What sshd says of one user's login, beside the lines of its files.
fn login(facts: &Facts, user: &Account, asked: &mut Facts) {
    let sshd = asked.sshd.get_or_insert_with(|| match &facts.sshd {
        Some(Seen::Is(sshd)) => Seen::Is(Sshd { effective: BTreeMap::new(), ..sshd.clone() }),
        Some(other) => other.clone(),
        None => Seen::Unreadable("the case does not say".into()),
    });
    if let (Seen::Is(asked), Some(Seen::Is(sshd))) = (sshd, &facts.sshd) {
        copy(&sshd.effective, user.clone(), &mut asked.effective);
    }
}

/// All that a case's resource stands for, with the facts that it asked for; or why it cannot be
/// settled.
pub fn resolve(kind: &str, case: &Case, facts: &Facts) -> Result<(Vec<Box<dyn Resource>>, Facts), Fault> {
    let playbook = playbook(kind, &case.want);
    let facts = asked(&playbook, facts);
    let context = ResolveContext {
        facts: &facts,
        template: &|name| Err(Fault::new(format!("no template `{name}`"))),
        text: &|text| Ok(text.to_owned()),
        secret: &|name| case.secrets.get(name).map(Text::secret),
        fresh: &|_| Text::secret("f".repeat(64)),
        provided: &case.provided,
    };
    let resources = playbook.entries[0].spec().resolve(&context)?;
    Ok((resources, facts))
}

/// The plan for these entries on a host with these facts.
pub fn plan(entries: &Value, facts: Value) -> Plan {
    let facts: Facts = serde_json::from_value(facts).expect("facts");
    let renderer = Renderer::new(&BTreeMap::new(), &json!({})).expect("nothing to render");
    let playbook = Playbook::read("mine", &entries.to_string(), &renderer).unwrap_or_else(|why| panic!("{why}"));
    let secrets = BTreeMap::from([("TOKEN".to_owned().try_into().expect("a name"), Text::secret("x"))]);
    let desired = DesiredState::new(vec![playbook], renderer, secrets, Text::secret("seed"));
    let mut facts = facts;
    for query in desired.queries() {
        // What a case does not say is not there.
        match query {
            Query::Path(path) => drop(facts.paths.entry(path).or_insert(Seen::Absent)),
            Query::Text(path) => drop(facts.texts.entry(path).or_insert(Seen::Absent)),
            Query::User(name) => drop(facts.users.entry(name).or_insert(Seen::Absent)),
            Query::Group(name) => drop(facts.groups.entry(name).or_insert(Seen::Absent)),
            Query::Unit(name) => drop(facts.units.entry(name).or_insert(Seen::Absent)),
            _ => {}
        }
    }
    Plan::of(&desired.resolve(&facts).unwrap_or_else(|why| panic!("{why}")), &facts)
}
