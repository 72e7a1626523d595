//! Images: a tree per suite, built once by mmdebstrap and shared by all hosts as their lower layer.
use super::like::Like;
use super::machine::Machine;
use super::paths::{Paths, remove_tree, write};
use super::{bootstrap, lock, python, tool, vm};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a provider's image has, and no more: ufw, nftables and the like are Petasos' to install.
const HOST: &[&str] = &[
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "libpam-systemd",
    "netbase",
    "openssh-server",
    "procps",
    "python3-minimal",
    "sudo",
    "systemd-sysv",
];
/// And of one that boots by itself: its kernel, and the provider's agent.
const MACHINE: &[&str] = &["apparmor", "initramfs-tools", "qemu-guest-agent", "udev", vm::KERNEL, "zstd"];
const INTERNET: &[&str] = &["ca-certificates", "dnsmasq-base", "fcgiwrap", "git", "nginx-light", "python3"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Host,
    Machine,
    Internet,
}

/// The files of every host.
const ALIKE: &[(&str, &str)] = &[
    ("etc/ssh/sshd_config.d/50-cloud-init.conf", include_str!("../../remote/lab/host/50-cloud-init.conf")),
    ("etc/systemd/system.conf.d/50-lab-ca.conf", include_str!("../../remote/lab/host/50-lab-ca.conf")),
    ("etc/environment", include_str!("../../remote/lab/host/environment")),
];

impl Kind {
    fn packages(self) -> Vec<&'static str> {
        match self {
            Kind::Host => HOST.to_vec(),
            Kind::Machine => [HOST, MACHINE].concat(),
            Kind::Internet => INTERNET.to_vec(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Machine => "vm",
            Kind::Internet => "internet",
        }
    }

    /// The files laid over the tree after its packages: (path, text).
    fn files(self) -> Vec<(&'static str, &'static str)> {
        let own: &[(&str, &str)] = match self {
            Kind::Host => &[
                ("etc/systemd/system/lab-sysctl.service", include_str!("../../remote/lab/host/lab-sysctl.service")),
                ("usr/local/lib/petasos-lab/sysctl", include_str!("../../remote/lab/host/sysctl.sh")),
                (
                    "etc/systemd/system/systemd-sysctl.service.d/lab.conf",
                    include_str!("../../remote/lab/host/systemd-sysctl.conf"),
                ),
            ],
            Kind::Machine => &[
                ("etc/fstab", include_str!("../../remote/lab/vm/fstab")),
                ("etc/initramfs-tools/conf.d/lab", include_str!("../../remote/lab/vm/initramfs.conf")),
                ("etc/initramfs-tools/modules", include_str!("../../remote/lab/vm/modules")),
                ("etc/initramfs-tools/scripts/local-bottom/lab-seed", include_str!("../../remote/lab/vm/seed.sh")),
            ],
            Kind::Internet => &[
                ("srv/lab/run.sh", include_str!("../../remote/lab/internet/run.sh")),
                ("srv/lab/nginx.conf", include_str!("../../remote/lab/internet/nginx.conf")),
                ("srv/lab/dnsmasq.conf", include_str!("../../remote/lab/internet/dnsmasq.conf")),
                ("srv/lab/stub.py", include_str!("../../remote/lab/internet/stub.py")),
                ("srv/lab/telegram.py", include_str!("../../remote/lab/internet/telegram.py")),
                ("srv/lab/sinks.py", include_str!("../../remote/lab/internet/sinks.py")),
            ],
        };
        let alike = if self == Kind::Internet { &[] } else { ALIKE };
        alike.iter().chain(own).copied().collect()
    }
}

/// Everything that goes into an image; the digest of it is in the image's name.
#[derive(Debug)]
pub struct Recipe<'a> {
    pub kind: Kind,
    pub suite: &'a str,
    /// Then the tree is like a release of Ubuntu's.
    pub like: Option<Like>,
    pub machine: &'a Machine,
    /// PEM blocks that the image trusts beside its distribution's.
    pub authorities: Vec<String>,
    /// More files: (path, text).
    pub files: Vec<(String, String)>,
}

const FINISH: &str = include_str!("../../remote/lab/image.sh");
const LIKE: &str = include_str!("../../remote/lab/like/image.sh");

/// The image's tree, built now if nobody has built it before.
pub async fn ensure(paths: &Paths, recipe: &Recipe<'_>, say: super::Say<'_>) -> Result<PathBuf> {
    let label = recipe.kind.label();
    let suite = recipe.like.map_or(recipe.suite, |like| like.name());
    let prefix = format!("{label}-{suite}-");
    let tree = paths.images().join(format!("{prefix}{}", digest(recipe)));
    if tree.is_dir() {
        return Ok(tree);
    }
    let _lock = lock::acquire(&paths.lock(&format!("image-{label}-{suite}")), "an image is being built", say).await?;
    if tree.is_dir() {
        return Ok(tree);
    }
    let started = Instant::now();
    say(&format!("building the {label} image of {suite} (once; about half a minute)"));
    let partial = paths.images().join(format!(".{prefix}part"));
    remove_tree(&partial)?;
    if let Err(error) = build(paths, recipe, &partial, say).await {
        remove_tree(&partial)?;
        let suite = &recipe.suite;
        bail!(
            Fault::new(format!("cannot build an image of suite `{suite}`: {error:#}"))
                .hint(format!("this machine's mirror must have `{suite}`; `apt-get indextargets` shows the mirror"))
        );
    }
    std::fs::rename(&partial, &tree).with_context(|| format!("cannot name the image `{}`", tree.display()))?;
    say(&format!("built the {label} image of {suite} in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(tree)
}

async fn build(paths: &Paths, recipe: &Recipe<'_>, directory: &Path, say: super::Say<'_>) -> Result<()> {
    bootstrap::tree(recipe.machine, "minbase", &packages(recipe), recipe.suite, directory).await?;
    for (path, text) in files(recipe) {
        write(&directory.join(path), text)?;
    }
    if let Some(minor) = recipe.like.and_then(Like::python) {
        python::of_host(paths, directory, minor, say).await?;
    }
    let tree = directory.to_string_lossy();
    let argv = ["sh", "-c", FINISH, "image.sh", &tree, recipe.kind.label()];
    tool::run(&argv, Duration::from_secs(120)).await?;
    if let Some(like) = recipe.like {
        // An old suite is in a mirror for some years only.
        let nginx = match like.nginx() {
            Some(suite) if recipe.machine.offers(suite).await? => suite,
            Some(_) | None => "",
        };
        let argv = ["sh", "-c", LIKE, "like.sh", &tree, like.version(), like.codename(), nginx];
        tool::run(&argv, Duration::from_secs(120)).await?;
    }
    if recipe.kind == Kind::Machine {
        vm::disk::make(directory).await?;
    }
    Ok(())
}

fn packages(recipe: &Recipe<'_>) -> Vec<&'static str> {
    let more = recipe.like.map(Like::packages).unwrap_or_default();
    recipe.kind.packages().into_iter().chain(more).collect()
}

fn files(recipe: &Recipe<'_>) -> Vec<(String, String)> {
    let fixed = recipe.kind.files().into_iter().map(|(path, text)| (path.to_owned(), text.to_owned()));
    let authorities = recipe
        .authorities
        .iter()
        .enumerate()
        .map(|(n, pem)| (format!("usr/local/share/ca-certificates/lab-{n}.crt"), pem.clone()));
    fixed.chain(authorities).chain(recipe.files.iter().cloned()).collect()
}

fn digest(recipe: &Recipe<'_>) -> String {
    let mut hasher = Sha256::new();
    let mut feed = |text: &str| {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    };
    feed(FINISH);
    if let Some(like) = recipe.like {
        [LIKE, like.name()].into_iter().chain(like.python().map(|_| python::OF_HOST)).for_each(&mut feed);
    }
    packages(recipe).into_iter().for_each(&mut feed);
    recipe.machine.apt_settings.iter().for_each(|setting| feed(setting));
    recipe.machine.sources.iter().for_each(|source| feed(&source.line(recipe.suite)));
    for (path, text) in files(recipe) {
        feed(&path);
        feed(&text);
    }
    hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
