//! `petasos lab`: disposable hosts on this machine.
use super::lab_review;
use crate::fault::Fault;
use crate::lab::{Accel, Form, Lab, LabHost, Like};
use crate::shell::quote;
use crate::ui;
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

/// Disposable hosts with a real systemd and an internet of their own (Linux, root)
#[derive(Debug, clap::Args)]
pub struct LabArgs {
    #[command(subcommand)]
    verb: LabVerb,
}

#[derive(Debug, clap::Subcommand)]
enum LabVerb {
    /// Create a host as a provider delivers it, and wait until it answers SSH
    Up {
        /// The host's name
        #[arg(default_value = "lab")]
        name: String,
        /// The distribution's suite; any that this machine's apt mirror has
        #[arg(long)]
        suite: Option<String>,
        /// An IPv6-only host
        #[arg(long)]
        ipv6: bool,
        /// Let systemd listen for SSH (ssh.socket), as on Ubuntu 22.10 to 24.04
        #[arg(long)]
        ssh_socket: bool,
        /// As a cloud image of Ubuntu's is handed over, made of Debian's packages: ubuntu22.04,
        /// ubuntu24.04 or ubuntu26.04; log in as `ubuntu`
        #[arg(long, value_name = "RELEASE", conflicts_with_all = ["suite", "ipv6", "ssh_socket"])]
        like: Option<Like>,
        /// A virtual machine with a kernel of its own (QEMU), and no container; `--vm=kvm` lets the
        /// processor run it, where this machine can
        #[arg(long, value_name = "ACCEL", num_args = 0..=1, require_equals = true, default_missing_value = "tcg",
              conflicts_with = "like")]
        vm: Option<Accel>,
        /// Start from a snapshot instead of a provider's image
        #[arg(long, value_name = "SNAPSHOT", conflicts_with_all = ["suite", "ipv6", "ssh_socket", "like", "vm"])]
        from: Option<String>,
    },
    /// Stop a host and keep its disk under a name, for `lab up --from`
    Snapshot {
        /// The host; it is removed
        host: String,
        /// The snapshot's name
        snapshot: String,
    },
    /// List the snapshots, or remove some
    Snapshots {
        /// Remove these; one that a host uses stays
        #[arg(long, value_name = "SNAPSHOT", num_args = 1..)]
        remove: Vec<String>,
    },
    /// Remove hosts; the lab's internet stops with the last one
    Down {
        /// The hosts' names
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// Every host and snapshot, the internet and the network
        #[arg(long)]
        all: bool,
        /// With --all: the cached images and repositories too
        #[arg(long, requires = "all")]
        cache: bool,
    },
    /// List the running hosts
    List {
        /// Report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Open a shell on a host over SSH
    Shell {
        /// The host's name
        #[arg(default_value = "lab")]
        name: String,
        /// The user to log in as; a hardened host refuses root
        #[arg(long, default_value = "root")]
        user: String,
    },
    /// Print the hosts' ssh configuration
    SshConfig,
    /// Print what a shell needs for `petasos pin` to ask the lab's github.com: `eval "$(petasos lab
    /// env)"`
    Env,
    /// Try a release that `pin` refuses: run the behavioural suite against it on a lab host, and
    /// write the review to petasos.lock
    Review(lab_review::ReviewArgs),
}

pub async fn run(args: LabArgs) -> Result<ExitCode> {
    let lab = Lab::open()?;
    let mut say = |line: &str| ui::note(line);
    match args.verb {
        LabVerb::Up { name, suite, ipv6, ssh_socket, like, vm, from } => {
            let form = match like {
                Some(like) => Form::of_like(like),
                None => Form { from, suite, ipv6, ssh_socket, like, vm },
            };
            let host = lab.up(&name, &form, &mut say).await?;
            ui::out(&format!("{}\n", host.address))?;
            ui::note(&format!("ssh -F {} {}@{}", host.ssh_config.display(), host.user(), host.address));
        }
        LabVerb::Snapshot { host, snapshot } => lab.snapshot(&host, &snapshot).await?,
        LabVerb::Snapshots { remove } if remove.is_empty() => {
            for snapshot in lab.snapshots() {
                ui::out(&format!("{:<16} {:<12} {}\n", snapshot.name, snapshot.suite, snapshot.below.join(" ")))?;
            }
        }
        LabVerb::Snapshots { remove } => {
            for name in &remove {
                lab.remove_snapshot(name).await?;
            }
        }
        LabVerb::Down { names, all, cache } => {
            for name in &names {
                lab.down(name).await?;
            }
            if cache {
                lab.forget().await?;
            } else if all {
                lab.down_all().await?;
            }
        }
        LabVerb::List { json } => {
            let hosts = lab.list().await?;
            if json {
                ui::json(&hosts)?;
            } else {
                for host in hosts {
                    ui::out(&format!("{:<16} {:<12} {}\n", host.name, host.suite, host.address))?;
                }
            }
        }
        LabVerb::Review(args) => return lab_review::run(&args).await,
        LabVerb::Shell { name, user } => return shell(&host(&lab, &name).await?, &user).await,
        LabVerb::Env => {
            for (name, value) in lab.environment() {
                ui::raw(&format!("export {name}={}\n", quote(&value)))?;
            }
            if !lab.has_internet() {
                ui::warning(
                    "the lab's github.com does not answer yet: it runs as long as a lab host does (`petasos lab up`)",
                );
            }
        }
        LabVerb::SshConfig => {
            for host in lab.list().await? {
                let text = std::fs::read_to_string(&host.ssh_config)
                    .with_context(|| format!("cannot read `{}`", host.ssh_config.display()))?;
                ui::raw(&text)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn host(lab: &Lab, name: &str) -> Result<LabHost> {
    let hosts = lab.list().await?;
    match hosts.into_iter().find(|host| host.name == name) {
        Some(host) => Ok(host),
        None => bail!(
            Fault::new(format!("no lab host `{name}` runs"))
                .hint(format!("`petasos lab up {name}`, or see `petasos lab list`"))
        ),
    }
}

async fn shell(host: &LabHost, user: &str) -> Result<ExitCode> {
    let status = tokio::process::Command::new("ssh")
        .arg("-F")
        .arg(&host.ssh_config)
        .arg(format!("{user}@{}", host.address))
        .status()
        .await
        .context("cannot run `ssh`")?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
