//! What decides who gets in: sshd, sudo, PAM, accounts, the firewall, the network, and the programs
//! of a login. A change of it can lock people out, whatever a playbook says of it.
//!
//! Not among it, because a login works without: /etc/resolv.conf, /etc/hosts and /etc/hostname
//! (sshd looks no name up, sudo only warns), and what takes effect at the next start of the host
//! alone (/etc/fstab, boot loaders), which no fresh login would confirm.

use super::Risk;
use super::effects::is_below;
use crate::name::{AbsPath, UnitName};

/// Each with all below it.
const PATHS: [&str; 50] = [
    // sshd, and what it asks.
    "/etc/ssh",
    "/etc/default/ssh",
    "/etc/hosts.allow",
    "/etc/hosts.deny",
    "/etc/nologin",
    "/etc/pam.conf",
    "/etc/pam.d",
    "/etc/security",
    "/etc/login.defs",
    "/etc/nsswitch.conf",
    "/etc/sssd",
    "/etc/krb5.conf",
    "/etc/krb5.keytab",
    // sudo.
    "/etc/sudo.conf",
    "/etc/sudoers",
    "/etc/sudoers.d",
    // Accounts.
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    // Firewalls.
    "/etc/ufw",
    "/etc/default/ufw",
    "/etc/nftables.conf",
    "/etc/nftables.d",
    "/etc/iptables",
    "/etc/firewalld",
    "/etc/fail2ban",
    // The network.
    "/etc/netplan",
    "/etc/network",
    "/etc/systemd/network",
    "/etc/systemd/networkd.conf",
    "/etc/systemd/networkd.conf.d",
    "/etc/NetworkManager",
    "/etc/dhcp",
    "/etc/dhcpcd.conf",
    "/etc/cloud",
    // What every login runs.
    "/etc/bash.bashrc",
    "/etc/environment",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/zsh",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/bin",
    "/lib",
    "/sbin",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
];

/// What stands below one of them, and is no part of any login: the programs of Petasos's own.
const OURS: &str = "/usr/lib/petasos";

/// In whosever home.
const OF_HOMES: [&str; 6] = [".bashrc", ".bash_login", ".bash_profile", ".profile", ".zshenv", ".zshrc"];

/// Where units and their drop-ins are.
const UNITS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"];

/// Units by their name, up to a dot or an `@`.
const SERVICES: [&str; 12] = [
    "NetworkManager",
    "dhcpcd",
    "fail2ban",
    "firewalld",
    "ifup",
    "iptables",
    "netfilter-persistent",
    "networking",
    "nftables",
    "sssd",
    "systemd-networkd",
    "ufw",
];

/// The least risk of a change at a path.
pub fn risk_of_path(path: &AbsPath) -> Risk {
    let is_home = home_of(path).is_some();
    let path = path.as_str();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_home || is_keys(path) || is_above(path) {
        // sshd(8) reads what is there: new keys, or the folder for them, shut nobody out.
        return Risk::LockoutWhenChanged;
    }
    let of_access = |below: &str| below.starts_with('/') && below.split('/').any(is_access_unit);
    let decides = PATHS.iter().any(|known| is_below(path, known)) && !is_below(path, OURS)
        || OF_HOMES.contains(&name)
        || folder.split('/').any(|part| part == ".ssh")
        || UNITS.iter().filter_map(|units| path.strip_prefix(units)).any(of_access);
    if decides { Risk::Lockout } else { Risk::None }
}

/// The least risk of a change of a unit's state.
pub fn risk_of_unit(unit: &UnitName) -> Risk {
    if is_access_unit(unit.as_str()) { Risk::Lockout } else { Risk::None }
}

/// The least risk of another value of a kernel parameter: what takes an address away, or drops
/// packets that come another way than the answer goes.
pub fn risk_of_parameter(key: &str, value: &str) -> Risk {
    let name = key.rsplit('.').next().unwrap_or_default();
    let closes = match name {
        "disable_ipv6" => value.trim() != "0",
        "rp_filter" => value.trim() == "1",
        "arp_announce" | "arp_filter" | "arp_ignore" => value.trim() != "0",
        _ => false,
    };
    if key.starts_with("net.") && closes { Risk::Lockout } else { Risk::None }
}

/// The account whose home a directory is, by the custom of adduser(8).
pub fn home_of(path: &AbsPath) -> Option<&str> {
    match path.as_str() {
        "/root" => Some("root"),
        path => path.strip_prefix("/home/").filter(|name| !name.contains('/')),
    }
}

fn is_keys(path: &str) -> bool {
    ["/.ssh", "/.ssh/authorized_keys", "/.ssh/authorized_keys2"].iter().any(|end| path.ends_with(end))
}

/// Whether a directory is one that all of this, or every home, lies below: its mode counts.
fn is_above(path: &str) -> bool {
    let places = PATHS.iter().chain(&UNITS).chain(&["/home/x", "/root/x"]);
    places.copied().any(|place| place != path && is_below(place, path))
}

/// Whether a file or folder of systemd's is such a unit, a drop-in of it, or one of all units of a
/// type.
fn is_access_unit(name: &str) -> bool {
    let unit = name.strip_suffix(".d").unwrap_or(name);
    let stem = unit.split(['.', '@']).next().unwrap_or_default();
    SERVICES.contains(&stem) || stem.starts_with("ssh") || matches!(name, "service.d" | "socket.d")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(path: &str) -> Risk {
        risk_of_path(&AbsPath::new(path).unwrap())
    }

    #[test]
    fn what_decides_who_gets_in_is_told_from_its_neighbours() {
        for path in [
            "/etc/ssh/sshd_config.d/10-mine.conf",
            "/etc/sudoers.d/x",
            "/etc/pam.d/sshd",
            "/etc/netplan/50.yaml",
            "/etc/nftables.conf",
            "/etc/systemd/system/ssh.service",
            "/etc/systemd/system/ssh.socket.d/port.conf",
            "/etc/systemd/system/multi-user.target.wants/ufw.service",
            "/etc/systemd/system/service.d/all.conf",
            "/home/ops/.ssh/rc",
            "/home/ops/.bashrc",
            "/usr/sbin/sshd",
        ] {
            assert_eq!(risk(path), Risk::Lockout, "{path}");
        }
        for path in ["/home/ops/.ssh/authorized_keys", "/home/ops/.ssh", "/etc", "/home", "/", "/usr"] {
            assert_eq!(risk(path), Risk::LockoutWhenChanged, "{path}");
        }
        for path in [
            "/etc/sshguard.conf",
            "/etc/sudoers.dist",
            "/etc/hermes/config.yaml",
            "/etc/systemd/system/hermes.service",
            "/etc/systemd/journald.conf.d/60.conf",
            "/etc/petasos",
            "/usr/local/bin/x",
            "/home/ops/notes",
            "/etc/resolv.conf",
        ] {
            assert_eq!(risk(path), Risk::None, "{path}");
        }
    }

    #[test]
    fn parameters_that_cut_a_host_off() {
        assert_eq!(risk_of_parameter("net.ipv6.conf.all.disable_ipv6", "1"), Risk::Lockout);
        assert_eq!(risk_of_parameter("net.ipv6.conf.all.disable_ipv6", "0"), Risk::None);
        assert_eq!(risk_of_parameter("net.ipv4.conf.all.rp_filter", "2"), Risk::None);
        assert_eq!(risk_of_parameter("kernel.sysrq", "1"), Risk::None);
    }
}
