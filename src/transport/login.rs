//! A user at a host, and the way to a connection.

use super::host_key::{self, HostKey, Kind, Shown, SshTempConfig};
use super::{AskPassword, Resolved, Ssh, TransportError};
use crate::config::Target;
use crate::name::{Account, Fingerprint};
use openssh::{ControlPersist, KnownHosts, SessionBuilder};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to call `ssh`.
#[derive(Clone, Default)]
pub struct SshOptions {
    /// `ssh -F`.
    pub config: Option<PathBuf>,
    /// `ssh -i`.
    pub identity: Option<PathBuf>,
    /// How long a connection may take to come about.
    pub connect_timeout: Option<Duration>,
    /// Who knows a user's sudo password, should sudo want one.
    pub password: Option<AskPassword>,
    /// Whether a host's first key stays out of known_hosts.
    pub keeps_nothing: bool,
}

/// A user at a host.
#[derive(Clone)]
pub struct Login {
    pub target: Target,
    pub options: SshOptions,
    pub host_key: Arc<HostKey>,
    pub resolved: Arc<Resolved>,
}

impl Login {
    /// The same host as another user.
    pub fn with_user(mut self, user: &Account) -> Self {
        self.target.user = user.clone();
        self
    }

    /// The same host at another port.
    pub fn with_port(mut self, port: u16) -> Self {
        self.target.port = Some(port);
        self
    }

    /// The same, with a shorter timeout.
    pub fn within(mut self, limit: Duration) -> Self {
        self.options.connect_timeout = Some(limit);
        self
    }

    /// How long a connection may take to come about.
    fn limit(&self) -> Duration {
        self.options.connect_timeout.unwrap_or(Duration::from_secs(15))
    }

    /// Opens a connection: new TCP, new authentication. One that the host closes before it knows
    /// who comes, since others come at the same time, is tried again a moment later, within the
    /// time that one may take. A host may have keys of several types: where it is not known of
    /// which type the recorded one is, it is asked for each.
    ///
    /// # Errors
    /// [`TransportError::Refused`] when the host is there but does not let this user in,
    /// [`TransportError::HostKey`] when it is not the known host, [`TransportError::Dropped`] when
    /// it closes each connection at once, else [`TransportError::Unreachable`].
    pub async fn open(&self) -> Result<Ssh, TransportError> {
        let began = tokio::time::Instant::now();
        let mut kinds = self.host_key.kind().map_or(Kind::ALL.to_vec(), |kind| vec![kind]).into_iter();
        let (mut kind, mut first) = (kinds.next().unwrap_or(Kind::Ed25519), None);
        loop {
            match self.open_once(kind).await {
                Err(error @ TransportError::Dropped { .. }) => {
                    let pause = pause();
                    if began.elapsed() + pause > self.limit() {
                        return Err(error);
                    }
                    tokio::time::sleep(pause).await;
                }
                Err(error @ TransportError::HostKey { .. }) if self.host_key.known().is_some() => {
                    let error = first.take().unwrap_or(error);
                    let Some(next) = kinds.next() else { return Err(error) };
                    (kind, first) = (next, Some(error));
                }
                done => return done,
            }
        }
    }

    async fn open_once(&self, kind: Kind) -> Result<Ssh, TransportError> {
        let known = self.host_key.known();
        let keys = (&*self.host_key.accepted(), kind);
        let user_config = self.options.config.as_deref();
        let apart = self.options.keeps_nothing.then_some(self.resolved.known_hosts.as_slice());
        let temp_config = SshTempConfig::write(&self.target, user_config, keys, apart);
        let temp_config = temp_config
            .map_err(|error| self.unreachable(format!("no temporary file: {error}"), "check the free disk space"))?;
        let strict = known.is_some() || self.resolved.strict;
        let mut builder = SessionBuilder::default();
        builder
            .user(self.target.user.to_string())
            .known_hosts_check(if strict { KnownHosts::Strict } else { KnownHosts::Add })
            .control_directory(host_key::scratch())
            .config_file(temp_config.config())
            // A master whose client was killed ends by itself.
            .control_persist(ControlPersist::IdleFor(NonZeroUsize::new(30).unwrap_or(NonZeroUsize::MIN)))
            .connect_timeout(self.limit())
            .server_alive_interval(Duration::from_secs(15));
        if let Some(port) = self.target.port {
            builder.port(port);
        }
        if let Some(identity) = &self.options.identity {
            builder.keyfile(identity);
        }
        // ssh's own limit ends with the host's first word; what comes after it may be as slow.
        let limit = self.limit() * 3;
        let opened = tokio::time::timeout(limit, builder.connect_mux(&self.target.host)).await.map_err(|_| {
            let why = format!("it began to answer, but the login did not come about within {} s", limit.as_secs());
            self.unreachable(why, "look at the host's load on its console")
        })?;
        let shown = temp_config.shown();
        let session = opened.map_err(|error| self.explain(&error, known.as_ref(), shown.as_ref()))?;
        let news = shown.filter(|shown| self.host_key.learn(shown)).map(|shown| shown.fingerprint);
        Ok(Ssh::new(session, self.target.clone(), news, self.options.password.clone()))
    }

    fn unreachable(&self, why: String, hint: &'static str) -> TransportError {
        TransportError::Unreachable { target: self.target.clone(), why, hint }
    }

    /// ssh's failures differ only in their messages.
    fn explain(&self, error: &openssh::Error, known: Option<&Fingerprint>, shown: Option<&Shown>) -> TransportError {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            why = cause.to_string();
            source = cause.source();
        }
        let why = why.trim().replace("\r\n", " ").replace('\n', " ");
        let target = self.target.clone();
        let says = |parts: &[&str]| parts.iter().any(|part| why.contains(part));
        if says(&["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED", "REMOTE HOST"]) {
            let known = match known {
                Some(known) => vec![format!("{known} (petasos.lock, or --host-key)")],
                None => host_key::in_files(&self.resolved.known_hosts, &self.resolved.known_as(target.port)),
            };
            let known =
                if known.is_empty() { "none, and the ssh configuration requires one".into() } else { known.join(", ") };
            let shown = shown.map_or_else(|| why.clone(), |shown| format!("{} ({})", shown.fingerprint, shown.name));
            return TransportError::HostKey { target, shown, known };
        }
        if says(&["Permission denied", "Too many authentication failures"]) {
            return TransportError::Refused { target, why };
        }
        if says(&["kex_exchange_identification", "reset by peer"]) {
            return TransportError::Dropped { target, why };
        }
        let hint = if says(&["Could not resolve"]) {
            "check the host name"
        } else if says(&["no matching key exchange method"]) {
            "the ssh here knows none of the host's key exchanges: use OpenSSH 9.0 or later, or set `ssh: { algorithms: compatible }` for the host, on a machine that still gets in"
        } else if says(&["no matching cipher", "no matching MAC", "no matching host key type"]) {
            "the ssh configuration here allows none of what the host offers: take `Ciphers`, `MACs` or `HostKeyAlgorithms` out of it for this host (`ssh -G HOST` shows what holds), or use OpenSSH 9.0 or later"
        } else if says(&["Bad configuration option"]) {
            "check the spelling; OpenSSH 8.5 or later is needed"
        } else {
            "check that the host is up and that address and port are right (`ssh -v` shows more)"
        };
        self.unreachable(why, hint)
    }
}

/// Between half a second and two: those who were turned away together do not come back together.
fn pause() -> Duration {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    Duration::from_millis(500 + u64::from(byte.first().copied().unwrap_or(0)) * 6)
}
