//! The secrets that a host may have, and where each is made anew.

use super::secrets;
use crate::config::Settings;
use crate::config::backup::Backup;
use crate::config::packs::AgentNeeds;
use crate::name::EnvName;
use crate::playbook::Sources;
use crate::yaml;
use anyhow::{Result, anyhow};
use std::collections::{BTreeMap, BTreeSet};

/// Where the pages lie among the playbooks.
const FILE: &str = "data/rotation.yaml";

/// The page for each name.
///
/// # Errors
/// When the list is missing or not sound.
pub fn pages(sources: &Sources) -> Result<BTreeMap<String, String>> {
    let text = sources.playbooks.get(FILE).ok_or_else(|| anyhow!("playbooks/{FILE} is missing"))?;
    Ok(yaml::read(&format!("playbooks/{FILE}"), text)?)
}

/// All that the agent, its backup or the alarm may have.
pub fn names<'a>(settings: &'a Settings, needs: &'a AgentNeeds) -> BTreeSet<&'a EnvName> {
    let of_backup = settings.backup.iter().flat_map(Backup::secrets);
    secrets::required(settings, needs).into_iter().chain(&needs.keys).chain(of_backup).collect()
}
