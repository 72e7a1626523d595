//! What each kind declares of itself: all that its changes alter is kept before they are made, and
//! what can lock people out is guarded, whatever a playbook says of it.
//!
//! What a command alters is its manual's word (FILES, or where that has none, what it is for), not
//! ours. A command that the table here does not know fails the test, unless its case says what it
//! alters.
mod common_cases;

use common_cases::{cases, plan, resolve};
use petasos::act::Act;
use petasos::guard::Scope;
use petasos::plan::Step;
use petasos::playbook::KINDS;
use petasos::resource::{Diff, Risk};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is altered that no argument names: useradd(8), usermod(8), groupadd(8), ufw(8).
const USERADD: &[&str] = &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];
const USERMOD: &[&str] = &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/passwd-", "/etc/shadow-"];
const GROUPADD: &[&str] = &["/etc/group", "/etc/gshadow"];
const UFW: &[&str] = &["/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf", "/etc/default/ufw"];

/// What an act alters: paths, and units.
#[derive(Debug, Default)]
struct Altered {
    paths: Vec<String>,
    units: Vec<String>,
}

impl Altered {
    /// As a case has it.
    fn declared(names: &[String]) -> Self {
        let (paths, units) = names.iter().cloned().partition(|name| name.starts_with('/'));
        Self { paths, units }
    }
}

fn altered(act: &Act) -> Altered {
    let paths =
        |paths: &[&str]| Altered { paths: paths.iter().map(|path| (*path).to_owned()).collect(), units: Vec::new() };
    let joined = |list: &'_ [String]| list.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    match act {
        Act::Put(put) => paths(&[put.path.as_str()]),
        Act::Remove(path) => paths(&[path.as_str()]),
        Act::Run { argv, .. } => {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            match argv[..] {
                ["install", "-d", .., path] | ["chown" | "chmod", .., path] | ["tee", path] => paths(&[path]),
                ["sed", "-i", _, path] => paths(&[path]),
                ["useradd", "--home-dir", home, ..] => paths(&[USERADD, &[home]].concat()),
                ["usermod", "--home", home, _] => paths(&[USERMOD, &[home]].concat()),
                ["usermod", ..] => paths(USERMOD),
                ["groupadd", ..] => paths(GROUPADD),
                ["ufw", ..] => paths(UFW),
                // Its file is read; tables are kept with every run.
                ["nft", "-f", _] => paths(&[]),
                ["systemctl", "daemon-reload"] => paths(&[]),
                ["systemctl", verb, .., unit] => {
                    let mut links = match verb {
                        "enable" | "disable" => paths(&[
                            &format!("/etc/systemd/system/multi-user.target.wants/{unit}"),
                            &format!("/etc/rc2.d/S01{}", unit.trim_end_matches(".service")),
                        ]),
                        "unmask" => {
                            paths(&[&format!("/etc/systemd/system/{unit}"), &format!("/run/systemd/system/{unit}")])
                        }
                        "restart" | "try-restart" | "reload-or-restart" | "stop" => paths(&[]),
                        other => panic!("what does `systemctl {other}` alter?"),
                    };
                    links.units.push(unit.to_owned());
                    links
                }
                // These ask only.
                ["python3", "-I", "-c", ..] => paths(&[]),
                // A release stays when a run is undone.
                ["sh", "-eu", "-c", _, "release-uv" | "release-python" | "release-install", ..] => paths(&[]),
                ["sh", "-eu", "-c", _, "release-switch", _, unit, ..] => {
                    let mut links = paths(&["/opt/hermes/current", "/opt/hermes/.switching"]);
                    links.units.push(unit.to_owned());
                    links
                }
                _ => panic!("what does `{}` alter? say so here, or in its case: `alters`", argv.join(" ")),
            }
        }
        Act::Sh { what, args, .. } => match (*what, args.as_slice()) {
            // Packages stay when a run is undone.
            ("apt-get install" | "apt-get purge" | "dpkg --configure", _) => paths(&[]),
            ("link atomically", [_, path]) => paths(&[path]),
            ("forget which units have loaded it", [_]) => paths(&["/var/lib/petasos/stamps/any.service"]),
            ("turn a line of sshd's configuration into a comment", [file, ..]) => paths(&[file]),
            // What lies under /usr is masked by a copy under /etc.
            ("turn a line of a later file into a comment", [file, ..]) => {
                let file = file.replace("/usr/local/lib/", "/etc/").replace("/usr/lib/", "/etc/");
                paths(&[file.as_str()])
            }
            ("make sshd read a folder first", [file, ..]) => paths(&[file]),
            ("set up ufw's chains again", []) => paths(UFW),
            ("reset the start limit", [_]) => paths(&[]),
            ("reload or restart it if it is running", [unit]) => {
                Altered { units: vec![unit.clone()], ..Altered::default() }
            }
            ("restart a socket", [unit]) => {
                let service = unit.replace(".socket", ".service");
                Altered { units: vec![unit.clone(), service], ..Altered::default() }
            }
            (what, args) => panic!("what does `{what}: {}` alter?", joined(args)),
        },
    }
}

/// The step that a change becomes.
fn step(resource: &dyn petasos::resource::Resource, change: petasos::resource::Change) -> Step {
    let touches = resource.touches().and_acts(&change.acts);
    Step { touches, ..Step::of_run(resource.id(), "", change) }
}

#[test]
fn all_that_the_changes_of_a_case_alter_is_kept() {
    for kind in KINDS {
        let mut acts = 0;
        for (name, case) in cases(kind).into_iter().filter(|(_, case)| case.refused.is_none()) {
            let (resources, facts) = resolve(kind, &case, &case.seen).unwrap_or_else(|why| panic!("{name}: {why}"));
            for resource in &resources {
                let Diff::Drift(changes) = resource.judge(&facts) else { continue };
                for change in changes {
                    let expected = case.changes.iter().flatten().find(|expected| expected.field == change.field);
                    let declared = expected.and_then(|expected| expected.alters.as_deref());
                    let step = step(resource.as_ref(), change);
                    let scope = Scope::of(&[&step]);
                    for act in &step.change.acts {
                        acts += 1;
                        let altered = declared.map_or_else(|| altered(act), Altered::declared);
                        for path in altered.paths {
                            // The kind itself says so: what is kept with every run is no merit.
                            assert!(step.touches.covers(&path), "{name}: {path} is not kept: {:?}", step.touches);
                            let kept = |entry: &String| {
                                let (sign, kept) = entry.split_at(1);
                                path == format!("/{kept}") || sign == "+" && path.starts_with(&format!("/{kept}/"))
                            };
                            assert!(scope.paths.iter().any(kept), "{name}: {path} is not in {scope:?}");
                        }
                        for unit in altered.units {
                            assert!(step.touches.units.contains(&unit), "{name}: {unit} is not kept");
                            assert!(scope.units.contains(&unit), "{name}: {unit} is not in {scope:?}");
                        }
                    }
                }
            }
        }
        assert!(acts > 0, "no case of `{kind}` does anything");
    }
}

/// The risks of the changes that an entry makes, as a playbook would have it that says nothing, or
/// that there is none.
fn risks(kind: &str, want: &Value, facts: &Value) -> BTreeSet<String> {
    let of = |risk: Option<&str>| -> BTreeSet<String> {
        let mut entry = json!({ "name": "mine", kind: want });
        if let Some(risk) = risk {
            entry["risk"] = json!(risk);
        }
        let plan = plan(&json!([entry]), facts.clone());
        assert!(plan.unknown.is_empty() && !plan.steps.is_empty(), "{kind} {want}: {plan:?}");
        plan.steps.iter().map(|step| format!("{:?}", step.change.risk)).collect()
    };
    let unsaid = of(None);
    assert_eq!(unsaid, of(Some("none")), "{kind} {want}: a playbook lowered the risk");
    assert_eq!(of(Some("lockout")), BTreeSet::from(["Lockout".to_owned()]), "{kind} {want}: it was not raised");
    unsaid
}

fn file(content: &str) -> Value {
    json!({ "is": { "kind": { "file": petasos::resource::digest(content) }, "owner": "root", "group": "root", "mode": 0o644 } })
}

#[test]
fn what_can_lock_out_is_guarded_whatever_the_entry_says() {
    let ops = json!({ "users": { "ops": { "is": { "uid": 1000, "group": "ops", "home": "/home/ops", "shell": "/bin/bash", "groups": ["sudo"], "locked": true } } }, "groups": { "ops": { "is": 1000 } } });
    let sudoers = |content: &str| json!({ "path": "/etc/sudoers.d/x", "mode": "0440", "content": content });
    let there = |path: &str| json!({ "paths": { path: file("old") } });
    let folder = |path: &str| json!({ "paths": { path: { "is": { "kind": "directory", "owner": "root", "group": "root", "mode": 0o755 } } } });
    let live = |unit: &str| json!({ "units": { unit: { "is": { "file_state": "enabled", "active": "active", "sub": "running", "need_reload": false, "fragment": "", "drop_ins": [], "invocation": "" } } } });
    let full = "ops ALL=(ALL:ALL) NOPASSWD: ALL\n";
    let nothing = json!({});
    let guarded = [
        ("ufw", json!({ "ssh_port": "22", "allow": ["443/tcp"] }), json!({ "ufw": "absent" })),
        (
            "nft",
            json!({ "table": "inet mine", "file": "/etc/mine.nft" }),
            json!({ "tables": { "inet mine": "absent" } }),
        ),
        (
            "user",
            json!({ "name": "ops", "home": "/home/ops", "shell": "/usr/sbin/nologin", "groups": ["sudo"] }),
            ops.clone(),
        ),
        // A service's user is none that people log in as; one of theirs does not become one by
        // this.
        (
            "user",
            json!({ "name": "ops", "system": true, "home": "/home/ops", "shell": "/usr/sbin/nologin" }),
            ops.clone(),
        ),
        ("file", sudoers("ops ALL=(ALL) !ALL\n"), nothing.clone()),
        ("file", sudoers("ops ALL=(ALL) !ALL\n"), there("/etc/sudoers.d/x")),
        ("file", sudoers(full), there("/etc/sudoers.d/x")),
        ("file", sudoers("Defaults requiretty\n"), nothing.clone()),
        ("file", sudoers(&format!("{full}Defaults:ops !authenticate\n")), nothing.clone()),
        ("file", sudoers(&format!("{full}#include /tmp/x\n")), nothing.clone()),
        ("file", json!({ "path": "/etc/sudoers.d/x", "mode": "0666", "content": full }), nothing.clone()),
        (
            "file",
            json!({ "path": "/etc/sudoers.d/x", "mode": "0440", "owner": "ops", "content": full }),
            nothing.clone(),
        ),
        (
            "file",
            json!({ "path": "/etc/ssh/sshd_config.d/10.conf", "mode": "0600", "content": "Port 2200\n" }),
            nothing.clone(),
        ),
        (
            "file",
            json!({ "path": "/home/ops/.ssh/authorized_keys", "mode": "0600", "content": "" }),
            there("/home/ops/.ssh/authorized_keys"),
        ),
        ("env_file", json!({ "path": "/etc/environment", "mode": "0644", "set": { "PATH": "/" } }), nothing.clone()),
        (
            "directory",
            json!({ "path": "/home/ops", "owner": "ops", "group": "ops", "mode": "0777" }),
            folder("/home/ops"),
        ),
        (
            "directory",
            json!({ "path": "/home/ops", "owner": "root", "group": "games", "mode": "0750" }),
            folder("/home/ops"),
        ),
        ("directory", json!({ "path": "/etc", "mode": "0700" }), folder("/etc")),
        ("symlink", json!({ "path": "/etc/systemd/system/ssh.service", "target": "/dev/null" }), nothing.clone()),
        ("unit", json!({ "name": "ssh.service", "running": false }), live("ssh.service")),
        ("unit", json!({ "name": "ssh.socket", "enabled": false }), live("ssh.socket")),
        ("unit", json!({ "name": "networking.service", "running": false }), live("networking.service")),
    ];
    for (kind, want, facts) in &guarded {
        assert_eq!(risks(kind, want, facts), BTreeSet::from(["Lockout".to_owned()]), "{kind} {want}");
    }
    let free = [
        ("file", sudoers(full), nothing.clone()),
        ("file", sudoers(&format!("# Managed by petasos.\n\n{full}")), nothing.clone()),
        ("file", json!({ "path": "/etc/motd", "mode": "0644", "content": "x" }), there("/etc/motd")),
        ("file", json!({ "path": "/home/ops/.ssh/authorized_keys", "mode": "0600", "content": "x" }), nothing.clone()),
        (
            "directory",
            json!({ "path": "/home/ops", "owner": "ops", "group": "ops", "mode": "0700" }),
            folder("/home/ops"),
        ),
        ("directory", json!({ "path": "/home/hermes", "group": "hermes", "mode": "0750" }), folder("/home/hermes")),
        ("user", json!({ "name": "ops", "home": "/home/ops", "shell": "/bin/bash" }), nothing.clone()),
        ("group", json!({ "name": "ops" }), nothing.clone()),
        ("unit", json!({ "name": "hermes.service", "running": false }), live("hermes.service")),
    ];
    for (kind, want, facts) in &free {
        assert_eq!(risks(kind, want, facts), BTreeSet::from(["None".to_owned()]), "{kind} {want}");
    }
    // A kernel parameter comes with the file that keeps it, which takes effect at a start alone.
    let cut = json!({ "file": "/etc/sysctl.d/x.conf", "set": { "net.ipv6.conf.all.disable_ipv6": "1" } });
    let facts = json!({ "sysctls": { "net.ipv6.conf.all.disable_ipv6": { "is": "0" } }, "later": { "/etc/sysctl.d/x.conf": [] } });
    assert_eq!(risks("sysctl", &cut, &facts), BTreeSet::from(["Lockout".to_owned(), "None".to_owned()]));
    // sshd's settings come with their file.
    let settings = json!([
        { "name": "mine", "file": { "path": "/etc/ssh/sshd_config.d/00.conf", "mode": "0600", "content": "x" } },
        { "name": "mine", "sshd": { "file": "/etc/ssh/sshd_config.d/00.conf", "users": ["ops"], "set": { "port": "2200" } } },
    ]);
    let include = json!({ "file": "/etc/ssh/sshd_config", "number": 1, "keyword": "include", "value": "/etc/ssh/sshd_config.d/*.conf", "matched": false });
    let rival = json!({ "file": "/srv/sshd.conf", "number": 7, "keyword": "port", "value": "22", "matched": false });
    let facts = json!({ "sshd": { "is": { "effective": { "ops": { "port": "22" } }, "lines": [include, rival] } } });
    let found = plan(&settings, facts);
    let step = found.steps.iter().find(|step| step.kind == "sshd").expect("a rival line");
    assert_eq!(step.change.risk, Risk::Lockout, "{step:?}");
    assert!(step.touches.covers("/srv/sshd.conf"), "a file elsewhere that sshd reads: {:?}", step.touches);
}
