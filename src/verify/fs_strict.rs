//! fs.strict: the agent writes where its data is, and nowhere else.

use super::answer::UnitProperties;
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, PathCall, Room};
use super::data;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short};
use crate::fault::Fault;

pub const CONTROL: Control = Control {
    id: "fs.strict",
    group: "The agent's rights",
    title: "A read-only host",
    claim: "The agent's unit writes to its data and nowhere else: not to its code, its unit, its policy or its log. It cannot read other users' files.",
    attacks,
    inspections,
    short: never_short,
    limits: "",
    how: Some("`petasos up`"),
};

/// Of its data, what the agent would run or obey: see `src/places.rs`.
const OBEYED_FOLDERS: [&str; 11] = [
    "/home/hermes/.hermes/bin",
    "/home/hermes/.hermes/hooks",
    "/home/hermes/.hermes/lsp",
    "/home/hermes/.hermes/mcp-installs",
    "/home/hermes/.hermes/node",
    "/home/hermes/.hermes/optional-mcps",
    "/home/hermes/.hermes/optional-skills",
    "/home/hermes/.hermes/plugins",
    "/home/hermes/.hermes/profiles",
    "/home/hermes/.hermes/scripts",
    "/home/hermes/.hermes/skill-bundles",
];
const OBEYED_FILES: [&str; 13] = [
    "/home/hermes/.hermes/.anthropic_oauth.json",
    "/home/hermes/.hermes/.env",
    "/home/hermes/.hermes/.install_method",
    "/home/hermes/.hermes/.op.env",
    "/home/hermes/.hermes/active_profile",
    "/home/hermes/.hermes/channel_aliases.json",
    "/home/hermes/.hermes/config.yaml",
    "/home/hermes/.hermes/feishu_comment_pairing.json",
    "/home/hermes/.hermes/feishu_comment_rules.json",
    "/home/hermes/.hermes/gateway.json",
    "/home/hermes/.hermes/honcho.json",
    "/home/hermes/.hermes/slack_tokens.json",
    "/home/hermes/.hermes/webhook_subscriptions.json",
];

/// The folders that a new file is tried in, by what they are.
const FOLDERS: [(&str, &str, &[&str]); 13] = [
    ("fs.root", "the root directory", &["/"]),
    ("fs.etc", "/etc", &["/etc", "/etc/profile.d", "/etc/ld.so.conf.d"]),
    ("fs.usr", "/usr", &["/usr", "/usr/local/bin", "/usr/lib", "/usr/local/lib"]),
    ("fs.home", "the homes", &["/home", "/home/hermes", "/root"]),
    (
        "fs.opt",
        "its own code",
        &["/opt", "/opt/hermes", "/opt/hermes/releases", "/opt/hermes/current", "/opt/hermes/current/venv/bin"],
    ),
    ("fs.units", "systemd's units", &["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"]),
    ("fs.cron", "cron and its spool", &["/etc/cron.d", "/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool"]),
    ("fs.state", "others' state", &["/var/lib", "/var/lib/petasos", "/var/cache", "/var/log", "/var/log/journal"]),
    ("fs.log", "the audit log", &["/var/log/hermes"]),
    ("fs.run", "/run", &["/run", "/run/lock", "/run/petasos"]),
    ("fs.boot", "/boot and /srv", &["/boot", "/srv", "/mnt"]),
    ("fs.policy", "its own policy", &["/etc/hermes", "/etc/hermes/policies", "/etc/petasos", "/usr/lib/petasos"]),
    ("fs.hooks", "what the agent would run or obey", &OBEYED_FOLDERS),
];

/// The files that are opened for writing, or for reading.
const WRITES: [(&str, &str, &[&str]); 5] = [
    ("fs.accounts", "the accounts", &["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/sudoers"]),
    (
        "fs.settings",
        "its own settings and secrets",
        &["/etc/hermes/config.yaml", "/etc/hermes/.env", "/etc/hermes/secrets.env"],
    ),
    ("fs.obeyed", "files of its data that the agent would obey", &OBEYED_FILES),
    (
        "fs.unit",
        "its own unit, and those of its filter",
        &[
            "/etc/systemd/system/hermes.service",
            "/etc/systemd/system/petasos-egress.service",
            "/etc/petasos/egress.nft",
            "/etc/petasos/proxy.conf",
            "/etc/petasos/proxy-hello.js",
        ],
    ),
    (
        "fs.kernel",
        "kernel settings and control groups",
        &[
            "/proc/sys/kernel/core_pattern",
            "/proc/sys/net/ipv4/ip_forward",
            "/sys/fs/cgroup/cgroup.procs",
            "/sys/fs/cgroup/system.slice/hermes.service/cgroup.procs",
            "/sys/fs/cgroup/unified/system.slice/hermes.service/cgroup.procs",
        ],
    ),
];
const READS: [(&str, &str, &[&str]); 7] = [
    ("fs.shadow", "the host's password hashes", &["/etc/shadow", "/etc/gshadow"]),
    ("fs.sudoers", "the sudo rules", &["/etc/sudoers", "/etc/sudoers.d"]),
    ("fs.keys", "the host's own keys", &["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"]),
    ("fs.records", "the records of Petasos", &["/var/lib/petasos", "/etc/petasos"]),
    ("fs.journal", "the logs of the host", &["/var/log/journal/*/*.journal", "/var/log/auth.log", "/var/log/syslog"]),
    ("fs.audit", "the audit log", &["/var/log/hermes", "/var/log/hermes/audit.jsonl"]),
    (
        "fs.devices",
        "the kernel's log and memory, disks",
        &["/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/nvme0n1"],
    ),
];

/// Whoever's it is: the folder that it is in is the agent's, and what lies over it keeps it there.
pub fn replaced(id: &str, what: &str, paths: &'static [&'static str]) -> Attack {
    attack(id, what, Call::AnyOf { name: PathCall::Replace, paths }, By::SameByRoot)
}

/// As `templates/agent/hermes.service.tera` has them.
const ROOM: [Room; 3] = [("/tmp", 512 << 20, 65_536), ("/var/tmp", 256 << 20, 65_536), ("/dev/shm", 256 << 20, 16_384)];

fn attacks(_: &Claims) -> Vec<Attack> {
    let each = |verb: &'static str, name: PathCall, rows: &[(&'static str, &'static str, &'static [&'static str])]| {
        let one = |&(id, what, paths): &(&str, &str, &'static [&'static str])| {
            attack(id, format!("{verb} {what}"), Call::AnyOf { name, paths }, By::SameByRoot)
        };
        rows.iter().map(one).collect::<Vec<_>>()
    };
    let mut attacks = each("a new file in", PathCall::Create, &FOLDERS);
    attacks.extend(each("a change of", PathCall::Change, &WRITES));
    attacks.extend(each("a look at", PathCall::Read, &READS));
    attacks.extend([
        attack(
            "fs.code",
            "each file of its own code, for writing",
            Call::Rewrite { path: "/opt/hermes/current/" },
            By::SameByRoot,
        ),
        attack("fs.anywhere", "a new file in each folder of the host but its own", Call::Anywhere, By::SameByRoot),
        replaced("fs.place", "something of its own in the place of a folder that it would obey", &OBEYED_FOLDERS),
        replaced("fs.place-file", "the same, of a file that it would obey", &OBEYED_FILES),
        attack(
            "fs.room",
            "the host's own folders for temporary files, or more room in its own than they have",
            Call::Room { places: &ROOM },
            By::SameByRoot,
        ),
        attack("fs.homes", "other users' homes", Call::OthersHomes, By::SameByRoot),
        attack(
            "fs.data",
            "its own data, which it must be able to write",
            Call::Create { path: "/home/hermes/.hermes" },
            By::MustWork,
        ),
    ]);
    attacks
}

/// systemd's rating runs from 0 (shut) to 10 (open). The lock on addresses comes with egress by
/// name.
fn most_exposed(claims: &Claims) -> f64 {
    if claims.by_name() { 1.2 } else { 2.2 }
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let same = evidence.answer.same.found().and_then(|same| {
        let first = same.differ.iter().next();
        match first {
            None if same.compared > 0 => {
                Ok((true, format!("{} properties of the {} settings, none different", same.compared, same.keys)))
            }
            None => Err(Fault::new("systemd reported no property")),
            // Then the attacks say nothing of the agent.
            Some((key, (real, mine))) => {
                Err(Fault::new(format!("{key} is `{mine}` there, `{real}` in hermes.service")))
            }
        }
    });
    let loaded = evidence.inspected().unit.found().map(|unit| {
        let UnitProperties { drop_in_paths: drop_ins, need_daemon_reload: reload, user, fragment_path: path, .. } =
            unit;
        let sound =
            drop_ins.is_empty() && reload == "no" && user == "hermes" && path == "/etc/systemd/system/hermes.service";
        let extra = if drop_ins.is_empty() { "no drop-in".to_owned() } else { format!("the drop-in {drop_ins}") };
        let fresh = if reload == "no" { "as loaded" } else { "changed since it was loaded" };
        (sound, format!("{path}, {extra}, {fresh}, user {user}"))
    });
    let is_one = |name: &str| !data::PEOPLE.contains(&name);
    let rating = evidence.inspected().security.found().and_then(|lines| {
        let line = lines.first().ok_or_else(|| Fault::new("systemd-analyze printed nothing"))?;
        let number = line
            .split(": ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|rating| rating.parse::<f64>().ok());
        let number = number.ok_or_else(|| Fault::new(format!("`{line}` has no rating")))?;
        let most = most_exposed(claims);
        Ok((number <= most, format!("{number} of 10; at most {most:.1} is accepted")))
    });
    let checks = vec![
        data::planted(evidence, "fs.planted", "what the agent would run or obey", is_one),
        inspection("fs.same", "the attacks ran with the properties of the agent's unit", same),
        inspection("fs.loaded", "the unit is the one in the file", loaded),
        inspection("fs.rating", "systemd's own rating of its exposure", rating),
    ];
    checks.into_iter().chain(data::disk(claims, evidence)).collect()
}
