//! The parsers of facts against answers of real hosts:
//! `tests/facts/<distribution>-<state>/<family>.frame`.
//!
//! Nothing there is typed by hand. A file's head says which host answered and to which command;
//! then comes the frame, byte by byte. A fragment that changes makes its captures stale, which is
//! an error; to capture again, on lab hosts:
//!
//!     petasos lab up u13; petasos lab ssh-config >ssh; export PETASOS_SSH_CONFIG=$PWD/ssh
//!     PETASOS_CAPTURE="debian13-fresh root@u13" cargo test --test facts -- --ignored capture
//!
//! `-odd` is a fresh host after `tests/facts/odd.sh`, `-converged` one after `petasos up` (as
//! `ops@u13`).
mod common_facts;

use common_facts::{
    STATES, TO_BE_CAPTURED, account, answers, captured, command, each, folder, is_captured, package, path, queries,
    unit,
};
use petasos::fact::path::PathKind;
use petasos::fact::{FAMILIES, Facts, Offer, Seen, parse, script};
use petasos::resource::digest;
use petasos::shell::Reader;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
    let script = script(&queries);
    ssh.stdin.take().expect("piped").write_all(script.text("x").as_bytes()).expect("it reads");
    let out = ssh.wait_with_output().expect("it ends").stdout;
    let mut reader = Reader::new("x", script.asked());
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
fn every_family_is_captured_in_every_state_or_listed_as_missing() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable"));
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name != "odd.sh").collect()
    };
    assert_eq!(names(folder("")), STATES.iter().map(ToString::to_string).collect(), "one folder a state");
    for state in STATES {
        let captured = FAMILIES.iter().filter(|family| is_captured(state, family.name));
        let expected: BTreeSet<String> = captured.map(|family| format!("{}.frame", family.name)).collect();
        assert_eq!(names(folder(state)), expected, "{state}: see the head of tests/facts.rs");
    }
    for (state, family) in TO_BE_CAPTURED {
        assert!(STATES.contains(&state) && FAMILIES.iter().any(|known| known.name == family), "{state}/{family}");
    }
}

#[test]
fn every_capture_answers_the_command_of_today() {
    for state in STATES {
        for family in FAMILIES.iter().filter(|family| is_captured(state, family.name)) {
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
            assert!(host.time > 1_700_000_000 && host.ssh_port == 22, "{state}");
            assert!(host.ssh_client.is_some() && host.ssh_address.is_some(), "{state}");
            assert_eq!(host.ssh_interface, "eth0", "{state}");
            // Nothing is in the way of a change on any of them; what is, lab hosts show in
            // tests/lab/badday.
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

/// A fresh host has no lists yet, so it cannot say what there is not. The oracle is Debian's
/// archive.
#[test]
fn offers() {
    each(
        |state, facts| {
            let offer = |name: &str| &facts.offers[&package(name)];
            assert_eq!(offer("sudo"), &Seen::Is(Offer::There), "{state}: it is installed");
            if state.contains("fresh") {
                assert!(matches!(offer("no-such-package"), Seen::Unreadable(_)), "{state}");
                assert!(matches!(offer("gawk"), Seen::Unreadable(_)), "{state}");
                return;
            }
            let names = |names: &[&str]| names.iter().map(|name| package(name)).collect();
            let instead =
                |providers, alike| Seen::Is(Offer::Instead { providers: names(providers), alike: names(alike) });
            assert_eq!(offer("gawk"), &Seen::Is(Offer::There), "{state}: it could be installed");
            assert_eq!(offer("no-such-package"), &instead(&[], &[]), "{state}");
            assert_eq!(offer("awk"), &instead(&["gawk", "mawk", "original-awk"], &[]), "{state}");
            assert_eq!(offer("nftable"), &instead(&[], &["nftables"]), "{state}");
        },
        &[],
    );
}

#[test]
fn later_drop_ins() {
    each(
        |state, facts| {
            let after = |name: &str| {
                let lines = facts.later[&path(name)].iter();
                lines.map(|line| format!("{}:{} {}", line.file, line.number, line.text)).collect::<Vec<_>>()
            };
            assert!(
                after("/etc/sysctl.d/zz-petasos-net.conf").iter().all(|line| line.starts_with("/etc/ufw/sysctl.conf:")),
                "{state}"
            );
            let (sysctls, journal) =
                (after("/etc/sysctl.d/11-odd.conf"), after("/etc/systemd/journald.conf.d/50-odd.conf"));
            if state.ends_with("odd") {
                for line in [
                    "/etc/sysctl.d/99-odd.conf:2 kernel.sysrq = 1",
                    "/etc/sysctl.d/99-odd.conf:4 -net/ipv4/conf/all/rp_filter=0",
                    "/etc/ufw/sysctl.conf:1 net/ipv4/conf/all/accept_redirects=1",
                ] {
                    assert!(sysctls.contains(&line.to_owned()), "{state}: {line} is not in {sysctls:?}");
                }
                assert!(
                    !sysctls.iter().any(|line| line.contains("98-odd") || line.contains("# x")),
                    "{state}: {sysctls:?}"
                );
                let mut apt = after("/etc/apt/apt.conf.d/50odd");
                apt.retain(|line| line.contains("odd:") || line.contains("/apt.conf:"));
                assert_eq!(
                    apt,
                    [
                        "/etc/apt/apt.conf.d/99odd:2 APT::Periodic {",
                        "/etc/apt/apt.conf.d/99odd:3   Unattended-Upgrade \"0\";",
                        "/etc/apt/apt.conf.d/99odd:4 };",
                        "/etc/apt/apt.conf.d/99odd:5 #clear APT::x;",
                        "/etc/apt/apt.conf:1 APT::Periodic::Update-Package-Lists \"0\";",
                    ],
                    "{state}"
                );
                assert_eq!(
                    journal[..2],
                    ["1 [Journal]", "2 Storage=volatile"]
                        .map(|line| format!("/run/systemd/journald.conf.d/99-odd.conf:{line}"))
                );
            } else {
                assert!(!journal.iter().any(|line| line.contains("Storage=volatile")), "{state}");
            }
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
            assert_eq!((user("root").ageing.as_str(), user("root").runs_in.len()), ("", 0));
            match state.split_once('-').expect("a state").1 {
                "fresh" => assert_eq!(facts.users[&account("ops")], Seen::Absent, "{state}"),
                "odd" => {
                    assert_eq!(
                        (user("ops").ageing.as_str(), user("hermes").ageing.as_str()),
                        ("its password lasts 60 days", "")
                    );
                    assert_eq!(user("hermes").runs_in, BTreeSet::from(["/system.slice/odd-other.service".to_owned()]));
                    assert_eq!(user("ops").groups, BTreeSet::from(["adm".to_owned(), "sudo".to_owned()]));
                    assert_eq!((user("ops").locked, user("ops").shell.as_str()), (false, "/bin/sh"), "it has a hash");
                    assert!(!user("hermes").locked, "an empty password is no lock");
                }
                _ => {
                    assert_eq!(user("ops").groups, BTreeSet::from(["sudo".to_owned()]));
                    assert_eq!((user("ops").locked, user("ops").home.as_str()), (true, "/home/ops"));
                    assert_eq!((user("hermes").locked, user("hermes").shell.as_str()), (true, "/usr/sbin/nologin"));
                    assert_eq!(user("hermes").groups, BTreeSet::new());
                    assert_eq!(user("ops").ageing, "", "{state}");
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
fn listeners() {
    each(
        |state, facts| {
            let group = |text: &str| Seen::Is(BTreeSet::from([text.to_owned()]));
            assert_eq!(facts.listeners[&22], group("/system.slice/ssh.service"), "{state}");
            assert_eq!(facts.listeners[&1], Seen::Absent, "{state}");
            let (_, kind) = state.split_once('-').expect("a state");
            let agent = match kind {
                "converged" => group("/system.slice/hermes.service"),
                "odd" => group("/system.slice/odd-listener.service"),
                _ => Seen::Absent,
            };
            assert_eq!(facts.listeners[&8642], agent, "{state}");
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

/// The frames themselves: half of one is refused, and so is one that answers another question.
#[test]
fn what_is_cut_off_is_no_fact() {
    for family in ["path", "text", "unit"] {
        let (queries, mut frames) = answers("debian13-odd");
        let frame = frames.iter_mut().find(|frame| frame.name == family).expect("a family");
        frame.out.truncate(frame.out.len() / 3);
        let learned = parse(&queries, &frames);
        let unread = |facts: &Facts| facts.paths.values().any(|seen| matches!(seen, Seen::Unreadable(_)));
        assert!(learned.as_ref().map_or(true, unread), "{family}");
    }
}
