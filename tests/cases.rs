//! Every kind of resource, judged from facts that real tools would give:
//! `tests/cases/<kind>/*.yaml`.
//!
//! A case says what a playbook wants (`want`), what was seen (`seen`, as `petasos facts` prints it,
//! and `texts`), and either the changes that are missing (`changes`, none when all is well), why it
//! cannot be told (`unknown`), or why it cannot be settled (`refused`). What is seen `after` the
//! changes must be judged as met: idempotence on paper. The values are what the tools of Debian 12
//! and 13 print and do, never what this program computed; digests are sha256sum's.
use petasos::act::{Act, Text};
use petasos::fact::sshd::Sshd;
use petasos::fact::{Facts, Query, Seen};
use petasos::name::{AbsPath, Account, EnvName};
use petasos::playbook::{KINDS, Playbook, Renderer};
use petasos::resource::{Change, Diff, ResolveContext, Resource, Risk};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows.
    about: String,
    want: Value,
    /// What earlier resources of the plan write: path to SHA-256, or `link:TARGET`.
    #[serde(default)]
    provided: BTreeMap<AbsPath, String>,
    /// What the caller's environment holds.
    #[serde(default)]
    secrets: BTreeMap<EnvName, String>,
    seen: Facts,
    changes: Option<Vec<Expected>>,
    unknown: Option<String>,
    refused: Option<String>,
    after: Option<Facts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    field: String,
    from: String,
    to: String,
    #[serde(default)]
    risk: Risk,
    /// What mends it, one line an act; not looked at when left out.
    acts: Option<Vec<String>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

fn cases(kind: &str) -> Vec<(String, Case)> {
    let read = |name: String| {
        let path = folder().join(kind).join(&name);
        let text = std::fs::read_to_string(&path).expect("readable");
        let case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (format!("{kind}/{name}"), case)
    };
    names(&folder().join(kind)).into_iter().map(read).collect()
}

fn playbook(kind: &str, want: &Value) -> Playbook {
    let text = json!([{ "name": "case", kind: want }]).to_string();
    let renderer = Renderer::new(&BTreeMap::new(), &json!({})).expect("nothing to render");
    Playbook::read("case", &text, &renderer).unwrap_or_else(|why| panic!("{why}"))
}

/// What of the facts was asked for: a resource that looks at more than it asks about finds nothing.
fn asked(playbook: &Playbook, facts: &Facts) -> Facts {
    let mut queries = BTreeSet::new();
    playbook.entries[0].spec().queries(&mut queries);
    // Every host is asked what it is.
    let mut asked = Facts { host: facts.host.clone(), ..Facts::default() };
    for query in queries {
        match query {
            Query::Package(name) => copy(&facts.packages, name, &mut asked.packages),
            Query::User(name) => copy(&facts.users, name, &mut asked.users),
            Query::Group(name) => copy(&facts.groups, name, &mut asked.groups),
            Query::Path(path) => copy(&facts.paths, path, &mut asked.paths),
            Query::Text(path) => copy(&facts.texts, path, &mut asked.texts),
            Query::Unit(name) => copy(&facts.units, name, &mut asked.units),
            Query::Sysctl(key) => copy(&facts.sysctls, key, &mut asked.sysctls),
            Query::Sshd(user) => login(facts, &user, &mut asked),
            Query::Ufw => asked.ufw.clone_from(&facts.ufw),
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
        Some(Seen::Is(sshd)) => Seen::Is(Sshd { effective: BTreeMap::new(), lines: sshd.lines.clone() }),
        Some(other) => other.clone(),
        None => Seen::Unreadable("the case does not say".into()),
    });
    if let (Seen::Is(asked), Some(Seen::Is(sshd))) = (sshd, &facts.sshd) {
        copy(&sshd.effective, user.clone(), &mut asked.effective);
    }
}

/// The judgements of all that a case's resource stands for, or why it cannot be settled.
fn judge(kind: &str, case: &Case, facts: &Facts) -> Result<Vec<Diff>, String> {
    let playbook = playbook(kind, &case.want);
    let facts = asked(&playbook, facts);
    let context = ResolveContext {
        facts: &facts,
        template: &|name| Err(format!("no template `{name}`")),
        text: &|text| Ok(text.to_owned()),
        secret: &|name| case.secrets.get(name).map(Text::secret),
        fresh: &|_| Text::secret("f".repeat(64)),
        provided: &case.provided,
    };
    let resources: Vec<Box<dyn Resource>> = playbook.entries[0].spec().resolve(&context)?;
    Ok(resources.iter().map(|resource| resource.judge(&facts)).collect())
}

fn words(act: &Act) -> String {
    let stdin = |text: &Option<Text>| text.as_ref().map_or_else(String::new, |text| format!(" <<< {}", text.shown()));
    match act {
        Act::Run { argv, stdin: text } => format!("{}{}", argv.join(" "), stdin(text)),
        Act::Sh { what, args, stdin: text, .. } => format!("{what}: {}{}", args.join(" "), stdin(text)),
        Act::Put(put) => format!("put {} {}:{} {}", put.path, put.owner, put.group, put.mode),
        Act::Remove(path) => format!("remove {path}"),
    }
}

fn compare(name: &str, changes: &[Change], expected: &[Expected]) {
    let is: Vec<_> = changes.iter().map(|change| (&change.field, &change.from, &change.to, change.risk)).collect();
    let want: Vec<_> = expected.iter().map(|change| (&change.field, &change.from, &change.to, change.risk)).collect();
    assert_eq!(is, want, "{name}: the changes");
    for (change, expected) in changes.iter().zip(expected) {
        if let Some(acts) = &expected.acts {
            let is: Vec<String> = change.acts.iter().map(words).collect();
            assert_eq!(&is, acts, "{name}: what mends `{}`", change.field);
        }
    }
}

fn check(name: &str, kind: &str, case: &Case) {
    let name = format!("{name} ({})", case.about);
    let verdicts = judge(kind, case, &case.seen);
    match (&case.changes, &case.unknown, &case.refused) {
        (Some(expected), None, None) => {
            let verdicts = verdicts.unwrap_or_else(|why| panic!("{name}: {why}"));
            let mut changes = Vec::new();
            for verdict in verdicts {
                match verdict {
                    Diff::Met => {}
                    Diff::Drift(some) => changes.extend(some),
                    Diff::Unknown(why) => panic!("{name}: unknown: {why}"),
                }
            }
            compare(&name, &changes, expected);
            let after = match &case.after {
                Some(after) => after,
                None if expected.is_empty() => &case.seen,
                None => panic!("{name}: it says nothing of `after`"),
            };
            for verdict in judge(kind, case, after).unwrap_or_else(|why| panic!("{name}: after: {why}")) {
                assert_eq!(verdict, Diff::Met, "{name}: after");
            }
        }
        (None, Some(part), None) => {
            let verdicts = verdicts.unwrap_or_else(|why| panic!("{name}: {why}"));
            let why = verdicts.iter().find_map(|verdict| match verdict {
                Diff::Unknown(why) => Some(why),
                Diff::Met | Diff::Drift(_) => None,
            });
            let why = why.unwrap_or_else(|| panic!("{name}: it is judged as {verdicts:?}"));
            assert!(why.contains(part.as_str()), "{name}: {why}");
        }
        (None, None, Some(part)) => match verdicts {
            Ok(verdicts) => panic!("{name}: it is judged as {verdicts:?}"),
            Err(why) => assert!(why.contains(part.as_str()), "{name}: {why}"),
        },
        _ => panic!("{name}: it needs exactly one of `changes`, `unknown`, `refused`"),
    }
}

#[test]
fn every_case_is_judged_as_it_says() {
    for kind in KINDS {
        for (name, case) in cases(kind) {
            check(&name, kind, &case);
        }
    }
}

#[test]
fn every_kind_has_a_met_a_drift_and_an_unknown_case() {
    assert_eq!(names(&folder()), KINDS.iter().map(|kind| kind.to_string()).collect(), "one folder a kind");
    for kind in KINDS {
        let cases = cases(kind);
        let has = |what: &str, is: fn(&Case) -> bool| {
            assert!(cases.iter().any(|(_, case)| is(case)), "`{kind}` has no case that is {what}");
        };
        has("met", |case| case.changes.as_ref().is_some_and(Vec::is_empty));
        has("drift", |case| case.changes.as_ref().is_some_and(|changes| !changes.is_empty()));
        has("unknown", |case| case.unknown.is_some());
    }
}

/// The harness itself: a case that says something else than what is judged must fail.
#[test]
fn a_wrong_case_fails() {
    let case = |changes: Value, after: Value| -> Case {
        let seen = json!({ "groups": { "hermes": "absent" } });
        let case = json!({ "about": "planted", "want": { "name": "hermes" }, "seen": seen, "changes": changes, "after": after });
        serde_json::from_value(case).expect("a case")
    };
    let (right, there) =
        (json!([{ "field": "exists", "from": "no", "to": "yes" }]), json!({ "groups": { "hermes": { "is": 990 } } }));
    check("right", "group", &case(right.clone(), there.clone()));
    let gone = json!({ "groups": { "hermes": "absent" } });
    for (changes, after) in [(json!([]), there), (right.clone(), gone), (right, json!({}))] {
        let case = case(changes, after);
        std::panic::catch_unwind(|| check("wrong", "group", &case)).expect_err("it must fail");
    }
}
