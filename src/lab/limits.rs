//! What the hosts share of this machine and may run out of: inotify instances, of which systemd
//! needs some in each host, all count as root's, and the distributions' limit is 128; and the disk.
use super::Say;
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::path::Path;

const FILE: &str = "/proc/sys/fs/inotify/max_user_instances";

/// Those of a host's systemd and consoles, and of root's session on it.
const PER_HOST: u64 = 9;
/// Of this machine's own root.
const OTHERS: u64 = 16;
const USUAL: u64 = 1024;

/// Before one more host starts beside those that run: raises the limit where it would be reached,
/// until this machine restarts. Whether it could or not, it says so: without, a host's systemd
/// fails with "too many open files".
pub fn make_room(running: usize, say: Say<'_>) {
    let text = std::fs::read_to_string(FILE).unwrap_or_default();
    let Ok(limit) = text.trim().parse() else { return };
    let Some(wanted) = short(limit, running as u64 + 1) else { return };
    let hosts = format!("{} hosts need up to {PER_HOST} inotify instances each", running + 1);
    match std::fs::write(FILE, wanted.to_string()) {
        Ok(()) => {
            say(&format!(
                "{hosts}: raised fs.inotify.max_user_instances of this machine from {limit} to {wanted}, until it restarts"
            ));
        }
        Err(error) => say(&format!(
            "warning: {hosts}, and this machine allows root {limit} in all: a host may fail with \"too many open files\"; \
             raise it with `sysctl fs.inotify.max_user_instances={wanted}` (it could not be done from here: {error})"
        )),
    }
}

/// What a host takes with the agent, whose data has a disk of 4 GiB unless petasos.yaml says less,
/// and what must be left then: the agent's sandbox refuses to work with less than 2 GiB.
pub const DISK: u64 = 3 << 30;

/// How many bytes there is room for below a folder.
///
/// # Errors
/// When the kernel does not tell.
pub fn room(folder: &Path) -> Result<u64> {
    let disk =
        rustix::fs::statvfs(folder).with_context(|| format!("cannot look at the disk of `{}`", folder.display()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// # Errors
/// There is less than is needed; both in bytes.
pub fn enough(left: u64, needed: u64, folder: &Path) -> Result<()> {
    if left >= needed {
        return Ok(());
    }
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
    let (folder, left, needed) = (folder.display(), gib(left), gib(needed));
    let fault =
        Fault::new(format!("the disk of `{folder}` has {left} left, and the lab needs {needed}: its hosts share it"));
    bail!(fault.hint("make room on this machine (`df -h`, `petasos lab list`, `petasos lab snapshots`)"))
}

/// What the limit must be raised to for so many hosts, if it is short.
fn short(limit: u64, hosts: u64) -> Option<u64> {
    let needed = hosts * PER_HOST + OTHERS;
    (limit < needed).then(|| needed.next_power_of_two().max(USUAL))
}

#[cfg(test)]
mod tests {
    use super::{enough, short};
    use std::path::Path;

    #[test]
    fn a_full_disk_is_named_before_a_host_starts() {
        assert!(enough(3 << 30, 3 << 30, Path::new("/srv")).is_ok());
        let error = enough((3 << 30) - 1, 3 << 30, Path::new("/srv")).unwrap_err().to_string();
        assert!(error.contains("the disk of `/srv` has 3.0 GiB left, and the lab needs 3.0 GiB"), "{error}");
    }

    #[test]
    fn the_usual_limit_is_raised_before_it_is_reached() {
        assert_eq!(short(128, 12), None);
        // With 128 the 23rd host was seen to fail.
        assert!((13..=22).all(|hosts| short(128, hosts) == Some(1024)));
        assert_eq!(short(1024, 22), None);
        assert_eq!(short(1024, 200), Some(2048));
    }
}
