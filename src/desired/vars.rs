//! The values that templates and playbooks may name, and the playbooks filled in with them.

use super::{Choice, Operator};
use crate::act::Text;
use crate::config::Settings;
use crate::config::lock::{Lock, Release};
use crate::config::settings::PlatformName;
use crate::fault::Fault;
use crate::name::EnvName;
use crate::playbook::{DesiredState, Playbook, Renderer, Sources};
use crate::release::steps;
use anyhow::{Context, Result, bail};
use semver::Version;
use serde_json::{Map, Value, json};
use std::num::NonZeroU16;

/// What a host should be: the playbooks, filled in. `port` is where its SSH is today.
///
/// # Errors
/// When no release is pinned, or a playbook or template is not sound.
pub fn desired_state(
    choice: &Choice,
    port: u16,
    lock: &Lock,
    sources: &Sources,
    operator: &Operator<'_>,
) -> Result<DesiredState> {
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    let keys = keys(&choice.settings.admin.authorized_keys, operator)?;
    let mut vars = vars(choice, port, version, release, keys)?;
    vars.insert("egress".into(), super::egress::vars(&choice.settings, sources)?);
    let vars = Value::Object(vars);
    let renderer = Renderer::new(&sources.templates, &vars).map_err(|why| Fault::from(why).at("a template"))?;
    let mut playbooks = Vec::new();
    for (name, text) in sources.books() {
        playbooks.push(Playbook::read(&format!("playbooks/{name}"), text, &renderer).map_err(Fault::from)?);
    }
    let names = required_secrets(&choice.settings).into_iter().chain(provider_key(&choice.settings));
    let secrets =
        names.filter_map(|name| Some((name.clone(), Text::secret((operator.variable)(name.as_str())?)))).collect();
    Ok(DesiredState::new(playbooks, renderer, secrets, operator.seed.clone()))
}

/// What templates and playbooks may name.
fn vars(choice: &Choice, port: u16, version: &Version, release: &Release, keys: String) -> Result<Map<String, Value>> {
    let settings = &choice.settings;
    let Value::Object(mut vars) = serde_json::to_value(settings)? else { bail!("settings are a map") };
    let platform_names = settings.agent.platforms.keys().map(|name| name.as_str());
    let extras = steps::extras_for(&settings.agent.provider, platform_names);
    let users = |name: PlatformName| {
        let users =
            settings.agent.platforms.get(&name).map(|platform| platform.allowed_users.clone()).unwrap_or_default();
        users.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let own = json!({
        "admin": { "user": settings.admin.user, "authorized_keys": keys },
        "login": choice.target.user,
        "users": {
            "telegram": users(PlatformName::Telegram),
            "discord": users(PlatformName::Discord),
            "slack": users(PlatformName::Slack),
        },
        "secrets": {
            "required": words(required_secrets(settings)),
            "optional": words(provider_key(settings)),
        },
        "api_port": 8642,
        "ssh_port": settings.network.ssh_port.map_or(port, NonZeroU16::get),
        // Empty where SSH stays where it is.
        "moved_port": settings.network.ssh_port.map(|port| port.to_string()).unwrap_or_default(),
        "inbound": settings.network.inbound.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        "release": {
            "version": version, "source": release.source, "tag": release.tag, "commit": release.commit, "tree": release.tree,
            "archive_sha256": release.archive_sha256, "uv_lock_sha256": release.uv_lock_sha256,
            "extras": extras, "dir": steps::dir(version, release),
        },
    });
    if let Value::Object(own) = own {
        vars.extend(own);
    }
    Ok(vars)
}

fn words(names: impl IntoIterator<Item = EnvName>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
}

fn required_secrets(settings: &Settings) -> Vec<EnvName> {
    let tokens = settings.agent.platforms.keys().flat_map(|name| name.tokens());
    let mut names: Vec<EnvName> = tokens.filter_map(|name| EnvName::new(*name).ok()).collect();
    names.extend(settings.agent.secrets.iter().cloned());
    names.sort();
    names.dedup();
    names
}

/// The provider's own key: used when it is there, reported when it is not.
pub fn provider_key(settings: &Settings) -> Option<EnvName> {
    let name = settings.agent.provider.to_ascii_uppercase().replace(['-', '.'], "_");
    EnvName::new(format!("{name}_API_KEY")).ok().filter(|name| !settings.agent.secrets.contains(name))
}

/// Keys as given, or the contents of the files that are named.
fn keys(given: &[String], operator: &Operator<'_>) -> Result<String> {
    let mut keys = String::new();
    for word in given {
        if word.contains(' ') {
            keys.push_str(word);
        } else {
            let text = (operator.file)(word)
                .with_context(|| format!("admin.authorized_keys: cannot read the public key `{word}`"))?;
            keys.push_str(text.trim());
        }
        keys.push('\n');
    }
    Ok(keys)
}
