//! How a host's restic reaches its repository, where that is no vault's; and what the host keeps of
//! it in store.json.

use super::{family, place, short};
use crate::config::store::{Bucket, Login, Store, Way};
use crate::name::{EnvName, PublicKey};
use serde_json::{Value, json};

const SSH: &str = "/usr/bin/ssh -F /etc/petasos/backup/ssh_config vault";

/// How restic is told of a repository: its name, and options.
pub struct Restic {
    repository: String,
    options: Vec<String>,
}

/// Behind a key that runs rclone for one folder, and nothing else: which, the other side says.
pub fn by_rclone() -> Restic {
    Restic {
        repository: "rclone:".to_owned(),
        options: vec![format!("rclone.program={SSH}"), "rclone.args=petasos".to_owned()],
    }
}

/// store.json, as text. `more` is what is not restic's.
pub fn settings(kind: &str, Restic { repository, options }: &Restic, more: &Value) -> String {
    let mut all = json!({ "kind": kind, "repository": repository, "options": options });
    if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    all.to_string()
}

/// What tells one place from another, of which the host has no backup yet.
pub fn id(kind: &str, name: &str, below: &str) -> String {
    short(&format!("{kind} {name} {below}"))
}

/// Of a place that Petasos has no login at. It waits for the host's own key, which names the
/// folder.
pub fn elsewhere(store: &Store, host_key: Option<&PublicKey>, host: &str, own: Option<&PublicKey>) -> Value {
    let below = own.map(|key| place(host, key)).unwrap_or_default();
    let (kind, restic, mut more) = match &store.way {
        // Which folder it is, its key's line alone says.
        Way::Ssh(login) => {
            let folder = short(&format!("{}/{below}", login.path));
            ("ssh", by_rclone(), json!({ "at": at(login), "folder": folder }))
        }
        Way::Sftp(login) => ("sftp", by_sftp(login, &below), json!({ "at": at(login) })),
        Way::S3(bucket) => {
            let Bucket { endpoint, bucket: name, .. } = bucket;
            ("s3", by_s3(bucket, &below), json!({ "endpoint": endpoint, "bucket": name }))
        }
    };
    let id = id(kind, store.as_str(), &below);
    if let Some(more) = more.as_object_mut() {
        more.extend([("name".into(), store.as_str().into()), ("id".into(), id.clone().into())]);
    }
    let secrets: Vec<&str> = store.secrets().iter().map(EnvName::as_str).collect();
    let login = store.login();
    let address = login.map(|login| login.host.as_str()).unwrap_or_default();
    json!({
        "name": store.as_str(),
        "kind": kind,
        "known": own.is_some(),
        "address": address,
        "family": family(address),
        "port": login.map_or(443, |login| login.port),
        "user": login.map(|login| login.user.as_str()).unwrap_or_default(),
        "key": host_key.map(PublicKey::as_str).unwrap_or_default(),
        "secrets": secrets.join(" "),
        "id": id,
        "settings": settings(kind, &restic, &more),
    })
}

/// Whose file of keys lets a host in.
pub fn at(Login { user, host, port, .. }: &Login) -> String {
    format!("{user}@{host}, port {port}")
}

/// The line of that file that lets a host's own key in; none where it takes no login.
pub fn line(store: &Store, host: &str, own: &PublicKey) -> Option<String> {
    let key = format!("{own} petasos-backup");
    match &store.way {
        Way::Ssh(login) => Some(admit(login, &place(host, own), &key)),
        Way::Sftp(_) => Some(format!("restrict,command=\"internal-sftp\" {key}")),
        Way::S3(_) => None,
    }
}

/// This key runs one command, for one folder.
pub fn admit(login: &Login, below: &str, key: &str) -> String {
    let path = &login.path;
    format!("restrict,command=\"rclone serve restic --stdio --append-only {path}/{below}\" {key}")
}

fn by_sftp(login: &Login, below: &str) -> Restic {
    Restic {
        repository: format!("sftp:vault:{}/{below}", login.path),
        options: vec![format!("sftp.command={SSH} -s sftp")],
    }
}

fn by_s3(Bucket { endpoint, bucket, prefix, .. }: &Bucket, below: &str) -> Restic {
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Restic { repository: format!("s3:{endpoint}/{bucket}/{prefix}{below}"), options: Vec::new() }
}

/// Another repository of the same place, as restic names it.
pub fn repository(store: &Store, below: &str) -> String {
    match &store.way {
        Way::Ssh(_) => by_rclone().repository,
        Way::Sftp(login) => by_sftp(login, below).repository,
        Way::S3(bucket) => by_s3(bucket, below).repository,
    }
}
