//! The parsers of facts against answers of real hosts:
//! `tests/facts/<distribution>-<state>/<family>.frame`.
//!
//! Nothing there is typed by hand. A file's head says which host answered and to which command;
//! then comes the frame, byte by byte. A fragment that changes makes its captures stale, which is
//! an error; to capture anew, on lab hosts:
//!
//!     petasos lab up u13; petasos lab ssh-config >ssh; export PETASOS_SSH_CONFIG=$PWD/ssh
//!     PETASOS_CAPTURE="debian13-fresh root@u13" cargo test --test facts -- --ignored capture
//!
//! `-odd` is a fresh host after `tests/facts/odd.sh`, `-converged` one after `petasos up` (as
//! `ops@u13`).
use petasos::fact::path::PathKind;
use petasos::fact::{FAMILIES, Facts, Query, Seen, parse, script};
use petasos::name::{AbsPath, Account, PackageName, UnitName};
use petasos::resource::digest;
use petasos::shell::{Frame, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const STATES: [&str; 6] =
    ["debian12-converged", "debian12-fresh", "debian12-odd", "debian13-converged", "debian13-fresh", "debian13-odd"];

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).expect("a path")
}
fn account(text: &str) -> Account {
    Account::new(text).expect("an account")
}
fn unit(text: &str) -> UnitName {
    UnitName::new(text).expect("a unit")
}
fn package(text: &str) -> PackageName {
    PackageName::new(text).expect("a package")
}

/// What is asked of every host.
fn queries() -> BTreeSet<Query> {
    let mut queries = BTreeSet::from([Query::Ufw]);
    queries.extend(["sudo", "ufw", "nftables", "libc6", "no-such-package"].map(|name| Query::Package(package(name))));
    queries.extend(["root", "nobody", "ops", "hermes", "no-such-user"].map(|name| Query::User(account(name))));
    queries.extend(["sudo", "hermes", "no-such-group"].map(|name| Query::Group(account(name))));
    let paths = [
        "/",
        "/tmp",
        "/etc/mtab",
        "/etc/hostname",
        "/dev/null",
        "/nowhere/x",
        "/etc/hostname/x",
        "/opt/hermes/current",
    ];
    let odd = ["a b", "it's", "link", "pipe", "binary", "empty", "gone", "it's gone"];
    queries.extend(paths.map(|name| Query::Path(path(name))));
    queries.extend(odd.map(|name| Query::Path(path(&format!("/var/tmp/odd/{name}")))));
    let texts = ["/etc/debian_version", "/etc/mtab", "/nowhere/x", "/etc/sysctl.d/60-petasos-net.conf"];
    queries.extend(texts.map(|name| Query::Text(path(name))));
    queries.extend(["binary", "empty", "a b"].map(|name| Query::Text(path(&format!("/var/tmp/odd/{name}")))));
    let units =
        ["ssh.service", "systemd-journald.service", "apt-daily.timer", "systemd-timesyncd.service", "no-such.service"];
    let ours = ["petasos-egress.service", "hermes.service", "odd.service", "odd-failed.service", "odd-broken.service"];
    queries.extend(units.into_iter().chain(ours).map(|name| Query::Unit(unit(name))));
    let keys = ["net.ipv4.tcp_rmem", "net.ipv4.conf.lo.rp_filter", "net.ipv4.conf.all.send_redirects", "no.such"];
    queries.extend(keys.map(|key| Query::Sysctl(key.to_owned())));
    queries.extend(["root", "ops"].map(|name| Query::Sshd(account(name))));
    for (table, file) in [
        ("inet petasos", "/etc/petasos/egress.nft"),
        ("inet odd", "/var/tmp/odd/odd.nft"),
        ("inet other", "/var/tmp/odd/other.nft"),
        ("inet none", "/nowhere/x"),
    ] {
        queries.insert(Query::Table { table: table.to_owned(), file: path(file) });
    }
    queries
}

fn folder(state: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts").join(state)
}

/// The line that ties a capture to the command which it answers.
fn command(family: &str, queries: &BTreeSet<Query>) -> String {
    let family = FAMILIES.iter().find(|other| other.name == family).expect("a family");
    let (fragment, args) = (family.fragment)(queries).expect("every family is asked");
    format!("command: the fragment `{}` ({}) with {args:?}", family.name, &digest(fragment)[..16])
}

/// A capture: its head, and the bytes of its frame.
fn captured(state: &str, family: &str) -> (String, Vec<u8>) {
    let path = folder(state).join(format!("{family}.frame"));
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; see the head of tests/facts.rs", path.display()));
    let end = bytes.windows(2).position(|window| window == b"\n\n").expect("a head");
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end + 2..].to_vec())
}

fn frame(state: &str, family: &str) -> Frame {
    let bytes = captured(state, family).1;
    let mut reader = Reader::new("x");
    let mut frames = reader.push(b"@petasos x\n").expect("an opening");
    frames.extend(reader.push(&bytes).expect("a frame"));
    frames.extend(reader.push(b"@end 1\n").expect("an end"));
    reader.finish().expect("whole");
    frames.pop().expect("one frame")
}

fn facts(state: &str) -> Facts {
    let frames: Vec<Frame> = FAMILIES.iter().map(|family| frame(state, family.name)).collect();
    parse(&queries(), &frames).unwrap_or_else(|why| panic!("{state}: {why}"))
}

fn each(check: impl Fn(&str, &Facts), states: &[&str]) {
    for state in STATES.iter().filter(|state| states.is_empty() || states.iter().any(|part| state.contains(part))) {
        check(state, &facts(state));
    }
}

#[test]
#[ignore = "queries a real host; see the head of this file"]
fn capture() {
    let target = std::env::var("PETASOS_CAPTURE").expect("PETASOS_CAPTURE=\"STATE USER@HOST\"");
    let config = std::env::var("PETASOS_SSH_CONFIG").expect("PETASOS_SSH_CONFIG=FILE");
    let (state, host) = target.split_once(' ').expect("PETASOS_CAPTURE=\"STATE USER@HOST\"");
    let shell: &[&str] = if host.starts_with("root@") { &["sh", "-s"] } else { &["sudo", "-n", "sh", "-s"] };
    let mut ssh = Command::new("ssh")
        .args(["-F", &config, host])
        .args(shell)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ssh runs");
    let queries = queries();
    ssh.stdin.take().expect("piped").write_all(script(&queries).text("x").as_bytes()).expect("it reads");
    let out = ssh.wait_with_output().expect("it ends").stdout;
    let mut reader = Reader::new("x");
    let frames = reader.push(&out).expect("frames");
    reader.finish().expect("a whole answer");
    let release =
        Command::new("ssh").args(["-F", &config, host, "cat /etc/debian_version"]).output().expect("ssh runs");
    let release = String::from_utf8_lossy(&release.stdout).trim().to_owned();
    std::fs::create_dir_all(folder(state)).expect("writable");
    for frame in frames {
        let head = format!("Debian {release}, {state}\n{}\n\n", command(&frame.name, &queries));
        let mut bytes = head.into_bytes();
        let lengths = [frame.out.len(), frame.err.len(), frame.hint.len()].map(|length| length.to_string());
        bytes.extend(format!("@{} {} {}\n", frame.name, frame.rc, lengths.join(" ")).bytes());
        bytes.extend([frame.out, frame.err, frame.hint].concat());
        std::fs::write(folder(state).join(format!("{}.frame", frame.name)), bytes).expect("writable");
    }
}

#[test]
fn every_capture_answers_the_command_of_today() {
    for state in STATES {
        for family in &FAMILIES {
            let (head, _) = captured(state, family.name);
            let (command, of) = (command(family.name, &queries()), format!("{state}/{}", family.name));
            assert_eq!(head.lines().nth(1), Some(command.as_str()), "{of}: see the head of tests/facts.rs");
        }
    }
}

#[test]
fn every_host_is_known_for_what_it_is() {
    each(
        |state, facts| {
            let host = facts.host.as_ref().expect(state);
            let (version, codename) = if state.contains("12") { ("12", "bookworm") } else { ("13", "trixie") };
            assert_eq!((host.distribution.as_str(), host.version.as_str()), ("debian", version), "{state}");
            assert_eq!(
                (host.codename.as_str(), host.init.as_str(), host.container),
                (codename, "systemd", true),
                "{state}"
            );
            assert!(host.time > 1_700_000_000, "{state}");
            // Nothing is in the way of a change on any of them; what is, lab hosts show in
            // tests/lab/badday.rs.
            let in_the_way = (host.ssh_socket, host.cloud_init, host.dpkg_interrupted, host.apt_held_by.as_str());
            assert_eq!((in_the_way, host.read_only.len()), ((false, false, false, ""), 0), "{state}");
            let room = &host.room["/etc"];
            assert!(host.room.len() == 7 && room.mebibytes > 1024 && room.device.len() > 8, "{state}: {room:?}");
        },
        &[],
    );
}

#[test]
fn packages() {
    each(
        |state, facts| {
            let there = |name: &str| facts.packages[&package(name)].is().is_some();
            assert!(there("sudo") && there("libc6"), "{state}");
            assert_eq!(facts.packages[&package("no-such-package")], Seen::Absent, "{state}");
            assert_eq!(
                (there("ufw"), there("nftables")),
                (!state.contains("fresh"), !state.contains("fresh")),
                "{state}"
            );
        },
        &[],
    );
}

#[test]
fn users_and_groups() {
    each(
        |state, facts| {
            let user = |name: &str| facts.users[&account(name)].is().unwrap_or_else(|| panic!("{state}: {name}"));
            assert_eq!(
                (user("root").uid, user("root").home.as_str(), user("root").group.as_str()),
                (0, "/root", "root")
            );
            assert_eq!(
                (user("nobody").uid, user("nobody").group.as_str(), user("nobody").locked),
                (65534, "nogroup", true)
            );
            assert_eq!(facts.users[&account("no-such-user")], Seen::Absent);
            assert_eq!(facts.groups[&account("no-such-group")], Seen::Absent);
            assert_eq!(facts.groups[&account("sudo")], Seen::Is(27), "Debian's fixed number");
            match state.split_once('-').expect("a state").1 {
                "fresh" => assert_eq!(facts.users[&account("ops")], Seen::Absent, "{state}"),
                "odd" => {
                    assert_eq!(user("ops").groups, BTreeSet::from(["adm".to_owned(), "sudo".to_owned()]));
                    assert_eq!((user("ops").locked, user("ops").shell.as_str()), (false, "/bin/sh"), "it has a hash");
                    assert!(!user("hermes").locked, "an empty password is no lock");
                }
                _ => {
                    assert_eq!(user("ops").groups, BTreeSet::from(["sudo".to_owned()]));
                    assert_eq!((user("ops").locked, user("ops").home.as_str()), (true, "/home/ops"));
                    assert_eq!((user("hermes").locked, user("hermes").shell.as_str()), (true, "/usr/sbin/nologin"));
                    assert_eq!(user("hermes").groups, BTreeSet::new());
                    assert!(user("hermes").uid < 1000 && facts.groups[&account("hermes")].is().is_some());
                }
            }
        },
        &[],
    );
}

#[test]
fn paths_on_every_host() {
    each(
        |state, facts| {
            let entry = |name: &str| facts.paths[&path(name)].is().unwrap_or_else(|| panic!("{state}: {name}"));
            assert_eq!((&entry("/").kind, entry("/").owner.as_str()), (&PathKind::Directory, "root"), "{state}");
            assert_eq!((&entry("/tmp").kind, entry("/tmp").mode), (&PathKind::Directory, 0o1777), "{state}");
            assert_eq!((&entry("/dev/null").kind, entry("/dev/null").mode), (&PathKind::Other, 0o666), "{state}");
            let mtab = &entry("/etc/mtab").kind;
            assert!(
                matches!(mtab, PathKind::Symlink(target) if target.ends_with("proc/self/mounts")),
                "{state}: {mtab:?}"
            );
            let PathKind::File(hostname) = &entry("/etc/hostname").kind else { panic!("{state}") };
            let name = &facts.host.as_ref().expect(state).hostname;
            assert_eq!(*hostname, digest(&format!("{name}\n")), "{state}");
            for gone in ["/nowhere/x", "/etc/hostname/x", "/var/tmp/odd/gone", "/var/tmp/odd/it's gone"] {
                assert_eq!(facts.paths[&path(gone)], Seen::Absent, "{state}: {gone}");
            }
        },
        &[],
    );
}

#[test]
fn odd_paths_and_texts() {
    each(
        |state, facts| {
            let entry = |name: &str| facts.paths[&path(&format!("/var/tmp/odd/{name}"))].is().expect(name);
            let text = |name: &str| &facts.texts[&path(name)];
            let blank = entry("a b");
            assert_eq!((blank.owner.as_str(), blank.group.as_str(), blank.mode), ("ops", "adm", 0o4750), "{state}");
            assert_eq!(blank.kind, PathKind::File(digest("blank\n")));
            assert_eq!(entry("it's").kind, PathKind::File(digest("quote\n")));
            assert_eq!(entry("link").kind, PathKind::Symlink("//=".into()), "it ends no part of the answer");
            assert_eq!(entry("pipe").kind, PathKind::Other, "{state}: nobody reads it");
            assert_eq!(entry("empty").kind, PathKind::File(digest("")));
            assert_eq!(text("/var/tmp/odd/a b"), &Seen::Is("blank\n".into()));
            assert_eq!(text("/var/tmp/odd/empty"), &Seen::Is(String::new()));
            assert!(matches!(text("/var/tmp/odd/binary"), Seen::Unreadable(_)), "{state}");
            assert_eq!(
                (text("/nowhere/x"), text("/etc/mtab")),
                (&Seen::Absent, &Seen::Absent),
                "links are not followed"
            );
            let version = text("/etc/debian_version").is().expect("it is there");
            assert!(version.starts_with(if state.contains("12") { "12." } else { "13." }), "{state}: {version}");
        },
        &["odd"],
    );
}

#[test]
fn units() {
    each(
        |state, facts| {
            let of = |name: &str| facts.units[&unit(name)].is().unwrap_or_else(|| panic!("{state}: {name}"));
            assert_eq!(facts.units[&unit("no-such.service")], Seen::Absent);
            let (ssh, journal) = (of("ssh.service"), of("systemd-journald.service"));
            assert_eq!(
                (ssh.active.as_str(), ssh.sub.as_str(), ssh.file_state.as_str()),
                ("active", "running", "enabled")
            );
            assert_eq!((journal.active.as_str(), journal.file_state.as_str()), ("active", "static"));
            assert_eq!((ssh.invocation.len(), ssh.need_reload), (32, false), "{state}");
            if state.contains("converged") {
                let (ours, agent) = (of("petasos-egress.service"), of("hermes.service"));
                assert_eq!(
                    (ours.file_state.as_str(), ours.active.as_str(), ours.sub.as_str()),
                    ("enabled", "active", "exited")
                );
                assert_eq!(
                    (agent.file_state.as_str(), agent.active.as_str(), agent.sub.as_str()),
                    ("enabled", "active", "running")
                );
                assert_eq!((agent.fragment.as_str(), agent.drop_ins.len()), ("/etc/systemd/system/hermes.service", 0));
            } else {
                assert_eq!(facts.units[&unit("hermes.service")], Seen::Absent);
            }
            if state.contains("odd") {
                let (odd, failed) = (of("odd.service"), of("odd-failed.service"));
                assert_eq!(
                    (odd.active.as_str(), odd.need_reload),
                    ("active", true),
                    "{state}: its drop-in was not read"
                );
                assert_eq!(odd.drop_ins, BTreeSet::from(["/etc/systemd/system/odd.service.d/nice.conf".to_owned()]));
                assert_eq!((failed.active.as_str(), failed.file_state.as_str()), ("failed", "static"));
                assert_eq!(of("apt-daily.timer").file_state, "masked");
                let time = &facts.units[&unit("systemd-timesyncd.service")];
                assert!(matches!(time, Seen::Is(unit) if unit.file_state == "masked-runtime"), "{state}: {time:?}");
                assert!(
                    matches!(&facts.units[&unit("odd-broken.service")], Seen::Unreadable(why) if why.contains("bad-setting"))
                );
            }
        },
        &[],
    );
}

#[test]
fn sysctls() {
    each(
        |state, facts| {
            let value = |key: &str| facts.sysctls[key].is().unwrap_or_else(|| panic!("{state}: {key}")).as_str();
            assert_eq!(facts.sysctls["no.such"], Seen::Absent);
            assert_eq!(
                value("net.ipv4.tcp_rmem").split(' ').filter_map(|number| number.parse::<u64>().ok()).count(),
                3
            );
            let redirects = if state.contains("converged") { "0" } else { value("net.ipv4.conf.all.send_redirects") };
            assert_eq!(value("net.ipv4.conf.all.send_redirects"), redirects, "{state}");
        },
        &[],
    );
}

#[test]
fn sshd() {
    each(
        |state, facts| {
            let sshd = facts.sshd.as_ref().and_then(Seen::is).expect(state);
            let effective = |user: &str, key: &str| sshd.effective[&account(user)][key].clone();
            let line = |file: &str, keyword: &str| {
                let line = sshd.lines.iter().find(|line| line.file.ends_with(file) && line.keyword == keyword);
                line.map(|line| (line.value.as_str(), line.matched))
            };
            assert_eq!(effective("root", "port"), "22");
            assert_eq!(line("/sshd_config", "include"), Some(("/etc/ssh/sshd_config.d/*.conf", false)), "{state}");
            assert_eq!(line("/50-cloud-init.conf", "passwordauthentication"), Some(("yes", false)), "{state}");
            let passwords = if state.contains("converged") { "no" } else { "yes" };
            assert_eq!(effective("ops", "passwordauthentication"), passwords, "{state}");
            if state.contains("odd") {
                assert_eq!(line("/10-odd.conf", "passwordauthentication"), Some(("yes", false)));
                assert_eq!(line("/10-odd.conf", "permitrootlogin"), Some(("yes", false)));
                assert_eq!(line("/10-odd.conf", "permitemptypasswords"), None, "a comment");
                assert_eq!(line("/10-odd.conf", "x11forwarding"), Some(("yes", true)));
                assert_eq!(line("/10-odd.conf", "maxauthtries"), Some(("9", true)));
                assert_eq!(effective("root", "permitrootlogin"), "yes");
                assert_eq!(
                    (effective("ops", "maxauthtries"), effective("root", "maxauthtries")),
                    ("9".into(), "9".into())
                );
            }
        },
        &[],
    );
}

#[test]
fn ufw() {
    each(
        |state, facts| {
            let seen = facts.ufw.as_ref().expect(state);
            if state.contains("fresh") {
                return assert_eq!(seen, &Seen::Absent, "{state}");
            }
            let ufw = seen.is().expect(state);
            assert!(ufw.enabled && ufw.v4.hooked && ufw.v6.hooked, "{state}");
            assert_eq!((ufw.v4.policy.as_str(), ufw.v6.policy.as_str()), ("DROP", "DROP"), "{state}");
            let defaults: BTreeMap<&str, &str> =
                ufw.defaults.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            assert_eq!((defaults["DEFAULT_INPUT_POLICY"], defaults["IPV6"]), ("drop", "yes"), "{state}");
            let has = |tuple: &str| assert!(ufw.tuples.contains(tuple), "{state}: {tuple}: {:?}", ufw.tuples);
            if state.contains("odd") {
                has("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=6b656570206f70656e");
                has("limit tcp 443 ::/0 any ::/0 in");
                has("allow udp 9090 0.0.0.0/0 any 0.0.0.0/0 Odd%20App - in");
                has("deny any any 0.0.0.0/0 any 203.0.113.66 in");
                assert_eq!(
                    ufw.v4.input.first().map(String::as_str),
                    Some("-p tcp -m tcp --dport 2323 -j ACCEPT"),
                    "{state}"
                );
                assert!(ufw.v4.input.contains(&"-s 203.0.113.66/32 -j DROP".to_owned()) && ufw.v6.input.is_empty());
            } else {
                let ports = ["22", "80", "443"];
                let rules: BTreeSet<String> =
                    ports.map(|port| format!("-p tcp -m tcp --dport {port} -j ACCEPT")).into();
                assert_eq!(ufw.v4.input.iter().cloned().collect::<BTreeSet<_>>(), rules, "{state}");
                assert_eq!(ufw.v6.input.iter().cloned().collect::<BTreeSet<_>>(), rules, "{state}");
                assert_eq!(ufw.tuples.len(), 6, "{state}: three ports, two families");
                has("allow tcp 80 ::/0 any ::/0 in");
            }
        },
        &[],
    );
}

#[test]
fn tables() {
    each(
        |state, facts| {
            if state.contains("fresh") {
                return assert!(facts.tables.values().all(|seen| *seen == Seen::Absent), "{state}: there is no nft");
            }
            let table = |name: &str| facts.tables[name].is().unwrap_or_else(|| panic!("{state}: {name}"));
            assert_eq!((table("inet none").live.len(), &table("inet none").wanted), (0, &None), "{state}");
            if state.contains("odd") {
                let (odd, other) = (table("inet odd"), table("inet other"));
                assert!(odd.wanted.is_none(), "{state}: its file does not load");
                assert!(
                    odd.live.iter().any(|line| line.trim() == "ip daddr 192.0.2.1 counter name \"c\" drop"),
                    "{:?}",
                    odd.live
                );
                assert!(odd.live.iter().all(|line| !line.contains("packets")), "{state}: counts are left out");
                let last = |lines: &[String]| lines.get(2).map(|line| line.trim().to_owned());
                assert_eq!(
                    (last(&other.live), last(other.wanted.as_ref().expect(state))),
                    (Some("accept".into()), Some("drop".into()))
                );
            } else {
                let ours = table("inet petasos");
                assert!(ours.live.len() > 5 && ours.wanted.as_ref() == Some(&ours.live), "{state}: {ours:?}");
            }
        },
        &[],
    );
}

/// The frames themselves: half of one is refused, and so is one that answers another question.
#[test]
fn what_is_cut_off_is_no_fact() {
    for family in ["path", "text", "unit"] {
        let mut frames: Vec<Frame> = FAMILIES.iter().map(|family| frame("debian13-odd", family.name)).collect();
        let frame = frames.iter_mut().find(|frame| frame.name == family).expect("a family");
        frame.out.truncate(frame.out.len() / 3);
        let learned = parse(&queries(), &frames);
        let unread = |facts: &Facts| facts.paths.values().any(|seen| matches!(seen, Seen::Unreadable(_)));
        assert!(learned.as_ref().map_or(true, unread), "{family}");
    }
}
