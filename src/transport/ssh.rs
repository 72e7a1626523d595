//! SSH, by the user's own `ssh` (the openssh crate): their configuration, agent, jump hosts and known hosts count.
//!
//! Every [`Ssh`] is a connection of its own: a master process that no other connection shares.

use super::TransportError;
use crate::config::Target;
use crate::name::Account;
use crate::shell::{Frame, FrameError, Reader, Script};
use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How to call `ssh`.
#[derive(Debug, Clone, Default)]
pub struct SshOptions {
    /// `ssh -F`.
    pub config: Option<PathBuf>,
    /// `ssh -i`.
    pub identity: Option<PathBuf>,
    /// How long a connection may take to come about.
    pub connect_timeout: Option<Duration>,
}

/// A user at a host.
#[derive(Debug, Clone)]
pub struct Login {
    pub target: Target,
    pub options: SshOptions,
}

impl Login {
    /// The same host as another user.
    pub fn with_user(&self, user: &Account) -> Self {
        Self { target: Target { user: user.clone(), ..self.target.clone() }, options: self.options.clone() }
    }

    /// The same, with less patience.
    pub fn within(mut self, limit: Duration) -> Self {
        self.options.connect_timeout = Some(limit);
        self
    }

    /// Opens a connection: new TCP, new authentication.
    ///
    /// # Errors
    /// [`TransportError::Refused`] when the host is there but does not let this user in, [`TransportError::HostKey`] when it is not the
    /// known host, else [`TransportError::Unreachable`].
    pub async fn open(&self) -> Result<Ssh, TransportError> {
        let mut builder = SessionBuilder::default();
        builder
            .user(self.target.user.to_string())
            .known_hosts_check(KnownHosts::Add)
            .control_directory(std::env::temp_dir())
            // A master whose client was killed ends by itself.
            .control_persist(ControlPersist::IdleFor(NonZeroUsize::new(30).unwrap_or(NonZeroUsize::MIN)))
            .connect_timeout(self.options.connect_timeout.unwrap_or(Duration::from_secs(15)))
            .server_alive_interval(Duration::from_secs(15));
        if let Some(port) = self.target.port {
            builder.port(port);
        }
        if let Some(config) = &self.options.config {
            builder.config_file(config);
        }
        if let Some(identity) = &self.options.identity {
            builder.keyfile(identity);
        }
        let session = builder.connect_mux(&self.target.host).await.map_err(|error| self.explain(&error))?;
        Ok(Ssh { session, target: self.target.clone() })
    }

    /// ssh tells its failures apart only in words.
    fn explain(&self, error: &openssh::Error) -> TransportError {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            why = cause.to_string();
            source = cause.source();
        }
        let why = why.trim().replace("\r\n", " ").replace('\n', " ");
        let target = self.target.clone();
        let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
        if says(&["Permission denied", "Too many authentication failures"]) {
            return TransportError::Refused { target, why };
        }
        if says(&["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED", "REMOTE HOST"]) {
            return TransportError::HostKey { target, why };
        }
        let hint = if says(&["Could not resolve"]) {
            "is the name right?"
        } else if says(&["kex_exchange_identification", "reset by peer"]) {
            "after failed logins sshd refuses an address for a while (PerSourcePenalties): wait a minute, then try again"
        } else {
            "is the host up, and is the address and the port right? (`ssh -v` tells more)"
        };
        TransportError::Unreachable { target, why, hint }
    }
}

/// An open connection.
pub struct Ssh {
    session: Session,
    target: Target,
}

impl Ssh {
    pub fn user(&self) -> &Account {
        &self.target.user
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Runs a script as root: one command over the connection. Each frame is handed over as soon as it is whole.
    ///
    /// # Errors
    /// When sudo wants a password, the answer is not whole, or the connection breaks.
    pub async fn run(&self, script: &Script, mut on_frame: impl FnMut(&Frame)) -> Result<Vec<Frame>, TransportError> {
        let nonce = nonce();
        let shell = if self.user().as_str() == "root" { "sh -s" } else { "sudo -n -- sh -s" };
        let line = script.line_for(shell, &nonce);
        let text = if line.is_none() { script.text(&nonce) } else { String::new() };
        let broken = |why: String| TransportError::Broken { host: self.target.host.clone(), why };
        let mut command = self.session.raw_command(line.unwrap_or_else(|| format!("exec {shell}")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().await.map_err(|error| broken(error.to_string()))?;
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
            (child.stdin().take(), child.stdout().take(), child.stderr().take())
        else {
            return Err(broken("ssh gave no pipes".into()));
        };
        // A host that reads nothing (sudo that refuses) closes the pipe: what it said tells why.
        let writing = async {
            let _ = stdin.write_all(text.as_bytes()).await;
            drop(stdin);
        };
        let complaining = async {
            let mut said = Vec::new();
            let _ = (&mut stderr).take(16 * 1024).read_to_end(&mut said).await;
            String::from_utf8_lossy(&said).trim().to_owned()
        };
        let reading = async {
            let mut reader = Reader::new(&nonce);
            let mut frames = Vec::new();
            let mut chunk = vec![0; 32 * 1024];
            loop {
                let count = stdout.read(&mut chunk).await.map_err(|error| broken(error.to_string()))?;
                if count == 0 {
                    break;
                }
                let new = reader.push(chunk.get(..count).unwrap_or_default()).map_err(|source| self.answer(source))?;
                new.iter().for_each(&mut on_frame);
                frames.extend(new);
            }
            Ok::<_, TransportError>((frames, reader.finish()))
        };
        let ((), said, read) = tokio::join!(writing, complaining, reading);
        let (frames, end) = read?;
        let status = child.wait().await;
        match end {
            Ok(_) => Ok(frames),
            Err(FrameError::NoAnswer(heard)) if self.user().as_str() != "root" && said.contains("sudo") => {
                Err(TransportError::NoSudo {
                    user: self.user().to_string(),
                    host: self.target.host.clone(),
                    why: if said.is_empty() { heard } else { said },
                })
            }
            // Silence is the host's answer only while the connection stands.
            Err(FrameError::NoAnswer(heard)) => {
                self.session.check().await.map_err(|error| broken(error.to_string()))?;
                Err(self.answer(FrameError::NoAnswer(if said.is_empty() { heard } else { said })))
            }
            Err(source) => match status {
                Ok(_) => Err(self.answer(source)),
                Err(error) => Err(broken(format!("{source} ({error})"))),
            },
        }
    }

    fn answer(&self, source: FrameError) -> TransportError {
        TransportError::Answer { host: self.target.host.clone(), source }
    }

    /// Opens a port on this machine's loopback that leads to one on the host's; returns its number.
    ///
    /// # Errors
    /// When no port is free, or the host does not allow it.
    pub async fn forward(&self, remote: u16) -> Result<u16, TransportError> {
        let broken = |why: String| TransportError::Broken { host: self.target.host.clone(), why };
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let local = free.map_err(|error| broken(error.to_string()))?;
        let there = std::net::SocketAddr::from(([127, 0, 0, 1], remote));
        let done = self.session.request_port_forward(openssh::ForwardType::Local, local, there).await;
        done.map_err(|error| broken(error.to_string()))?;
        Ok(local.port())
    }

    /// Ends the connection.
    pub async fn close(self) {
        // Whatever goes wrong here, the master ends by itself.
        let _ = self.session.close().await;
    }
}

/// Nobody on the host can guess it beforehand.
fn nonce() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => format!("{:x}", std::process::id()),
    }
}
