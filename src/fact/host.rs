//! The machine itself: distribution, architecture, what runs as PID 1; and what may be in the way
//! of a change.

use super::{Facts, Family, Query};
use crate::fault::Fault;
use crate::shell::Frame;
use core::net::{IpAddr, Ipv4Addr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// `ID` of os-release(5): `debian`, `ubuntu`.
    pub distribution: String,
    /// `VERSION_ID`: `13`, `24.04`.
    pub version: String,
    /// `VERSION_CODENAME`: `trixie`, `noble`.
    pub codename: String,
    pub architecture: String,
    pub kernel: String,
    pub hostname: String,
    /// Whether it is a container, whose kernel belongs to somebody else.
    pub container: bool,
    /// The name of PID 1.
    pub init: String,
    /// Seconds since the epoch, by the host's clock.
    pub time: u64,
    /// The port at which its sshd has this very connection; another than the one that was dialled
    /// where something in between translates ports.
    pub ssh_port: u16,
    /// From where it has it, and at which address and interface of the host's, as far as known.
    pub ssh_client: Option<IpAddr>,
    pub ssh_address: Option<IpAddr>,
    pub ssh_interface: String,
    /// Whether ssh.socket owns the SSH port, and not ssh.service.
    pub ssh_socket: bool,
    /// Whether systemd's own resolver runs.
    pub resolved: bool,
    /// Whether cloud-init is still at work on this start of the host.
    pub cloud_init: bool,
    /// Whether it is still starting: what is to run may not run yet.
    pub starting: bool,
    /// Whether packages are half-way installed, and nobody is at work on them.
    pub dpkg_interrupted: bool,
    /// Who holds a lock of dpkg's or apt's (`apt-get, process 123`); empty when nobody does.
    pub apt_held_by: String,
    /// Directories that not even root can write: a file system mounted read-only.
    pub read_only: BTreeSet<String>,
    /// The resolvers that the host asks for names, in its order.
    pub nameservers: Vec<IpAddr>,
    /// Whether loopback has `::1`.
    pub ipv6: bool,
    /// The unit that keeps the clock: the one that runs, or systemd's own.
    pub clock: String,
    /// Who becomes root without a password, by which file (sudoers(5)): `%wheel (/etc/sudoers)`.
    pub sudoers: BTreeSet<String>,
    /// Whether an nginx of somebody else's serves here: one that is installed, and not held back.
    pub web_server: bool,
    /// Whether its sshd can agree on keys by ML-KEM.
    pub mlkem: bool,
    /// Whether its distribution has the package by which nginx runs scripts (njs): all but Ubuntu
    /// 22.04.
    pub njs: bool,
    /// Whether its nginx takes `-e` (1.19.5 on): Ubuntu 22.04's is older. It says once that it
    /// cannot write to its usual log, and goes on.
    pub nginx_e: bool,
    /// How much fits into the directories that a run fills.
    pub room: BTreeMap<String, Room>,
}

/// What is free where a directory is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// The same for all directories of one file system.
    pub device: String,
    /// For those without root's privilege.
    pub mebibytes: u64,
}

pub const FAMILY: Family = Family { name: "host", fragment: |_| Some((FRAGMENT, Vec::new())), parse };

// cloud-init: `cloud-init status` takes a second, and waits for ever where a start of the host did
// not run it. Its own marks in /run, and a job of systemd's that still waits, show the same at
// once. dpkg: what `dpkg --audit` looks for, which takes 50 ms; and its journal, which must be
// empty for apt. apt's locks are fcntl's, which only a program can ask about; perl-base is
// essential.
const FRAGMENT: &str = include_str!("../../remote/fact/host.sh");

fn parse(_: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    let pairs: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let get = |key| pairs.get(key).map(|value| value.trim_matches('"').to_owned());
    let need = |key| get(key).ok_or_else(|| Fault::new(format!("no `{key}` in it")));
    let holds = |key| need(key).map(|value| value == "yes");
    let address = |key| get(key)?.parse().ok();
    let of_paths = |kind: &'static str| {
        pairs
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(kind)?.strip_prefix(':')?.to_owned(), *value)))
    };
    let room = |(path, fields): (String, &str)| {
        Ok((path, room(fields).ok_or_else(|| Fault::new(format!("`{fields}` is no room")))?))
    };
    let jammy = (get("ID").as_deref(), get("VERSION_ID").as_deref()) == (Some("ubuntu"), Some("22.04"));
    facts.host = Some(Host {
        distribution: get("ID").unwrap_or_default(),
        version: get("VERSION_ID").unwrap_or_default(),
        codename: get("VERSION_CODENAME").unwrap_or_default(),
        architecture: need("architecture")?,
        kernel: need("kernel")?,
        hostname: need("hostname")?,
        container: holds("container")?,
        init: need("init")?,
        time: need("time")?.parse().map_err(|_| Fault::new("`time` is no number"))?,
        ssh_port: need("ssh_port")?.parse().map_err(|_| Fault::new("`ssh_port` is no port"))?,
        ssh_client: address("ssh_client"),
        ssh_address: address("ssh_address"),
        ssh_interface: get("ssh_interface").unwrap_or_default(),
        ssh_socket: holds("ssh_socket")?,
        resolved: holds("resolved")?,
        cloud_init: holds("cloud_init")?,
        starting: holds("starting")?,
        dpkg_interrupted: holds("dpkg_interrupted")?,
        apt_held_by: need("apt_held_by")?,
        read_only: of_paths("read_only").map(|(path, _)| path).collect(),
        nameservers: nameservers(&text)?,
        ipv6: holds("ipv6")?,
        clock: need("clock")?,
        sudoers: of_paths("sudoer").map(|(who, file)| format!("{who} ({file})")).collect(),
        web_server: holds("web_server")?,
        mlkem: holds("mlkem")?,
        njs: !jammy,
        nginx_e: !jammy,
        room: of_paths("room").map(room).collect::<Result<_, Fault>>()?,
    });
    Ok(())
}

/// As resolv.conf(5) has them; where it has none, the resolver asks this very host.
fn nameservers(text: &str) -> Result<Vec<IpAddr>, Fault> {
    let listed = || text.lines().filter_map(|line| line.strip_prefix("nameserver:")?.strip_suffix('='));
    let found: Vec<IpAddr> = listed().filter_map(|server| server.parse().ok()).collect();
    match (found.is_empty(), listed().next()) {
        (false, _) => Ok(found),
        (true, None) => Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]),
        // An address of one network card alone (`fe80::1%eth0`) is not for a proxy to ask.
        (true, Some(server)) => {
            Err(Fault::new(format!("/etc/resolv.conf names no resolver by a whole address, but `{server}`")))
        }
    }
}

/// `DEVICE BLOCKS BYTES-PER-BLOCK`.
fn room(fields: &str) -> Option<Room> {
    let [device, blocks, size] = fields.split(' ').collect::<Vec<_>>()[..] else { return None };
    let bytes = blocks.parse::<u64>().ok()?.saturating_mul(size.parse().ok()?);
    Some(Room { device: device.to_owned(), mebibytes: bytes >> 20 })
}
