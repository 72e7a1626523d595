//! What a host is told of other hosts, so that backups find their way: an agent's of its vault, a
//! vault of those whose backups it keeps. The keys are those that petasos.lock learned.

pub mod store;

use super::Choice;
use crate::config::backup::Backup;
use crate::config::lesson::Lesson;
use crate::config::lock::LockFile;
use crate::config::quantity::Size;
use crate::config::settings::Role;
use crate::config::store::Way;
use crate::config::{Config, Settings};
use crate::fault::Fault;
use crate::name::{AbsPath, EnvName, PublicKey};
use crate::verify::claims::Vault;
use anyhow::Result;
use core::net::IpAddr;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where a vault keeps what comes in, a folder for each host.
pub const STORE: &str = "/srv/petasos-vault";

/// As whom hosts log in there.
const USER: &str = "petasos-vault";

/// What petasos.lock is to keep of a host, and where the host says it.
///
/// # Errors
/// None that a path of ours could cause.
pub fn lessons(settings: &Settings) -> Result<Vec<(Lesson, AbsPath)>, Fault> {
    let all: &[(Lesson, &str)] = match settings.role {
        Role::Agent if settings.backup.is_none() => &[],
        Role::Agent => &[(Lesson::BackupKey, "/etc/petasos/backup/key.pub")],
        Role::Vault => {
            &[(Lesson::SshKey, "/etc/ssh/ssh_host_ed25519_key.pub"), (Lesson::Admits, "/etc/petasos/vault/keys")]
        }
    };
    all.iter().map(|(what, path)| Ok((*what, AbsPath::new(*path)?))).collect()
}

/// The values that other hosts decide: `backup` of an agent, `vault` of a vault; null where there
/// is none.
///
/// # Errors
/// When two hosts show the same key.
pub fn vars(choice: &Choice, config: &Config, lock: &LockFile) -> Result<BTreeMap<&'static str, Value>> {
    let (mut backup, mut vault) = (Value::Null, Value::Null);
    match choice.settings.role {
        Role::Agent => backup = of_agent(choice, config, lock)?,
        Role::Vault => vault = of_vault(choice.name.as_deref().unwrap_or_default(), config, lock)?,
    }
    // Where an entry does not apply its fields are filled in all the same.
    let key = backup.get("key").cloned().unwrap_or("".into());
    let place = backup.pointer("/store/id").cloned().unwrap_or("none".into());
    let of_store = backup.pointer("/store/secrets").cloned().unwrap_or("".into());
    let (alarm, of_alarm) = alarm(choice)?;
    Ok([
        ("backup", backup),
        ("vault", vault),
        ("backup_key", key),
        ("backup_place", place),
        ("backup_secrets", of_store),
        ("alarm", alarm),
        ("alarm_secrets", of_alarm),
    ]
    .into())
}

/// Who is told, null where nobody is; and the names of the secrets that it takes.
fn alarm(choice: &Choice) -> Result<(Value, Value)> {
    let nobody = (Value::Null, "".into());
    let Some((alarm, name)) = choice.settings.alarm().zip(choice.name.as_ref()) else { return Ok(nobody) };
    let secrets: Vec<&str> = alarm.secrets().map(EnvName::as_str).collect();
    let Value::Object(mut settings) = serde_json::to_value(alarm)? else { return Ok(nobody) };
    settings.insert("name".into(), name.as_str().into());
    let secrets = secrets.join(" ");
    Ok((json!({ "settings": Value::Object(settings).to_string(), "secrets": secrets }), secrets.into()))
}

/// Where a host's backups go; none where it has no backup.
///
/// # Errors
/// None that a sound petasos.yaml could cause.
pub fn vault(choice: &Choice, config: &Config, lock: &LockFile) -> Result<Option<Vault>> {
    let backup = choice.settings.backup.as_ref().filter(|_| choice.settings.role == Role::Agent);
    let Some(backup) = backup.filter(|_| choice.name.is_some()) else { return Ok(None) };
    let (address, port) = match (&backup.vault, backup.repository.as_ref().map(|store| &store.way)) {
        (Some(vault), _) => reached(vault, backup, config, lock).map(|(address, port)| (address.parse().ok(), port))?,
        (None, Some(Way::Ssh(login) | Way::Sftp(login))) => (login.address(), login.port),
        (None, Some(Way::S3(_))) => (None, 443),
        (None, None) => return Ok(None),
    };
    let bucket = matches!(backup.repository.as_ref().map(|store| &store.way), Some(Way::S3(_)));
    Ok(Some(Vault { address, port, bucket, keep: backup.keep }))
}

/// Address and port of the vault, as the host dials it.
fn reached(vault: &str, backup: &Backup, config: &Config, lock: &LockFile) -> Result<(String, u16)> {
    let target = config.address(vault)?;
    let moved = lock.hosts.get(vault).and_then(|facts| facts.ssh_port);
    let address = backup.address.as_ref().unwrap_or(&target.host);
    Ok((address.clone(), moved.or(target.port).unwrap_or(22)))
}

fn of_agent(choice: &Choice, config: &Config, lock: &LockFile) -> Result<Value> {
    // A host without a name has no folder anywhere.
    let (Some(backup), Some(name)) = (&choice.settings.backup, &choice.name) else { return Ok(Value::Null) };
    let own = lock.hosts.get(name).and_then(|facts| facts.backup_key.as_ref());
    let (store, ready) = match (&backup.vault, &backup.repository) {
        (Some(vault), _) => {
            let known = lock.hosts.get(vault);
            let admitted = known.and_then(|facts| facts.admits.get(name));
            let key = known.and_then(|facts| facts.ssh_key.as_ref());
            // Whether the vault lets this host's key in.
            (on_vault(name, vault, key, reached(vault, backup, config, lock)?), own.is_some() && own == admitted)
        }
        (None, Some(store)) => {
            alone(name, own, config, lock)?;
            (store::elsewhere(store, backup.host_key.as_ref(), name, own), own.is_some())
        }
        (None, None) => return Ok(Value::Null),
    };
    Ok(json!({
        "name": name,
        "key": own.map(PublicKey::as_str).unwrap_or_default(),
        "at": backup.at,
        "keep": backup.keep,
        "store": store,
        "ready": ready,
    }))
}

/// Whose key is another's has its backups in the other's folder.
///
/// # Errors
/// When another host shows this key.
fn alone(name: &str, own: Option<&PublicKey>, config: &Config, lock: &LockFile) -> Result<()> {
    let theirs = |other: &&str| lock.hosts.get(*other).and_then(|facts| facts.backup_key.as_ref());
    let others = config.names().into_iter().filter(|other| *other != name);
    let same = own.and_then(|own| others.into_iter().find(|other| theirs(other) == Some(own)));
    same.map_or(Ok(()), |other| Err(same_key(other, name).into()))
}

fn same_key(other: &str, name: &str) -> Fault {
    let fault =
        Fault::new(format!("`{other}` and `{name}` show the same backup key: one of them has it from the other"));
    fault.hint("on one of them `rm /etc/petasos/backup/key /etc/petasos/backup/key.pub`, then `petasos up` for it; ask yourself how it came there")
}

fn on_vault(host: &str, name: &str, key: Option<&PublicKey>, (address, port): (String, u16)) -> Value {
    let id = store::id("vault", name, host);
    let settings = store::settings("vault", &store::by_rclone(), &json!({ "name": name, "id": id }));
    json!({
        "name": name,
        "kind": "vault",
        // Not until the vault was brought up.
        "known": key.is_some(),
        "address": address,
        "family": family(&address),
        "port": port,
        "user": USER,
        "key": key.map(PublicKey::as_str).unwrap_or_default(),
        "secrets": "",
        "id": id,
        "settings": settings,
    })
}

/// As nftables calls it; empty where it is a name.
fn family(address: &str) -> &'static str {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => "ip",
        Ok(IpAddr::V6(_)) => "ip6",
        Err(_) => "",
    }
}

/// Where below a host's name its backups are: each key has a folder of its own, so that a new host
/// of the same name, or one with a new key, begins anew and cannot add to what the old one had.
fn folder(key: &PublicKey) -> String {
    short(key.as_str())
}

/// Of a digest.
fn short(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The same below a place for several hosts.
pub fn place(host: &str, key: &PublicKey) -> String {
    format!("{host}/{}", folder(key))
}

fn of_vault(vault: &str, config: &Config, lock: &LockFile) -> Result<Value> {
    let (mut hosts, mut whose) = (Vec::new(), BTreeMap::new());
    for name in config.names() {
        let settings = config.settings(Some(name))?;
        let here =
            settings.backup.filter(|backup| backup.vault.as_deref() == Some(vault) && settings.role == Role::Agent);
        let known = lock.hosts.get(name).and_then(|facts| facts.backup_key.as_ref());
        let Some((backup, key)) = here.zip(known) else { continue };
        // sshd goes by the first line that has the key: one host would write into the other's
        // folder.
        if let Some(other) = whose.insert(key, name) {
            return Err(same_key(other, name).into());
        }
        hosts.push(json!({ "name": name, "folder": folder(key), "key": key, "keep": backup.keep, "limit": backup.limit.as_ref().map_or(0, Size::bytes) }));
    }
    Ok(json!({ "hosts": hosts, "store": STORE, "user": USER }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const KEYS: [&str; 2] = [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUPpHTI4uC6jALbNWYEbrWKCLHeKZrS0K9v2jMPxgcZ",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAPSXkyzavcq+KHkbSEAzO1JuvpILshkrg+WIv2FqtdG",
    ];

    fn backup_of(host: &str, backup: &str, keys: [&str; 2]) -> Result<Value> {
        let yaml = format!(
            "hosts: {{ web: {{ address: root@192.0.2.7 }}, api: {{ address: root@192.0.2.8 }}, box: {{ address: root@192.0.2.9, role: vault }} }}\nbackup: {{ {backup} }}\n"
        );
        let config = Config::read("petasos.yaml", &yaml)?;
        let [web, api] = keys;
        let lock = format!("version: 1\nhosts:\n  web: {{ backup_key: {web} }}\n  api: {{ backup_key: {api} }}\n");
        let lock = LockFile::parse(&lock, Path::new("petasos.lock"))?;
        Ok(vars(&Choice::of(&config, host)?, &config, &lock)?["backup"].clone())
    }

    const BUCKET: &str = "repository: 's3:https://s3.example.com/petasos'";

    #[test]
    fn two_hosts_of_one_key_share_no_folder() {
        let [one, other] = KEYS;
        for (host, backup) in [("web", BUCKET), ("box", "vault: box")] {
            let error = backup_of(host, backup, [one, one]).unwrap_err().to_string();
            assert!(error.contains("show the same backup key"), "{error}");
            assert!(backup_of(host, backup, [one, other]).is_ok());
        }
    }

    /// So that a first backup is made where there is none.
    #[test]
    fn another_folder_is_another_place() {
        let id = |host: &str, backup: &str, keys| backup_of(host, backup, keys).unwrap()["store"]["id"].clone();
        let [one, other] = KEYS;
        let ids = [
            id("web", BUCKET, [one, other]),
            id("api", BUCKET, [one, other]),
            id("web", BUCKET, [other, one]),
            id("web", "repository: 's3:https://s3.example.com/another'", [one, other]),
            id("web", "vault: box", [one, other]),
            id("api", "vault: box", [one, other]),
        ];
        let all: std::collections::BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), ids.len(), "{ids:?}");
        assert_eq!(ids[0], id("web", BUCKET, [one, other]));
    }
}
