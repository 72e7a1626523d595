//! Every kind of resource, judged from facts that real tools would give:
//! `tests/cases/<kind>/*.yaml`.
//!
//! A case says what a playbook wants (`want`), what was seen (`seen`, as `petasos facts` prints it,
//! and `texts`), and either the changes that are missing (`changes`, none when all is well), why it
//! cannot be told (`unknown`), or why it cannot be settled (`refused`). `guarded` are the changes
//! that may lock people out. What is seen `after` the
//! changes must be judged as met: idempotence on paper. The values are what the tools of Debian 12
//! and 13 print and do, never what this program computed; digests are sha256sum's.
mod common_cases;

use common_cases::{Case, Expected, cases, folder, names, resolve};
use petasos::act::{Act, Text};
use petasos::fact::Facts;
use petasos::fault::Fault;
use petasos::playbook::KINDS;
use petasos::resource::{Change, Diff, Risk};
use serde_json::{Value, json};

#[test]
fn what_may_lock_people_out_is_guarded_and_nothing_else() {
    for kind in KINDS {
        for (name, case) in cases(kind).into_iter().filter(|(_, case)| case.refused.is_none()) {
            let (resources, facts) = resolve(kind, &case, &case.seen).unwrap_or_else(|why| panic!("{name}: {why}"));
            for resource in &resources {
                let Diff::Drift(changes) = resource.judge(&facts) else { continue };
                for change in changes {
                    let field = change.field.clone();
                    let risk = change.risking(resource.least_risk()).risk;
                    assert_eq!(risk == Risk::Lockout, case.guarded, "{name}: `{field}` is planned as {risk:?}");
                }
            }
        }
    }
}

/// The judgements of all that a case's resource stands for, or why it cannot be settled.
fn judge(kind: &str, case: &Case, facts: &Facts) -> Result<Vec<Diff>, Fault> {
    let (resources, facts) = resolve(kind, case, facts)?;
    Ok(resources.iter().map(|resource| resource.judge(&facts)).collect())
}

fn described(act: &Act) -> String {
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
            let is: Vec<String> = change.acts.iter().map(described).collect();
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
            assert!(why.to_string().contains(part.as_str()), "{name}: {why}");
        }
        (None, None, Some(part)) => match verdicts {
            Ok(verdicts) => panic!("{name}: it is judged as {verdicts:?}"),
            Err(why) => assert!(why.to_string().contains(part.as_str()), "{name}: {why}"),
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
    assert_eq!(names(&folder()), KINDS.iter().map(ToString::to_string).collect(), "one folder a kind");
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
