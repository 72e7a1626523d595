//! The drift table: what somebody did to a converged host, and what must follow.

mod covers;
mod files;
mod firewall;
mod people;
mod policy;
mod units;

pub struct Drift {
    pub name: &'static str,
    /// What is done to the host, by root; `$1` is the public key of the lab.
    pub inject: &'static str,
    /// `id` and field of each change that `plan` must name: these and no others.
    pub expect: &'static [(&'static str, &'static str)],
    /// Succeeds while the host is sound, by the word of the daemon, the kernel, or (`login USER`) a
    /// refused login.
    pub sound: &'static str,
    /// The watched services that must restart, because they may have read what was changed; the
    /// others must not.
    pub restarts: &'static [&'static str],
    /// Where `up` may write (under /etc, /home and /usr/local).
    pub writes: &'static [&'static str],
    /// What it takes to start over where `up` failed to heal it.
    pub undo: &'static str,
    /// Whether others by default drift in the same fields of the same kinds of resources.
    pub long: bool,
}

/// No service restarts, nothing is written, nothing is to undo.
const PLAIN: Drift =
    Drift { name: "", inject: "", expect: &[], sound: "", restarts: &[], writes: &[], undo: "", long: false };

const HERMES: &[&str] = &["hermes.service"];
const UNIT: &str = "/etc/systemd/system/hermes.service";
const CONFIG: &str = "/etc/hermes/config.yaml";
const PACKAGES: &str = "package ca-certificates debsums git nftables openssh-client openssh-server python3 python3-venv sudo ufw unattended-upgrades";
/// The running agent can get no capability, whatever its unit file says now.
const NO_CAPABILITIES: &str = "grep -q '^CapBnd:.0*$' /proc/$(systemctl show --value -p MainPID hermes.service)/status";
const SMTP_REFUSED: &str = "! runuser -u hermes -- timeout 5 bash -c 'exec 3<>/dev/tcp/203.0.113.25/25'";

/// The whole table.
pub fn all() -> impl Iterator<Item = &'static Drift> {
    [covers::DRIFTS, files::DRIFTS, units::DRIFTS, firewall::DRIFTS, people::DRIFTS, policy::DRIFTS]
        .into_iter()
        .flatten()
}
