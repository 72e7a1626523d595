//! Captured answers of hosts, and the facts that they give: see the head of tests/facts.rs.
#![allow(dead_code, reason = "each test file takes a part of it")]

use petasos::fact::{FAMILIES, Facts, Query, parse};
use petasos::name::{AbsPath, Account, PackageName, UnitName};
use petasos::resource::digest;
use petasos::shell::{Asked, Frame, Reader};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub const STATES: [&str; 6] =
    ["debian12-converged", "debian12-fresh", "debian12-odd", "debian13-converged", "debian13-fresh", "debian13-odd"];

/// The captures that are still to be taken on a lab host: state and family. What stands here is
/// left out of the tests; a family that stands neither here nor in the state's folder fails them.
pub const TO_BE_CAPTURED: [(&str, &str); 0] = [];

pub fn is_captured(state: &str, family: &str) -> bool {
    !TO_BE_CAPTURED.contains(&(state, family))
}

pub fn path(text: &str) -> AbsPath {
    AbsPath::new(text).expect("a path")
}
pub fn account(text: &str) -> Account {
    Account::new(text).expect("an account")
}
pub fn unit(text: &str) -> UnitName {
    UnitName::new(text).expect("a unit")
}
pub fn package(text: &str) -> PackageName {
    PackageName::new(text).expect("a package")
}

/// What is asked of every host.
pub fn queries() -> BTreeSet<Query> {
    let mut queries = BTreeSet::from([Query::Ufw]);
    queries.extend(["sudo", "ufw", "nftables", "libc6", "no-such-package"].map(|name| Query::Package(package(name))));
    let offers = ["sudo", "no-such-package", "awk", "nftable", "gawk"];
    queries.extend(offers.map(|name| Query::Offer(package(name))));
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
    let texts = ["/etc/debian_version", "/etc/mtab", "/nowhere/x", "/etc/sysctl.d/zz-petasos-net.conf"];
    queries.extend(texts.map(|name| Query::Text(path(name))));
    queries.extend(["binary", "empty", "a b"].map(|name| Query::Text(path(&format!("/var/tmp/odd/{name}")))));
    let units =
        ["ssh.service", "systemd-journald.service", "apt-daily.timer", "systemd-timesyncd.service", "no-such.service"];
    let ours = ["petasos-egress.service", "hermes.service", "odd.service", "odd-failed.service", "odd-broken.service"];
    queries.extend(units.into_iter().chain(ours).map(|name| Query::Unit(unit(name))));
    let keys = ["net.ipv4.tcp_rmem", "net.ipv4.conf.lo.rp_filter", "net.ipv4.conf.all.send_redirects", "no.such"];
    queries.extend(keys.map(|key| Query::Sysctl(key.to_owned())));
    let drop_ins =
        ["/etc/sysctl.d/zz-petasos-net.conf", "/etc/sysctl.d/11-odd.conf", "/etc/systemd/journald.conf.d/50-odd.conf"];
    queries.extend(drop_ins.map(|name| Query::Later(path(name))));
    queries.insert(Query::Later(path("/etc/apt/apt.conf.d/50odd")));
    queries.extend([22, 8642, 1].map(Query::Listener));
    queries.extend(["root", "ops"].map(|name| Query::Sshd(account(name))));
    for (table, file) in [
        ("inet petasos", "/etc/petasos/egress.nft"),
        ("inet odd", "/var/tmp/odd/odd.nft"),
        ("inet other", "/var/tmp/odd/other.nft"),
        ("inet none", "/nowhere/x"),
    ] {
        queries.insert(Query::Table { table: table.to_owned(), file: path(file) });
    }
    for (image, mount) in [("/var/lib/petasos-data/agent.img", "/home/hermes/.hermes"), ("/nowhere/x", "/proc")] {
        queries.insert(Query::Disk { image: path(image), mount: path(mount) });
    }
    queries.insert(Query::Disk { image: path("/etc/hostname"), mount: path("/nowhere") });
    queries
}

pub fn folder(state: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts").join(state)
}

/// The line that ties a capture to the command which it answers.
pub fn command(family: &str, queries: &BTreeSet<Query>) -> String {
    let family = FAMILIES.iter().find(|other| other.name == family).expect("a family");
    let (fragment, args) = (family.fragment)(queries).expect("every family is asked");
    format!("command: the fragment `{}` ({}) with {args:?}", family.name, &digest(fragment)[..16])
}

/// A capture: its head, and the bytes of its frame.
pub fn captured(state: &str, family: &str) -> (String, Vec<u8>) {
    let path = folder(state).join(format!("{family}.frame"));
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; see the head of tests/facts.rs", path.display()));
    let end = bytes.windows(2).position(|window| window == b"\n\n").expect("a head");
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end + 2..].to_vec())
}

pub fn frame(state: &str, family: &str) -> Frame {
    let bytes = captured(state, family).1;
    let mut reader = Reader::new("x", Asked { names: vec![family.into()], all: true, room: bytes.len() });
    let mut frames = reader.push(b"@petasos x\n").expect("an opening");
    frames.extend(reader.push(&bytes).expect("a frame"));
    frames.extend(reader.push(b"@end 1\n").expect("an end"));
    reader.finish().expect("whole");
    frames.pop().expect("one frame")
}

/// What was asked of a host and answered, as far as it is captured.
pub fn answers(state: &str) -> (BTreeSet<Query>, Vec<Frame>) {
    let there = FAMILIES.iter().filter(|family| is_captured(state, family.name));
    let frames: Vec<Frame> = there.map(|family| frame(state, family.name)).collect();
    let mut queries = queries();
    queries.retain(|query| is_answered(state, query));
    (queries, frames)
}

pub fn facts(state: &str) -> Facts {
    let (queries, frames) = answers(state);
    parse(&queries, &frames).unwrap_or_else(|why| panic!("{state}: {why}"))
}

/// Whether no family that is still to be captured is asked this.
pub fn is_answered(state: &str, query: &Query) -> bool {
    let alone = BTreeSet::from([query.clone()]);
    let missing = FAMILIES.iter().filter(|family| !is_captured(state, family.name));
    missing.filter(|family| (family.fragment)(&alone).is_some()).count() == 0
}

pub fn each(check: impl Fn(&str, &Facts), states: &[&str]) {
    for state in STATES.iter().filter(|state| states.is_empty() || states.iter().any(|part| state.contains(part))) {
        check(state, &facts(state));
    }
}
