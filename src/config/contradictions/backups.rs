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
                .hint("remove one of them; what all hosts have, a host takes back with `vault: null`, or with `repository: null`"),
        )),
        (None, None) => Some((
            place(raw, host, &["backup"]),
            Fault::new("the backup goes nowhere").hint(
                "name a host of petasos.yaml that has `role: vault` (`vault: NAME`), or another place (`repository: ssh://…`)",
            ),
        )),
        (Some(name), None) => vaultless(raw, name).map(|fault| (at("vault"), fault)).or_else(|| {
            // What all hosts have, another may read.
            let unread = beside(raw, host, "vault", "host_key");
            let fault = Fault::new("`host_key` is of a `repository`: a vault's own key is in petasos.lock");
            unread.then(|| (at("host_key"), fault.hint("remove it")))
        }),
        (None, Some(store)) => elsewhere(raw, host, backup, store).or_else(|| shared(raw, host, settings, store)),
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

/// Whether two keys stand side by side: in a host's own words, or in those for all.
fn beside(raw: &Value, host: Option<&str>, one: &str, other: &str) -> bool {
    let both = |scope| given(raw, scope, &["backup", one]) && given(raw, scope, &["backup", other]);
    both(host) || both(None)
}

/// A secret that the agent is to have too: whoever talks it into something has the backups then.
fn shared(raw: &Value, host: Option<&str>, settings: &Settings, store: &Store) -> Option<Found> {
    let name = settings.agent.secrets.iter().find(|name| store.secrets().contains(name))?;
    let fault = Fault::new(format!("the agent would have `{name}`, which opens its backups"));
    let hint = "take it out of `agent.secrets`: backups go to a bucket with keys of its own, which no agent has";
    Some((place(raw, host, &["agent", "secrets"]), fault.hint(hint)))
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
        (None, Some(_)) if beside(raw, host, "repository", "host_key") => {
            let fault = Fault::new("a bucket has no host key: it is known by its certificate");
            return Some((at("host_key"), fault.hint("remove it")));
        }
        _ => {}
    }
    let of_vaults = ["address", "limit"];
    let key = of_vaults.into_iter().find(|key| beside(raw, host, "repository", key))?;
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
