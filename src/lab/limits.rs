//! What the hosts share of this machine's kernel and may run out of: inotify instances. systemd
//! needs some in each host, all count as root's, and the distributions' limit is 128.
use super::Say;

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

/// What the limit must be raised to for so many hosts, if it is short.
fn short(limit: u64, hosts: u64) -> Option<u64> {
    let needed = hosts * PER_HOST + OTHERS;
    (limit < needed).then(|| needed.next_power_of_two().max(USUAL))
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn the_usual_limit_is_raised_before_it_is_reached() {
        assert_eq!(short(128, 12), None);
        // With 128 the 23rd host was seen to fail.
        assert!((13..=22).all(|hosts| short(128, hosts) == Some(1024)));
        assert_eq!(short(1024, 22), None);
        assert_eq!(short(1024, 200), Some(2048));
    }
}
