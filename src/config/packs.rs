//! What providers and platforms need: names to reach, keys and tokens, optional dependencies. Data,
//! in `playbooks/data/packs.yaml`; nothing here knows a provider by its name.

use super::KeyFault;
use super::base_url::BaseUrl;
use super::egress::Allowed;
use crate::fault::Fault;
use crate::name::EnvName;
use crate::{wording, yaml};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where petasos.yaml has them.
const PROVIDER: [&str; 2] = ["agent", "provider"];
const BASE_URL: [&str; 2] = ["agent", "base_url"];

/// The table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packs {
    /// Names that come together, for agents that ask for them.
    #[serde(default)]
    pub packs: BTreeMap<String, Vec<Allowed>>,
    pub providers: BTreeMap<String, Provider>,
    pub platforms: BTreeMap<String, Platform>,
}

/// Who serves the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// What it is reached by, at its usual address.
    pub names: Vec<Allowed>,
    /// Where the agent reads its key from: the first one that is there.
    pub keys: Vec<EnvName>,
    /// It takes no key: the agent is logged in on the host.
    pub login: bool,
    /// Of the agent's package.
    pub extras: BTreeSet<String>,
    pub base_url: Policy,
    /// What people call it; the agent itself may know it by none of them.
    pub aliases: BTreeSet<String>,
}

/// What the agent makes of `agent.base_url`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    #[default]
    Honoured,
    Ignored,
    Required,
    /// Honoured where such an address speaks Anthropic's API, else ignored.
    Anthropic,
}

/// A messaging platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Without these it cannot work.
    pub needs: Vec<String>,
    pub names: Vec<Allowed>,
    /// The secrets without which the agent cannot log in there.
    pub tokens: Vec<EnvName>,
    #[serde(default)]
    pub extras: BTreeSet<String>,
}

/// What one agent is to use.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    pub provider: &'a str,
    pub base_url: Option<&'a str>,
    pub platforms: Vec<&'a str>,
    pub packs: &'a [String],
    pub allow: &'a [Allowed],
}

/// What comes with that, beside names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentNeeds {
    /// Where the agent reads the provider's key from, in its order of preference.
    pub keys: Vec<EnvName>,
    pub login: bool,
    pub tokens: BTreeSet<EnvName>,
    pub extras: BTreeSet<String>,
}

impl Packs {
    /// Reads the table.
    ///
    /// # Errors
    /// What is wrong, with line and caret.
    pub fn read(file: &str, text: &str) -> Result<Self, Fault> {
        let packs: Self = yaml::read(file, text)?;
        let keys = packs.providers.values().flat_map(|provider| &provider.keys);
        let mut secrets = keys.chain(packs.platforms.values().flat_map(|platform| &platform.tokens));
        match secrets.find(|name| name.is_open()) {
            Some(name) => Err(Fault::new(format!("`{name}` in {file}: a name cannot contain `{{{{` here"))),
            None => Ok(packs),
        }
    }

    /// The provider that is meant, if the agent can be set up for it.
    fn provider(&self, asked: &Asked<'_>) -> Result<&Provider, KeyFault> {
        let id = asked.provider;
        let provider = self.providers.get(id).ok_or_else(|| KeyFault::of(&PROVIDER, self.unknown(id)))?;
        if let Some(scheme) = asked.base_url.and_then(BaseUrl::foreign_scheme) {
            let fault = Fault::new(format!("agent.base_url: the agent speaks no `{scheme}`"));
            return Err(KeyFault::of(&BASE_URL, fault.hint("write an address such as `https://llm.example.org/v1`")));
        }
        let own = "for a server of your own set `agent.provider: custom`";
        let wrong =
            |key: &[&str], message: String, hint: String| Err(KeyFault::of(key, Fault::new(message).hint(hint)));
        match (provider.base_url, asked.base_url.map(BaseUrl::of)) {
            (Policy::Required, None) => wrong(
                &PROVIDER,
                format!("agent.provider: `{id}` has no usual address"),
                "give the server's address as `agent.base_url`".into(),
            ),
            (Policy::Ignored, Some(_)) => wrong(
                &BASE_URL,
                format!("agent.base_url: the agent ignores it for the provider `{id}`"),
                format!("remove `agent.base_url`, or {own}"),
            ),
            (Policy::Anthropic, Some(url)) if !url.suits_anthropic() => wrong(
                &BASE_URL,
                format!(
                    "agent.base_url: for the provider `{id}` the agent ignores an address that does not speak Anthropic's API"
                ),
                format!("its path must end in `/anthropic`, or its host be one of Anthropic's or Azure's; {own}"),
            ),
            _ => Ok(provider),
        }
    }

    /// The platforms that are meant, each with its name.
    fn platforms<'a>(&'a self, asked: &Asked<'a>) -> Result<Vec<(&'a str, &'a Platform)>, KeyFault> {
        let line = |name: &&'a str| {
            let platform = self.platforms.get(*name).ok_or_else(|| {
                let fault = Fault::new(format!("agent.platforms: `{name}` has no line in playbooks/data/packs.yaml"));
                KeyFault::of(
                    &["agent", "platforms", name],
                    fault.hint("`petasos init --eject` writes the built-in table"),
                )
            });
            platform.map(|platform| (*name, platform))
        };
        asked.platforms.iter().map(line).collect()
    }

    fn unknown(&self, id: &str) -> Fault {
        let lower = id.to_ascii_lowercase();
        let alias =
            self.providers.iter().find(|(known, provider)| **known == lower || provider.aliases.contains(&lower));
        let hint = match alias {
            Some((meant, _)) => format!("did you mean `{meant}`?"),
            None => {
                let near = wording::nearest(&lower, self.providers.keys().map(String::as_str));
                let near = near.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                let known = self.providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                format!(
                    "{near}known are {known}; for a server of your own set `agent.provider: custom` and `agent.base_url`; any other provider of the agent's needs a line in playbooks/data/packs.yaml (`petasos init --eject`)"
                )
            }
        };
        Fault::new(format!("agent.provider: unknown provider `{id}`")).hint(hint)
    }

    /// What one agent needs, beside names.
    ///
    /// # Errors
    /// When the provider is unknown, or would ignore the address that is given for it.
    pub fn needs(&self, asked: &Asked<'_>) -> Result<AgentNeeds, KeyFault> {
        let provider = self.provider(asked)?;
        let platforms = self.platforms(asked)?;
        let platforms = || platforms.iter().map(|(_, platform)| platform);
        let url = asked.base_url.map(BaseUrl::of);
        let own_server = provider.keys.is_empty() && !provider.login;
        let anthropic = url.as_ref().is_some_and(BaseUrl::speaks_anthropic).then(|| "anthropic".to_owned());
        Ok(AgentNeeds {
            keys: url.filter(|_| own_server).map_or_else(|| provider.keys.clone(), |url| url.keys()),
            login: provider.login,
            tokens: platforms().flat_map(|platform| &platform.tokens).cloned().collect(),
            extras: platforms()
                .flat_map(|platform| &platform.extras)
                .chain(&provider.extras)
                .cloned()
                .chain(anthropic)
                .collect(),
        })
    }

    /// The servers that one agent's conversations may go to: the provider's, and those that the
    /// user allows by hand; `*.` before a name is every name below, after a colon comes a port
    /// that is not HTTPS's.
    ///
    /// # Errors
    /// As for [`Packs::needs`].
    pub fn models(&self, asked: &Asked<'_>) -> Result<Vec<String>, KeyFault> {
        let provider = self.provider(asked)?;
        let own = match asked.base_url {
            Some(url) => vec![BaseUrl::of(url).server()],
            None => provider.names.iter().map(ToString::to_string).collect(),
        };
        let servers: BTreeSet<String> = own.into_iter().chain(asked.allow.iter().map(ToString::to_string)).collect();
        Ok(servers.into_iter().collect())
    }

    /// All that one agent may reach.
    ///
    /// # Errors
    /// As for [`Packs::needs`]; and a contradiction: something is enabled whose names are not
    /// allowed.
    pub fn names(&self, asked: &Asked<'_>) -> Result<BTreeSet<Allowed>, KeyFault> {
        let provider = self.provider(asked)?;
        let mut names: BTreeSet<Allowed> = asked.allow.iter().cloned().collect();
        for (at, id) in asked.packs.iter().enumerate() {
            let pack = self.packs.get(id).ok_or_else(|| {
                let known = self.packs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let near = wording::nearest(id, self.packs.keys().map(String::as_str));
                let near = near.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                let fault = Fault::new(format!("network.egress.packs: unknown pack `{id}`"));
                KeyFault::of(&["network", "egress", "packs"], fault.hint(format!("{near}known are {known}"))).entry(at)
            })?;
            names.extend(pack.iter().cloned());
        }
        match asked.base_url {
            Some(url) => {
                let own = BaseUrl::of(url).allowed().map_err(|fault| KeyFault::of(&BASE_URL, fault))?;
                names.insert(own);
            }
            None => names.extend(provider.names.iter().cloned()),
        }
        for (platform, pack) in self.platforms(asked)? {
            names.extend(pack.names.iter().cloned());
            let lacks = pack.needs.iter().find(|name| !names.iter().any(|allowed| allowed.covers(name)));
            if let Some(name) = lacks {
                let fault = Fault::new(format!("{platform} is enabled, but {name} is not allowed"))
                    .hint("allow it under `network.egress.allow`, or in playbooks/data/packs.yaml");
                return Err(KeyFault::of(&["agent", "platforms", platform], fault));
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests;
