//! The templates of the backup and of the vault, rendered: golden files in `tests/render/backup`
//! and `tests/render/vault`, judged by systemd, ssh and sshd.
mod judge;

use judge::{complaints_about_unit, folder, golden, judge as tool, render, verdict};
use petasos::config::store::Store;
use petasos::desired::backup::store;
use petasos::name::PublicKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUPpHTI4uC6jALbNWYEbrWKCLHeKZrS0K9v2jMPxgcZ";

fn backup() -> Value {
    json!({ "backup": {
        "name": "production", "key": KEY, "at": "03:00", "keep": { "daily": 7, "weekly": 5, "monthly": 12 },
        "store": { "name": "box", "kind": "vault", "known": true, "address": "203.0.113.9", "family": "ip", "port": 22, "user": "petasos-vault", "key": KEY, "secrets": "", "settings": "{}" },
        "ready": true,
    }, "agent": { "limits": { "memory": "2G" } }, "alarm": alarm() })
}

/// The same, at a place that Petasos has no login at.
fn elsewhere(repository: &str) -> Value {
    let store = Store::try_from(repository.to_owned()).unwrap();
    let key = PublicKey::new(KEY).unwrap();
    let mut vars = backup();
    vars["backup"]["store"] = store::elsewhere(&store, Some(&key), "production", Some(&key));
    vars
}

fn alarm() -> Value {
    json!({ "settings": "{\"name\":\"production\",\"webhook\":\"ALARM_URL\"}", "secrets": "ALARM_URL" })
}

fn vault() -> Value {
    let hosts = json!([
        { "name": "production", "folder": "0a1b2c3d", "key": KEY, "keep": { "daily": 7, "weekly": 5, "monthly": 12 }, "limit": 1024 },
        { "name": "staging", "folder": "4e5f6a7b", "key": KEY, "keep": { "daily": 3, "weekly": 0, "monthly": 0 }, "limit": 1024 },
    ]);
    json!({ "vault": { "hosts": hosts, "store": "/srv/petasos-vault", "user": "petasos-vault" }, "alarm": null })
}

#[test]
fn golden_files() {
    for (vars, names) in [
        (backup(), &["backup/ssh_config", "backup/exclude", "backup/RETENTION"][..]),
        (vault(), &["vault/keys", "vault/RETENTION"][..]),
    ] {
        for name in names {
            golden(name, &render(&format!("{name}.tera"), &vars));
        }
    }
}

const ELSEWHERE: [(&str, &str); 3] = [
    ("ssh", "ssh://u1@u1.example.com:23/./backups"),
    ("sftp", "sftp://backup@203.0.113.9/srv/restic"),
    ("s3", "s3:https://s3.eu-central-1.amazonaws.com/petasos-backups/all"),
];

#[test]
fn golden_files_of_other_places() {
    for (kind, repository) in ELSEWHERE {
        let vars = elsewhere(repository);
        for name in ["store.json", "RETENTION", "petasos-backup.service", "petasos-restore.service"] {
            let text = render(&format!("backup/{name}.tera"), &vars);
            golden(&format!("backup/{kind}-{name}"), &text);
            if name.ends_with(".service") {
                let said = complaints_about_unit(name, &text);
                assert!(said.lines().all(|line| line.contains("not found")), "{kind} {name}: {said}");
            }
        }
    }
}

/// What somebody is asked to add to a file of keys is one key with one command to sshd, too.
#[test]
fn the_line_that_lets_a_host_in_is_a_key_with_a_command() {
    let place = Store::try_from("ssh://u1@u1.example.com:23/./backups".to_owned()).unwrap();
    let line = store::line(&place, "production", &PublicKey::new(KEY).unwrap()).unwrap();
    assert!(
        line.starts_with("restrict,command=\"rclone serve restic --stdio --append-only backups/production/"),
        "{line}"
    );
    let (_dir, path) = folder("keys", &line);
    let (accepted, said) = verdict(tool("ssh-keygen", "openssh-client").arg("-l").arg("-f").arg(path));
    assert!(accepted && said.lines().count() == 1 && said.contains("petasos-backup"), "{said}");
}

#[test]
fn systemd_accepts_the_units() {
    let of_host = [
        "petasos-backup-copy.service",
        "petasos-backup.service",
        "petasos-backup-night.service",
        "petasos-backup.timer",
        "petasos-backup-watch.service",
        "petasos-backup-watch.timer",
        "petasos-drill-restore.service",
        "petasos-drill.service",
        "petasos-drill.timer",
        "petasos-restore.service",
    ];
    let of_vault = [
        "petasos-vault-watch.service",
        "petasos-vault-watch.timer",
        "petasos-vault-scrub.service",
        "petasos-vault-scrub.timer",
    ];
    let all = of_host.map(|name| ("backup", name, backup())).into_iter();
    let all = all.chain([("alarm", "petasos-alarm@.service", backup())]);
    for (place, name, vars) in all.chain(of_vault.map(|name| ("vault", name, vault()))) {
        let text = render(&format!("{place}/{name}.tera"), &vars);
        golden(&format!("{place}/{name}"), &text);
        // The units that it names are no part of this folder.
        let own = |text: &str| {
            let text = text.replace("/opt/hermes/current/venv/bin/python ", "/bin/true ");
            let said = complaints_about_unit(name, &text);
            said.lines().filter(|line| !line.contains("not found")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(own(&text), Vec::<String>::new(), "{name}");
        let misspelt = text.replacen("Type=", "Typ=", 1).replacen("Persistent=", "Persistant=", 1);
        assert_ne!(own(&misspelt), Vec::<String>::new(), "{name}: nothing is judged");
    }
}

/// `KEYWORD value` lines, by keyword.
fn effective(said: &str) -> BTreeMap<&str, &str> {
    said.lines().filter_map(|line| line.split_once(' ')).collect()
}

#[test]
fn ssh_reaches_the_vault_and_nothing_else() {
    let (_dir, path) = folder("ssh_config", &render("backup/ssh_config.tera", &backup()));
    let mut ssh = tool("ssh", "openssh-client");
    ssh.env("CREDENTIALS_DIRECTORY", "/run/credentials/x").arg("-G").arg("-F").arg(path).arg("vault");
    let (accepted, said) = verdict(&mut ssh);
    assert!(accepted, "{said}");
    let is = effective(&said);
    for (keyword, value) in [
        ("hostname", "203.0.113.9"),
        ("user", "petasos-vault"),
        ("port", "22"),
        ("stricthostkeychecking", "true"),
        ("hostkeyalias", "vault"),
        ("userknownhostsfile", "/etc/petasos/backup/known_hosts"),
        ("batchmode", "yes"),
        ("identitiesonly", "yes"),
    ] {
        assert_eq!(is.get(keyword).copied(), Some(value), "{keyword}");
    }
}

/// A line of the vault's file of keys as sshd reads it: the key's fingerprint is found, and nothing
/// but one command is allowed.
#[test]
fn each_key_runs_one_command() {
    let text = render("vault/keys.tera", &vault());
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for (line, name) in lines.iter().zip(["production/0a1b2c3d", "staging/4e5f6a7b"]) {
        let options = line.split(" ssh-ed25519 ").next().unwrap();
        let command = format!(
            "restrict,command=\"/usr/bin/python3 -I -S -B /usr/lib/petasos/vault/serve.py /srv/petasos-vault {name} 1024\""
        );
        assert_eq!(options, command);
    }
    assert_eq!(lines.len(), 2);
    let (_dir, path) = folder("keys", &text);
    let (accepted, said) = verdict(tool("ssh-keygen", "openssh-client").arg("-l").arg("-f").arg(path));
    assert!(accepted && said.lines().count() == 2, "{said}");
}
