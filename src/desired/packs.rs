//! The table of providers and platforms, asked for one host's agent.

use crate::config::Settings;
use crate::config::packs::{AgentNeeds, Asked, Packs};
use crate::name::EnvName;
use crate::playbook::Sources;
use anyhow::{Result, anyhow};

/// Where the table lies among the playbooks.
const FILE: &str = "data/packs.yaml";

/// # Errors
/// When it is missing or not sound.
pub fn read(sources: &Sources) -> Result<Packs> {
    let text = sources.playbooks.get(FILE).ok_or_else(|| anyhow!("playbooks/{FILE} is missing"))?;
    Packs::read(&format!("playbooks/{FILE}"), text).map_err(|why| anyhow!(why))
}

/// What the settings ask the table for.
pub fn asked(settings: &Settings) -> Asked<'_> {
    let Settings { agent, network, .. } = settings;
    Asked {
        provider: &agent.provider,
        base_url: agent.base_url.as_deref(),
        platforms: agent.platforms.keys().map(|name| name.as_str()).collect(),
        packs: &network.egress.packs,
        allow: &network.egress.allow,
    }
}

/// # Errors
/// As for [`read`], and when the agent cannot be set up as it is asked for.
pub fn needs(settings: &Settings, sources: &Sources) -> Result<AgentNeeds> {
    Ok(read(sources)?.needs(&asked(settings))?)
}

/// The servers that the agent's conversations may go to.
///
/// # Errors
/// As for [`needs`].
pub fn servers(settings: &Settings, sources: &Sources) -> Result<Vec<String>> {
    Ok(read(sources)?.models(&asked(settings))?)
}

/// The provider's keys of which one is enough, unless the user names one as a secret that must be
/// there.
pub fn provider_keys<'a>(settings: &Settings, needs: &'a AgentNeeds) -> &'a [EnvName] {
    let chosen = needs.keys.iter().any(|key| settings.agent.secrets.contains(key));
    if chosen { &[] } else { &needs.keys }
}

/// The first key that was given.
pub fn given_key(keys: &[EnvName], given: impl Fn(&EnvName) -> bool) -> Option<&EnvName> {
    keys.iter().find(|key| given(key))
}
