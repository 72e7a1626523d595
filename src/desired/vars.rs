//! The values that templates and playbooks may name, and the playbooks filled in with them.

use super::secrets::Secrets;
use super::{Choice, Operator, backup, keys, packs};
use crate::act::Text;
use crate::addresses::API_PORT;
use crate::config::Config;
use crate::config::backup::Backup;
use crate::config::lock::{LockFile, Release};
use crate::config::platform::PlatformName;
use crate::config::settings::Role;
use crate::fault::Fault;
use crate::incident;
use crate::name::EnvName;
use crate::playbook::{DesiredState, Playbook, Renderer, Sources};
use crate::release::{python, reviewed, steps};
use anyhow::{Result, bail};
use semver::Version;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a host should be: the playbooks, filled in.
///
/// # Errors
/// When no release is pinned, or a playbook or template is not sound.
pub fn desired_state(
    choice: &Choice,
    config: &Config,
    lock: &LockFile,
    sources: &Sources,
    operator: &Operator<'_>,
) -> Result<DesiredState> {
    let settings = &choice.settings;
    let keys = keys::all(&settings.admin.authorized_keys, operator.file)?;
    let mut vars = vars(choice, &keys)?;
    let mut secrets = match settings.role {
        Role::Agent => agent_vars(choice, lock, sources, operator, &mut vars)?,
        Role::Vault => BTreeMap::new(),
    };
    let of_backup = settings.backup.iter().flat_map(Backup::secrets);
    secrets.extend(of_backup.filter_map(|name| Some((name.clone(), operator.secret(name)?))));
    vars.extend(backup::vars(choice, config, lock)?.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let vars = Value::Object(vars);
    let renderer = Renderer::new(&sources.templates, &vars).map_err(|fault| fault.at("a template"))?;
    let mut playbooks = Vec::new();
    for (name, text) in sources.books(settings.role) {
        let playbook = Playbook::read(&format!("playbooks/{name}"), text, &renderer)?;
        playbooks.push(known_controls(playbook)?);
    }
    let desired = DesiredState::new(playbooks, renderer, secrets, operator.seed.clone());
    Ok(desired.with_lessons(backup::lessons(settings)?))
}

/// What only a host with an agent has; returns the secrets that go to it.
fn agent_vars(
    choice: &Choice,
    lock: &LockFile,
    sources: &Sources,
    operator: &Operator<'_>,
    vars: &mut Map<String, Value>,
) -> Result<BTreeMap<EnvName, Text>> {
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    let settings = &choice.settings;
    let needs = packs::needs(settings, sources)?;
    let secrets = Secrets::of(settings, &needs, operator);
    vars.insert("release".into(), release_vars(version, release, &needs.extras));
    vars.insert(
        "secrets".into(),
        json!({ "required": joined(&secrets.required), "optional": joined(&secrets.optional) }),
    );
    vars.insert("egress".into(), super::egress::vars(settings, sources)?);
    vars.insert("policy".into(), format!("{:#}", super::policy::policy(settings, sources, version, release)?).into());
    vars.insert("servers".into(), format!("{:#}", Value::from(packs::servers(settings, sources)?)).into());
    vars.insert("places".into(), crate::places::vars(needs.login));
    let names = secrets.required.into_iter().chain(secrets.optional);
    Ok(names.filter_map(|name| Some((name.clone(), operator.secret(&name)?))).collect())
}

/// A playbook whose every `control` is one that `petasos verify` judges.
fn known_controls(playbook: Playbook) -> Result<Playbook> {
    let known: Vec<&str> = crate::verify::registry().iter().map(|control| control.id).collect();
    for entry in &playbook.entries {
        if let Some(id) = entry.controls.iter().find(|id| !known.contains(&id.as_str())) {
            let (name, book, known) = (&entry.name, &playbook.name, known.join(", "));
            bail!(
                Fault::new(format!("`{name}` in {book}: there is no control `{id}`"))
                    .hint(format!("`control` takes one of {known}"))
            );
        }
    }
    Ok(playbook)
}

/// What templates and playbooks may name.
fn vars(choice: &Choice, keys: &str) -> Result<Map<String, Value>> {
    let settings = &choice.settings;
    let Value::Object(mut vars) = serde_json::to_value(settings)? else { bail!("settings are a map") };
    let users = PlatformName::ALL.map(|name| {
        let users = settings.agent.platforms.get(&name).map(|platform| platform.allowed_users.iter());
        let users: Vec<String> = users.into_iter().flatten().map(ToString::to_string).collect();
        (name.as_str(), users.join(","))
    });
    let own = json!({
        "admin": { "user": settings.admin.user, "authorized_keys": keys },
        "login": choice.target.user,
        "users": BTreeMap::from(users),
        "api_port": API_PORT,
        "incident": { "folder": incident::FOLDER, "marker": incident::MARKER },
        // Empty where SSH stays where it is, which only the host knows.
        "moved_port": settings.network.ssh_port.map(|port| port.to_string()).unwrap_or_default(),
        "inbound": joined(&settings.network.inbound),
        "sandbox_packages": joined(settings.agent.sandbox.as_ref().map_or(&[], |sandbox| &sandbox.packages)),
    });
    if let Value::Object(own) = own {
        vars.extend(own);
    }
    Ok(vars)
}

/// Whether anybody has looked at the source of this host's release: `up` changes nothing before.
///
/// # Errors
/// Nobody has.
pub fn reviewed_release(choice: &Choice, lock: &LockFile) -> Result<()> {
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    reviewed::policy(version, release).map(drop).map_err(|fault| fault.at(&choice.label).into())
}

fn release_vars(version: &Version, release: &Release, extras: &BTreeSet<String>) -> Value {
    // Of a release that nobody has looked at there are none, and the agent does not start with it.
    let files = reviewed::policy(version, release).map(|policy| policy.files).unwrap_or_default();
    // A lock of an older petasos names none, and one that fits none is said where it is needed.
    let chosen = || python::choose(&release.requires_python, &python::table().ok()?).ok()?;
    let pythons = release.python.clone().or_else(chosen);
    json!({
        "version": version, "source": release.source, "tag": release.tag, "commit": release.commit, "tree": release.tree,
        "archive_sha256": release.archive_sha256, "uv_lock_sha256": release.uv_lock_sha256,
        "extras": steps::with_messaging(extras), "dir": steps::dir(version, release), "files": files,
        "requires_python": release.requires_python, "python": pythons,
    })
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
