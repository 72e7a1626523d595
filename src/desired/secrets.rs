//! The secrets of an agent: which it needs, and from where they come.

use super::{Operator, packs};
use crate::config::Settings;
use crate::config::backup::Backup;
use crate::config::packs::AgentNeeds;
use crate::name::EnvName;
use std::collections::BTreeSet;

/// The names of those that go to the host, as far as the caller or the host has them.
pub struct Secrets {
    pub required: Vec<EnvName>,
    /// Used when they are there.
    pub optional: Vec<EnvName>,
}

impl Secrets {
    pub fn of(settings: &Settings, needs: &AgentNeeds, operator: &Operator<'_>) -> Self {
        let keys = packs::provider_keys(settings, needs);
        // The environment wins, whichever name it has the key by.
        let given = packs::given_key(keys, |name| is_set(operator.variable, name))
            .or_else(|| packs::given_key(keys, |name| (operator.stored)(name).is_some()));
        // The agent would go on with an older one that it prefers, so only the one that is given
        // stays; without any, the host keeps what it has.
        let optional = given.map_or_else(|| keys.to_vec(), |key| vec![key.clone()]);
        Self { required: required(settings, needs).into_iter().cloned().collect(), optional }
    }
}

/// Those that must be there.
pub fn required<'a>(settings: &'a Settings, needs: &'a AgentNeeds) -> BTreeSet<&'a EnvName> {
    needs.tokens.iter().chain(&settings.agent.secrets).collect()
}

/// Whether the environment lacks one that the agent or the backup needs, or all of the keys of
/// which one is enough. `needs` is none of a host without an agent.
pub fn lacks_any(settings: &Settings, needs: Option<&AgentNeeds>, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let set = |name: &EnvName| is_set(variable, name);
    let agent = needs.is_some_and(|needs| {
        let keys = packs::provider_keys(settings, needs);
        !required(settings, needs).into_iter().all(set) || !keys.is_empty() && packs::given_key(keys, set).is_none()
    });
    // A vault dials nowhere: it tells people.
    let told = || settings.backup.iter().flat_map(Backup::secrets).all(set);
    agent || !told()
}

/// An empty variable is a variable that was not set.
fn is_set(variable: &dyn Fn(&str) -> Option<String>, name: &EnvName) -> bool {
    variable(name.as_str()).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Text;
    use crate::playbook::Sources;
    use anyhow::bail;
    use std::collections::BTreeMap;

    fn joined(names: &[EnvName]) -> String {
        names.iter().map(EnvName::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The secrets of an agent, with these variables in the caller's environment.
    fn secrets(agent: &str, environment: &[(&str, &str)]) -> (String, String) {
        with_stored(agent, environment, &[])
    }

    /// The same, with these names in the file of secrets.
    fn with_stored(agent: &str, environment: &[(&str, &str)], stored: &[&str]) -> (String, String) {
        let settings: Settings = serde_yaml::from_str(&format!("agent: {{ {agent} }}")).unwrap();
        let needs = packs::needs(&settings, &Sources::embedded()).unwrap();
        let given = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let given: BTreeMap<String, String> = given.collect();
        let operator = Operator {
            variable: &|name| given.get(name).cloned(),
            stored: &|name| stored.contains(&name.as_str()).then(|| Text::secret("stored")),
            file: &|name| bail!("nobody reads {name}"),
            seed: Text::secret(String::new()),
        };
        let secrets = Secrets::of(&settings, &needs, &operator);
        (joined(&secrets.required), joined(&secrets.optional))
    }

    #[test]
    fn the_first_key_that_is_given_goes_to_the_host() {
        let gemini = |environment| secrets("provider: gemini", environment).1;
        assert_eq!(gemini(&[("GEMINI_API_KEY", "a")]), "GEMINI_API_KEY");
        assert_eq!(gemini(&[("GEMINI_API_KEY", "a"), ("GOOGLE_API_KEY", "b")]), "GOOGLE_API_KEY");
        assert_eq!(gemini(&[("GEMINI_API_KEY", "a"), ("GOOGLE_API_KEY", "")]), "GEMINI_API_KEY");
        // The host keeps whichever it has.
        assert_eq!(gemini(&[]), "GOOGLE_API_KEY GEMINI_API_KEY");
        let both = [("GEMINI_API_KEY", "a"), ("GOOGLE_API_KEY", "b")];
        let chosen = secrets("provider: gemini, secrets: [GEMINI_API_KEY]", &both);
        assert_eq!(chosen, ("GEMINI_API_KEY".to_owned(), String::new()));
    }

    #[test]
    fn the_environment_wins_by_whichever_name() {
        let gemini = |environment, stored| with_stored("provider: gemini", environment, stored).1;
        let both = ["GOOGLE_API_KEY", "GEMINI_API_KEY"];
        assert_eq!(gemini(&[], &both), "GOOGLE_API_KEY");
        assert_eq!(gemini(&[], &["GEMINI_API_KEY"]), "GEMINI_API_KEY");
        assert_eq!(gemini(&[("GEMINI_API_KEY", "a")], &both), "GEMINI_API_KEY");
        assert_eq!(gemini(&[("GEMINI_API_KEY", "")], &both), "GOOGLE_API_KEY");
        let operator = Operator {
            variable: &|name| (name != "UNSET").then(|| if name == "EMPTY" { String::new() } else { "set".into() }),
            stored: &|_| Some(Text::secret("stored")),
            file: &|name| bail!("nobody reads {name}"),
            seed: Text::secret(String::new()),
        };
        let value = |name: &str| operator.secret(&EnvName::new(name).unwrap()).unwrap().reveal().to_owned();
        assert_eq!([value("SET"), value("EMPTY"), value("UNSET")], ["set", "stored", "stored"]);
    }

    #[test]
    fn the_file_is_opened_only_where_the_environment_lacks_something() {
        let lacks = |agent: &str, set: &[&str]| {
            let settings: Settings = serde_yaml::from_str(&format!("agent: {{ {agent} }}")).unwrap();
            let needs = packs::needs(&settings, &Sources::embedded()).unwrap();
            lacks_any(&settings, Some(&needs), &|name| set.contains(&name).then(|| "a".to_owned()))
        };
        assert!(!lacks("provider: nous", &[]), "a login needs no secret");
        assert!(lacks("provider: gemini", &[]));
        assert!(!lacks("provider: gemini", &["GEMINI_API_KEY"]), "one of its keys is enough");
        assert!(lacks("provider: gemini, secrets: [X]", &["GEMINI_API_KEY"]));
        assert!(!lacks("provider: gemini, secrets: [X]", &["GEMINI_API_KEY", "X"]));
    }

    /// Of a vault too, which runs no agent and tells people.
    #[test]
    fn what_the_backup_takes_is_looked_for_as_well() {
        let lacks = |backup: &str, set: &[&str]| {
            let settings: Settings = serde_yaml::from_str(&format!("backup: {{ {backup} }}")).unwrap();
            lacks_any(&settings, None, &|name| set.contains(&name).then(|| "a".to_owned()))
        };
        let bucket = "repository: 's3:https://s3.example.com/petasos'";
        assert!(!lacks("vault: box", &[]));
        assert!(lacks("vault: box, alarm: { webhook: ALARM_URL }", &[]));
        assert!(!lacks("vault: box, alarm: { webhook: ALARM_URL }", &["ALARM_URL"]));
        assert!(lacks(bucket, &["AWS_ACCESS_KEY_ID"]));
        assert!(!lacks(bucket, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]));
    }

    #[test]
    fn tokens_must_be_there_and_a_login_has_none() {
        let agent = "provider: nous, platforms: { slack: {} }, secrets: [X]";
        assert_eq!(
            secrets(agent, &[("NOUS_API_KEY", "a")]),
            ("SLACK_APP_TOKEN SLACK_BOT_TOKEN X".into(), String::new())
        );
    }
}
