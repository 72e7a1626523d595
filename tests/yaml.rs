//! Whatever stands in petasos.yaml or in a playbook, reading it ends in a value or in an error for
//! people.
use petasos::config::Config;
use petasos::fault::Fault;
use petasos::playbook::{Playbook, Renderer};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

const CONFIG: &str = "\
hosts:
  staging: { address: \"root@198.51.100.10:22\", agent: { limits: { memory: 4G } } }
admin: { user: ops, authorized_keys: [~/.ssh/id_ed25519.pub] }
agent: { provider: openrouter, platforms: { slack: { allowed_users: [1, me] } }, secrets: [OPENROUTER_API_KEY] }
network: { inbound: [80/tcp], egress: { mode: ports } }
";
const PLAYBOOK: &str = include_str!("../playbooks/10-base.yaml");

fn config(text: &str) -> Result<Config, Fault> {
    let config = Config::read("petasos.yaml", text)?;
    for name in config.names() {
        // What was read can be used.
        config.settings(Some(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    Ok(config)
}

fn playbook(text: &str) -> Result<Playbook, Fault> {
    let vars = json!({ "admin": { "user": "ops", "authorized_keys": "" }, "login": "root", "moved_port": "", "inbound": "", "sandbox_packages": "" });
    Playbook::read("playbook.yaml", text, &Renderer::new(&BTreeMap::new(), &vars)?)
}

/// A sound text with a part taken out and another put in.
fn damaged(sound: &'static str) -> impl Strategy<Value = String> {
    let piece =
        prop_oneof!["\\PC{0,12}", "[-:{}\\[\\]&*!|>'\"%@`#, \n\t]{0,6}", Just("{{ x".into()), Just("{% if".into())];
    (any::<prop::sample::Index>(), 0usize..40, piece).prop_map(|(at, length, piece)| {
        let chars: Vec<char> = sound.chars().collect();
        let at = at.index(chars.len());
        let (before, after) = (&chars[..at], &chars[(at + length).min(chars.len())..]);
        before.iter().copied().chain(piece.chars()).chain(after.iter().copied()).collect()
    })
}

fn is_for_people(error: &Fault) {
    let error = error.to_string();
    assert!(!error.trim().is_empty() && !error.contains("panicked"), "{error:?}");
}

#[test]
fn the_sound_texts_are_sound() {
    config(CONFIG).unwrap_or_else(|why| panic!("{why}"));
    playbook(PLAYBOOK).unwrap_or_else(|why| panic!("{why}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_a_config_or_an_error(text in "(?s).{0,80}") {
        config(&text).map_or_else(|error| is_for_people(&error), |_| ());
    }

    #[test]
    fn any_text_is_a_playbook_or_an_error(text in "(?s).{0,80}") {
        playbook(&text).map_or_else(|error| is_for_people(&error), |_| ());
    }

    #[test]
    fn a_damaged_config_is_a_config_or_an_error(text in damaged(CONFIG)) {
        config(&text).map_or_else(|error| is_for_people(&error), |_| ());
    }

    #[test]
    fn a_damaged_playbook_is_a_playbook_or_an_error(text in damaged(PLAYBOOK)) {
        playbook(&text).map_or_else(|error| is_for_people(&error), |_| ());
    }
}
