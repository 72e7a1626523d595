//! One host: its name and address, what is its own in the tree, and waiting until it answers.
use super::net;
use super::paths::{Paths, create_dir, write};
use super::record::Record;
use super::{boot, cgroup::Groups, form, tool, vm};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A host's name is also a namespace's, a machine's and a directory's.
pub fn check_name(name: &str) -> Result<()> {
    let fits = name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with(net::INTERNET);
    if !fits {
        bail!(
            Fault::new(format!("`{name}` cannot be a lab host's name")).hint(format!(
                "a lower-case letter, then letters, digits and `-`, at most 32; not `{}…`",
                net::INTERNET
            ))
        );
    }
    Ok(())
}

/// The first address that no other host has.
pub fn free_address(taken: &[Record]) -> Result<Ipv4Addr> {
    (10..200)
        .map(net::host_address)
        .find(|address| taken.iter().all(|record| record.address != *address))
        .with_context(|| Fault::new("all of the lab's addresses are taken").hint("`petasos lab down --all`"))
}

/// Hangs a host's namespace on the lab's bridge.
pub async fn attach(record: &Record) -> Result<()> {
    match record.vm {
        Some(_) => vm::cable::attach(&record.name, record.address).await,
        None => net::attach(&record.name, record.address, record.ipv6).await,
    }
}

/// Lays down what makes this host itself: its name, its ssh key, the lab's login.
pub async fn prepare(paths: &Paths, record: &Record) -> Result<()> {
    let dir = paths.host(&record.name);
    let upper = dir.join("upper");
    let (name, address) = (&record.name, record.reached_at());
    // The top of the upper layer is the host's root directory: its mode counts.
    create_dir(&upper)?;
    set_mode(&upper, 0o755)?;
    write(&upper.join("etc/hostname"), format!("{name}\n"))?;
    write(
        &upper.join("etc/hosts"),
        format!("127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n"),
    )?;
    form::shape(&upper, record).await?;
    login_key(paths).await?;
    let key = std::fs::read_to_string(paths.key().with_extension("pub")).context("cannot read the lab's public key")?;
    if let (Some(like), true) = (record.like, record.snapshots.is_empty()) {
        for (file, text) in like.seed(name, key.trim()) {
            write(&upper.join("var/lib/cloud/seed/nocloud").join(file), text)?;
        }
    } else if record.like.is_none() {
        let_root_in(&upper, &key)?;
    }
    let host_key = upper.join("etc/ssh/ssh_host_ed25519_key");
    create_dir(&upper.join("etc/ssh"))?;
    keygen(&host_key, &format!("root@{name}")).await?;
    let public =
        std::fs::read_to_string(host_key.with_extension("pub")).context("cannot read the host's public key")?;
    let known: Vec<&str> = public.split(' ').take(2).collect();
    write(&dir.join("known_hosts"), format!("{address},{name} {}\n", known.join(" ")))?;
    write(&dir.join("ssh_config"), ssh_config(paths, record))
}

fn let_root_in(upper: &Path, key: &str) -> Result<()> {
    let authorized = upper.join("root/.ssh/authorized_keys");
    write(&authorized, key)?;
    for private in [upper.join("root"), upper.join("root/.ssh")] {
        set_mode(&private, 0o700)?;
    }
    set_mode(&authorized, 0o600)
}

pub fn ssh_config(paths: &Paths, record: &Record) -> String {
    let (name, address) = (&record.name, record.reached_at());
    format!(
        "Host {address} {name}\n  HostName {address}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  \
         BatchMode yes\n  ConnectTimeout {}\n",
        paths.key().display(),
        paths.host(name).join("known_hosts").display(),
        // The time counts until the keys are exchanged, and an emulated host computes them slowly.
        if record.vm.is_some() { 20 } else { 5 },
    )
}

/// The one key that opens every lab host; it opens nothing else.
async fn login_key(paths: &Paths) -> Result<()> {
    if paths.key().exists() { Ok(()) } else { keygen(&paths.key(), "petasos-lab").await }
}

async fn keygen(path: &Path, comment: &str) -> Result<()> {
    let file = path.to_string_lossy();
    let argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", &file];
    tool::run(&argv, tool::SHORT).await.map(drop)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of `{}`", path.display()))
}

/// Words for systemd-nspawn: a whole system, with all that a rented machine's root may do except
/// load modules into this machine's kernel.
pub fn boot_words() -> Vec<String> {
    ["--boot", "--capability=all", "--drop-capability=CAP_SYS_MODULE", "--system-call-filter=@keyring bpf"]
        .map(str::to_owned)
        .to_vec()
}

/// Waits for a real login, not for an open port.
pub async fn wait_for_ssh(paths: &Paths, groups: &Groups, record: &Record, limit: Duration) -> Result<Duration> {
    let started = Instant::now();
    let dir = paths.host(&record.name);
    let config = dir.join("ssh_config").to_string_lossy().into_owned();
    let target = format!("{}@{}", record.user(), record.reached_at());
    let (connect, each) = if record.vm.is_some() { (20, 40) } else { (1, 10) };
    let connect = format!("ConnectTimeout={connect}");
    let argv = ["ssh", "-F", &config, "-o", &connect, &target, "true"];
    loop {
        let error = match tool::run(&argv, Duration::from_secs(each)).await {
            Ok(_) => return Ok(started.elapsed()),
            // A snapshot may be of a hardened host: root is refused there, by an sshd that answers.
            Err(error) if !record.snapshots.is_empty() && format!("{error:#}").contains("Permission denied") => {
                return Ok(started.elapsed());
            }
            Err(error) => error,
        };
        let gone = started.elapsed() > Duration::from_secs(1) && !groups.alive(&record.name);
        if gone || started.elapsed() > limit {
            let what = if gone { "ended while booting" } else { "does not answer ssh" };
            let tail = boot::console_tail(&dir);
            bail!(
                Fault::new(format!("lab host `{}` {what}: {error:#}\n  {tail}", record.name))
                    .hint(format!("its console is in `{}`", dir.join("console.log").display()))
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_paths_or_reserved_are_refused() {
        for bad in ["", "..", "a/b", "A", "1a", "inet", "a b", "-a", "inet-relay"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("web-1").is_ok());
    }

    #[test]
    fn the_first_free_address_is_given() {
        let record = |octet| Record {
            name: format!("h{octet}"),
            suite: "trixie".into(),
            address: net::host_address(octet),
            image: std::path::PathBuf::new(),
            ipv6: octet == 12,
            ssh_socket: false,
            like: None,
            vm: None,
            snapshots: Vec::new(),
        };
        let taken = [record(10), record(12)];
        assert_eq!(free_address(&taken).unwrap(), net::host_address(11));
    }
}
