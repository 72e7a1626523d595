//! The forms that a rented host comes in.
use super::like::Like;
use super::net;
use super::paths::{create_dir, write};
use super::record::Record;
use super::tool;
use super::vm::{self, Accel};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// How a host is made. The default: the machine's usual suite, both versions of IP, an sshd that
/// listens by itself.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// A snapshot to start from; it decides all the rest.
    pub from: Option<String>,
    /// The distribution's suite; any that this machine's apt mirror has.
    pub suite: Option<String>,
    /// No IPv4 at all.
    pub ipv6: bool,
    /// systemd listens for SSH and starts sshd, as on Ubuntu 22.10 to 24.04.
    pub ssh_socket: bool,
    /// As this release of Ubuntu's is handed over; it decides the suite, and who listens for SSH.
    pub like: Option<Like>,
    /// A virtual machine, and no container.
    pub vm: Option<Accel>,
}

impl Form {
    pub fn of_suite(suite: &str) -> Self {
        Self { suite: Some(suite.to_owned()), ..Self::default() }
    }

    pub fn of_like(like: Like) -> Self {
        Self { like: Some(like), ssh_socket: like.ssh_socket(), ..Self::of_suite(like.suite()) }
    }

    /// A host that runs has one form; whoever asks for another gets an error.
    pub(super) fn check(&self, record: &Record) -> Result<()> {
        let wrong = |is: &str, wanted: &str| {
            let name = &record.name;
            bail!(
                Fault::new(format!("lab host `{name}` {is}, not {wanted}"))
                    .hint(format!("`petasos lab down {name}` first, or take another name"))
            )
        };
        match &self.from {
            Some(from) if record.snapshots.first() != Some(from) => {
                return wrong(
                    &format!("lies on {}", record.snapshots.first().map_or("its image", String::as_str)),
                    from,
                );
            }
            _ => {}
        }
        match &self.suite {
            Some(suite) if *suite != record.suite => return wrong(&format!("runs {}", record.suite), suite),
            _ => {}
        }
        if self.vm.is_some() && record.vm.is_none() {
            return wrong("is a container", "a virtual machine");
        }
        if let (Some(wanted), Some(accel)) = (self.vm, record.vm)
            && wanted != accel
        {
            return wrong(&format!("is run by {}", accel.name()), wanted.name());
        }
        if self.ipv6 && !record.ipv6 {
            return wrong("has IPv4 too", "IPv6 only");
        }
        if let Some(like) = self.like.filter(|like| record.like != Some(*like)) {
            return wrong("is another", &format!("like {}", like.name()));
        }
        if self.ssh_socket && !record.ssh_socket {
            return wrong("has an sshd that listens by itself", "ssh.socket");
        }
        Ok(())
    }
}

/// Lays down what makes a host differ from its image.
pub(super) async fn shape(upper: &Path, record: &Record) -> Result<()> {
    if record.vm.is_some() {
        write(&upper.join("etc/systemd/network/10-lab.network"), vm::seed::network(record))?;
    }
    if !record.snapshots.is_empty() {
        // A snapshot has its form; but its identity is that of the host that it was.
        return write(&upper.join("etc/machine-id"), "");
    }
    if record.ipv6 {
        write(&upper.join("etc/resolv.conf"), format!("nameserver {}\n", net::six(net::ROUTER)))?;
    }
    if record.ssh_socket {
        socket(upper).await?;
    }
    Ok(())
}

/// What `systemctl disable ssh.service` and `systemctl enable ssh.socket` leave. Debian's sshd
/// takes the socket that systemd hands it (`Accept=no`), as Ubuntu's does.
async fn socket(upper: &Path) -> Result<()> {
    let units = upper.join("etc/systemd/system");
    let wants = units.join("multi-user.target.wants");
    create_dir(&wants)?;
    // overlayfs takes such a device for a file that was removed.
    for link in [wants.join("ssh.service"), units.join("sshd.service")] {
        let link = link.to_string_lossy();
        tool::run(&["mknod", &*link, "c", "0", "0"], tool::SHORT).await?;
    }
    let sockets = units.join("sockets.target.wants");
    create_dir(&sockets)?;
    let link = sockets.join("ssh.socket");
    std::os::unix::fs::symlink("/usr/lib/systemd/system/ssh.socket", &link)
        .with_context(|| format!("cannot link `{}`", link.display()))
}
