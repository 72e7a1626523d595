//! What the lab needs from the machine's own distribution, installed when it is missing.
use super::tool;
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::Duration;

/// A program or file that proves a package, and the package.
const NEEDED: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("systemd-socket-activate", "systemd"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("openssl", "openssl"),
    ("git", "git"),
    ("unshare", "util-linux"),
    ("python3", "python3"),
];

/// What virtual machines need beside that.
pub const MACHINES: &[(&str, &str)] =
    &[("qemu-system-x86_64", "qemu-system-x86"), ("mkfs.ext4", "e2fsprogs"), ("cpio", "cpio")];

/// Installs what is missing and says so; on a machine that has it all this starts no process.
pub async fn install(more: &[(&str, &'static str)], say: super::Say<'_>) -> Result<()> {
    let needed = NEEDED.iter().chain(more);
    let missing: Vec<&str> = needed.filter(|(proof, _)| !present(proof)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !present("apt-get") {
        bail!(
            Fault::new(format!("the lab needs {} and this machine has no apt-get", missing.join(", ")))
                .hint("run the lab on Debian or Ubuntu")
        );
    }
    say(&format!("installing {} on this machine", missing.join(", ")));
    apt(&["update"]).await?;
    let mut words = vec!["install", "--no-install-recommends", "--"];
    words.extend(&missing);
    apt(&words).await.with_context(|| format!("the lab needs these packages on this machine: {}", missing.join(", ")))
}

/// One call of apt-get that asks nothing and waits for a lock held by somebody else.
pub async fn apt(words: &[&str]) -> Result<()> {
    let mut argv = vec!["apt-get", "--quiet=2", "--assume-yes", "--option=DPkg::Lock::Timeout=300"];
    argv.extend(words);
    let mut command = tool::command(&argv);
    command.env("DEBIAN_FRONTEND", "noninteractive").env("NEEDRESTART_MODE", "l");
    tool::finish(command, Duration::from_secs(600)).await.map(drop)
}

fn present(proof: &str) -> bool {
    if proof.starts_with('/') {
        return Path::new(proof).exists();
    }
    // A user's PATH may lack the sbin directories.
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"]).any(|dir| Path::new(dir).join(proof).exists())
}
