//! A backup that goes nowhere, to two places, or of which nothing is kept.

use super::{given, place};
use crate::config::backup::Backup;
use crate::config::settings::{Role, Settings};
use crate::config::store::Store;
use crate::fault::Fault;
use crate::yaml::Step;
use serde_json::Value;

type Found = (Vec<Step>, Fault);

pub fn first(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<Found> {
    let backup = settings.backup.as_ref().filter(|_| settings.role == Role::Agent)?;
    let at = |key: &str| place(raw, host, &["backup", key]);
    let whither = match (&backup.vault, &backup.repository) {
        (Some(_), Some(_)) => Some((
            at("repository"),
            Fault::new("backups go to one place: to a `vault` or to a `repository`")
                .hint("remove one of them; what all hosts have, a host takes back with `vault: null`"),
        )),
        (None, None) => Some((
            place(raw, host, &["backup"]),
            Fault::new("the backup goes nowhere").hint(
                "name a host of petasos.yaml that has `role: vault` (`vault: NAME`), or another place (`repository: ssh://…`)",
            ),
        )),
        (Some(name), None) => vaultless(raw, name).map(|fault| (at("vault"), fault)).or_else(|| unread(backup, &at)),
        (None, Some(store)) => elsewhere(raw, host, backup, store),
    };
    whither.or_else(|| nothing(backup, &at)).or_else(|| nameless(host))
}

/// A vault that is none.
fn vaultless(raw: &Value, name: &str) -> Option<Fault> {
    let hosts = || raw.get("hosts").and_then(Value::as_object).into_iter().flatten();
    let is_vault = |(_, host): &(&String, &Value)| host.get("role").and_then(Value::as_str) == Some("vault");
    let vaults: Vec<&str> = hosts().filter(is_vault).map(|(name, _)| name.as_str()).collect();
    if vaults.contains(&name) {
        return None;
    }
    let message = match hosts().any(|(known, _)| known == name) {
        true => format!("the host `{name}` is no vault"),
        false => format!("petasos.yaml has no host `{name}`"),
    };
    let hint = match vaults[..] {
        [] => format!(
            "give a host of its own `role: vault`: `hosts: {{ {name}: {{ address: root@203.0.113.9, role: vault }} }}`"
        ),
        _ => format!("the vaults here are {}", vaults.join(", ")),
    };
    Some(Fault::new(message).hint(hint))
}

/// What is of a repository, where there is a vault.
fn unread(backup: &Backup, at: &dyn Fn(&str) -> Vec<Step>) -> Option<Found> {
    backup.host_key.as_ref()?;
    let fault = Fault::new("`host_key` is of a `repository`: a vault's own key is in petasos.lock");
    Some((at("host_key"), fault.hint("remove it")))
}

/// A place whose key nobody knows, or of which something is said that only a vault reads.
fn elsewhere(raw: &Value, host: Option<&str>, backup: &Backup, store: &Store) -> Option<Found> {
    let at = |key: &str| place(raw, host, &["backup", key]);
    match (store.login(), &backup.host_key) {
        (Some(login), None) => {
            let fault = Fault::new(format!("nobody knows the host key of `{}`", login.host));
            return Some((
                at("repository"),
                fault.hint(format!(
                    "`ssh-keyscan -t ed25519 -p {} {}` shows one: compare its fingerprint with what the provider says, and write `host_key: \"ssh-ed25519 AAAA…\"` beside it",
                    login.port, login.host
                )),
            ));
        }
        (None, Some(_)) => {
            let fault = Fault::new("a bucket has no host key: it is known by its certificate");
            return Some((at("host_key"), fault.hint("remove it")));
        }
        _ => {}
    }
    let of_vaults = ["address", "limit"];
    let key = of_vaults.into_iter().find(|key| {
        let beside = |host| given(raw, host, &["backup", "repository"]) && given(raw, host, &["backup", key]);
        beside(host) || beside(None)
    })?;
    let fault = Fault::new(format!("`{key}` is of a vault, and nothing reads it beside `repository`"));
    Some((at(key), fault.hint("remove it; how much room there is, the provider decides")))
}

/// Nothing that is kept, or nobody who is told.
fn nothing(backup: &Backup, at: &dyn Fn(&str) -> Vec<Step>) -> Option<Found> {
    if backup.alarm.as_ref().is_some_and(|alarm| !alarm.any()) {
        let fault = Fault::new("the alarm tells nobody");
        return Some((
            at("alarm"),
            fault.hint("give it a `webhook`, an `email` or a `command`, or write `alarm: off`"),
        ));
    }
    if !backup.keep.any() {
        let fault = Fault::new("nothing would be kept");
        return Some((at("keep"), fault.hint("keep some days, weeks or months, or remove `keep`")));
    }
    None
}

/// A name that cannot be a folder's there.
fn nameless(host: Option<&str>) -> Option<Found> {
    let plain =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && !name.starts_with('.');
    host.filter(|host| !plain(host)).map(|host| {
        let fault = Fault::new(format!("`{host}` cannot be backed up: its name would be a folder's there"));
        let path = ["hosts", host].map(|key| Step::Key(key.to_owned())).into();
        (path, fault.hint("give it a name of letters, digits, `.`, `_` and `-`"))
    })
}
