//! What would make a run fail: reported before anything is changed, in one sentence, and not by the
//! first step that fails of it.

use crate::calendar::calendar;
use crate::fact::host::{Host, Room};
use crate::fault::Fault;
use crate::plan::Step;
use crate::resource::Need;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far a clock may be off, in seconds: certificates and lists of packages are younger than they
/// last.
const OFF: u64 = 3600;

/// What every run needs that changes anything.
const EVERY_RUN: [Need; 2] = [Need { directory: "/etc", mebibytes: 4 }, Need { directory: "/var/lib", mebibytes: 16 }];

/// Why these steps cannot be made on this host; `now` is this machine's clock, in seconds since the
/// epoch.
pub(super) fn in_the_way(host: &Host, steps: &[Step], now: u64) -> Option<Fault> {
    all_in_the_way(host, steps, now).into_iter().map(|(_, fault)| fault).next()
}

/// Every reason, each with what it is about.
pub(super) fn all_in_the_way(host: &Host, steps: &[Step], now: u64) -> Vec<(&'static str, Fault)> {
    let of_host =
        [("clock", clock(host.time, now)), ("disk", read_only(host, steps)), ("disk", full(&host.room, steps))];
    let blocked = steps.iter().map(|step| (step.kind, step.change.blocked.clone()));
    of_host.into_iter().chain(blocked).filter_map(|(about, fault)| Some((about, fault?))).collect()
}

/// What nobody can make before somebody has done something about it.
pub(super) fn blocked(steps: &[Step]) -> Option<Fault> {
    steps.iter().find_map(|step| step.change.blocked.clone())
}

/// This machine's clock, in seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn clock(theirs: u64, ours: u64) -> Option<Fault> {
    let fault = Fault::new(format!(
        "the host's clock says {}, this machine's says {}: TLS certificates and packages would be refused",
        calendar(theirs),
        calendar(ours)
    ));
    (theirs.abs_diff(ours) > OFF).then_some(fault.hint(format!(
        "correct the one that is wrong, on the host with `date -s @{ours}`; `timedatectl` shows whether it is synchronised"
    )))
}

/// Steps of one kind need the room once: most of it is what the first of them fetches.
fn needs(steps: &[Step]) -> Vec<Need> {
    let mut needs = if steps.is_empty() { Vec::new() } else { EVERY_RUN.to_vec() };
    for need in steps.iter().flat_map(|step| step.needs_room.iter().chain(&step.change.needs_room)) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    needs
}

fn read_only(host: &Host, steps: &[Step]) -> Option<Fault> {
    let path = needs(steps).into_iter().map(|need| need.directory).find(|path| host.read_only.contains(*path))?;
    let message = format!("`{path}` cannot be written on the host: its file system is mounted read-only");
    Some(Fault::new(message).hint(format!(
        "`findmnt -T {path}` on the host shows how; after disk errors (see `dmesg`) the kernel does that too, otherwise \
         `mount -o remount,rw` helps"
    )))
}

/// Directories on one file system share its room.
fn full(room: &BTreeMap<String, Room>, steps: &[Step]) -> Option<Fault> {
    let mut devices: BTreeMap<&str, (&str, u64, u64)> = BTreeMap::new();
    for Need { directory, mebibytes } in needs(steps) {
        if let Some(room) = room.get(directory) {
            devices.entry(&room.device).or_insert((directory, room.mebibytes, 0)).2 += mebibytes;
        }
    }
    let (path, free, need) = devices.into_values().find(|(_, free, need)| free < need)?;
    let message = format!("the disk is full: {free} MiB are free where `{path}` is, and this run needs {need} MiB");
    let disk = if steps.iter().any(|step| step.kind == "disk") { " or lower `agent.limits.disk`," } else { "" };
    Some(Fault::new(message).hint(format!(
        "make room on the host (`df -h`, `apt-get clean`, `journalctl --vacuum-size=100M`),{disk} then run the same \
         command again"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Change, Resource, package};

    fn step() -> Step {
        Step::of_run("x", "", Change::new("x", "a", "b", Vec::new()))
    }

    fn package() -> Step {
        let package = package::Spec { present: Vec::new(), absent: Vec::new(), finished: false };
        Step { needs_room: package.needs_room(), ..step() }
    }

    #[test]
    fn an_hour_is_allowed_and_ten_years_are_not() {
        let now = 1_795_357_151;
        let host = |time| Host { time, ..Host::default() };
        assert_eq!(in_the_way(&host(now - 3000), &[], now), None);
        assert_eq!(in_the_way(&host(now + 3000), &[], now), None);
        let why = in_the_way(&host(now - 315_532_800), &[], now).expect("ten years").message;
        assert!(why.contains("2016-11-22") && why.contains("2026-11-22"), "{why}");
    }

    #[test]
    fn directories_of_one_disk_share_its_room() {
        let now = 1_795_357_151;
        let room = |device: &str, mebibytes| Room { device: device.into(), mebibytes };
        let mut host = Host { time: now, ..Host::default() };
        host.room = BTreeMap::from([
            ("/etc".into(), room("a", 100)),
            ("/usr".into(), room("a", 100)),
            ("/var/lib".into(), room("a", 100)),
            ("/var/cache/apt".into(), room("b", 47)),
        ]);
        assert_eq!(in_the_way(&host, &[step()], now), None);
        let why = in_the_way(&host, &[package()], now).expect("47 MiB are too few").message;
        assert!(why.contains("47 MiB") && why.contains("/var/cache/apt"), "{why}");
        host.room.insert("/var/cache/apt".into(), room("a", 100));
        let why = in_the_way(&host, &[package()], now).expect("the four are one disk").message;
        assert!(why.contains("100 MiB are free") && why.contains("needs 132 MiB"), "{why}");
        assert_eq!(in_the_way(&host, &[], now), None, "a converged host needs no room");
    }

    #[test]
    fn what_is_not_written_may_be_read_only() {
        let now = 1_795_357_151;
        let mut host = Host { time: now, ..Host::default() };
        host.read_only.insert("/usr".into());
        assert_eq!(in_the_way(&host, &[step()], now), None);
        assert!(in_the_way(&host, &[package()], now).is_some_and(|why| why.message.contains("`/usr`")));
    }
}
