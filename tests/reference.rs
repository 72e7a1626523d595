//! `playbooks/reference.yaml` names every key of every kind, says something of each, and names
//! nothing else.
//!
//! Which keys there are is serde's word: the error that it gives for a key that no kind has.
use petasos::fault::Fault;
use petasos::playbook::{KINDS, Playbook, Renderer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const REFERENCE: &str = include_str!("../playbooks/reference.yaml");

fn read(text: &str) -> Result<Playbook, Fault> {
    let renderer = Renderer::new(&BTreeMap::new(), &json!({ "api_port": 8642 })).expect("no templates");
    Playbook::read("reference.yaml", text, &renderer)
}

/// The keys that serde expects where `entry` has one that nothing has.
fn keys(entry: &Value) -> BTreeSet<String> {
    let error = read(&json!([entry]).to_string()).expect_err("nothing has the key `no-such-key`");
    let list = error.hint.as_deref().and_then(|hint| hint.strip_prefix("the keys here are "));
    let list = list.unwrap_or_else(|| panic!("serde says something else now: {error}"));
    list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
}

fn keys_of_kind(kind: &str) -> BTreeSet<String> {
    keys(&json!({ "name": "x", kind: { "no-such-key": 0 } }))
}

fn reference() -> Vec<BTreeMap<String, Value>> {
    serde_yaml::from_str(REFERENCE).expect("it is YAML")
}

/// The keys of a kind that the reference shows, in all its entries together.
fn shown(kind: &str) -> BTreeSet<String> {
    let entries = reference();
    let specs = entries.iter().filter_map(|entry| entry.get(kind));
    specs.flat_map(|spec| spec.as_object().expect("a map").keys().cloned()).collect()
}

#[test]
fn every_key_is_shown_and_nothing_else() {
    read(REFERENCE).expect("it is a sound playbook");
    for kind in KINDS {
        assert_eq!(shown(kind), keys_of_kind(kind), "`{kind}` in playbooks/reference.yaml");
    }
    let kinds: BTreeSet<String> = KINDS.iter().map(ToString::to_string).collect();
    let own: BTreeSet<String> = keys(&json!({ "no-such-key": 0 })).difference(&kinds).cloned().collect();
    let shown: BTreeSet<String> = reference().iter().flat_map(|entry| entry.keys().cloned()).collect();
    assert_eq!(shown.difference(&kinds).cloned().collect::<BTreeSet<_>>(), own, "the keys of an entry");
    assert!(kinds.is_subset(&shown), "{kinds:?} {shown:?}");
}

#[test]
fn every_key_has_its_comment() {
    let kinds: BTreeSet<&str> = KINDS.iter().copied().collect();
    let mut kind = "";
    for line in REFERENCE.lines() {
        let indent = line.len() - line.trim_start().len();
        let Some((key, rest)) = line.trim_start().split_once(':') else { continue };
        if indent == 2 {
            kind = if kinds.contains(key) { key } else { "" };
        }
        if indent == 4 && !kind.is_empty() && keys_of_kind(kind).contains(key) {
            let comment = rest.split_once(" # ").map_or("", |(_, comment)| comment);
            assert!(comment.len() > 8 || comment == "As above.", "`{kind}`: `{key}` has no comment");
        }
    }
}

/// What a resource of a group may have beside its kind.
#[test]
fn every_key_of_a_groups_resource_is_shown_and_nothing_else() {
    let kinds: BTreeSet<String> = KINDS.iter().map(ToString::to_string).collect();
    let of_member = keys(&json!({ "name": "x", "resources": [{ "no-such-key": 0 }] }));
    let own: BTreeSet<String> = of_member.difference(&kinds).cloned().collect();
    let members = reference().into_iter().filter_map(|mut entry| entry.remove("resources"));
    let members = members.flat_map(|list| list.as_array().expect("a list").clone());
    let shown: BTreeSet<String> =
        members.flat_map(|one| one.as_object().expect("a map").clone()).map(|(key, _)| key).collect();
    assert_eq!(shown.difference(&kinds).cloned().collect::<BTreeSet<_>>(), own);
}

/// The kinds' own files list their fields; serde lists the same ones. Were the error's list cut
/// short, this would show.
#[test]
fn serde_lists_all_keys() {
    for (kind, some) in [("unit", ["name", "timeout", "watches"]), ("release", ["version", "extras", "tree"])] {
        let keys = keys_of_kind(kind);
        assert!(some.iter().all(|key| keys.contains(*key)), "{keys:?}");
    }
    assert_eq!(keys_of_kind("symlink"), BTreeSet::from(["path".to_owned(), "target".to_owned()]));
}
