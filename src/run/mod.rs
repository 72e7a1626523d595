//! The only orchestrator: observe, plan, apply, verify.

mod chat;
mod converge;
pub mod egress;
mod lock;
mod lockout_guard;
mod observe;
pub mod owner;
mod preflight;
mod reconnect;
mod record;
mod render;
mod script;
mod undo;
mod verify;

pub use preflight::calendar;

use crate::name::Account;
use crate::plan::Plan;
use crate::playbook::DesiredState;
use crate::shell::RunId;
use crate::transport::{Login, Ssh, TransportError};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// A host, and what it should be.
pub struct Job {
    /// Its name in petasos.yaml, or its address.
    pub name: String,
    /// As whom, and where, the user says that it is reached.
    pub login: Login,
    /// Who will administer it: tried first, so that a host whose root login is closed is reached as
    /// ever.
    pub admin: Account,
    /// Where SSH will listen, if that is to change: tried first too.
    pub ssh_port: Option<u16>,
    /// Where it listened when it was last reached, if not where the address says.
    pub known_port: Option<u16>,
    /// Is told of the port that the host was reached at, when that is a new one.
    pub record_port: Box<dyn Fn(u16) + Send + Sync>,
    pub desired: DesiredState,
    /// This run, for the lock and the record on the host.
    pub run_id: RunId,
    /// The digest of playbooks and templates, for the record.
    pub playbooks: String,
    /// How long the host waits for a guarded change to be confirmed, in seconds.
    pub window: u32,
    /// Whether the old texts of changed files are wanted, for a diff.
    pub texts: bool,
}

/// What happens, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Connecting,
    Observing {
        user: String,
    },
    Planned {
        changes: usize,
        met: usize,
    },
    /// A step begins.
    Step {
        number: usize,
        of: usize,
        title: String,
    },
    /// The new administrator's own login is tried before anything is closed.
    AdminLogin {
        user: String,
    },
    Rechecking,
    /// The attacks of `petasos verify` are made.
    Attacking,
    Note(String),
}

pub type Watch = Arc<dyn Fn(&str, Event) + Send + Sync>;

/// What became of a host.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub host: String,
    pub address: String,
    /// `Debian 13`.
    pub system: String,
    /// What was planned, and for `up` done.
    pub plan: Plan,
    /// What was still to do after the first pass, and was done in a second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub second_pass: Vec<crate::plan::Step>,
    /// How many scripts ran on the host.
    pub round_trips: usize,
    pub seconds: f64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The host is none that Petasos can handle, or a wish cannot be filled in.
    #[error("{host}: {why}")]
    Host { host: String, why: String },
    #[error("{host}: could not observe `{id}`: {why}")]
    Unknown { host: String, id: String, why: String },
    #[error("{host}: `{id}` failed (`{title}`):\n{said}\nhint: {hint}")]
    Step { host: String, id: String, title: String, said: String, hint: String },
    /// The agent was not well with the new release; the old one is back.
    #[error("{host}: `{id}` was taken back:\n{said}")]
    ReleaseRolledBack { host: String, id: String, said: String },
    /// A change that may lock people out was not confirmed.
    #[error("{host}: a change of what lets people in was taken back; the host is as it was before it: {why}")]
    RolledBack { host: String, why: String },
    #[error(
        "{host}: the host does not answer after a change of what lets people in: {why}\nhint: it takes the change back by itself, {seconds} s after it was made, and at its next start"
    )]
    Lost { host: String, why: String, seconds: u32 },
    #[error("{host}: another run is at work: {holder}\nhint: wait for it to end")]
    Locked { host: String, holder: String },
    #[error("{host}: still not as wanted after a second pass:{list}")]
    NotConverged { host: String, list: String },
    /// The host went away in the middle of the run.
    #[error(
        "{host}: the host went away in the middle of the run ({why}), and {what}\nhint: when it answers again, run the same command again; what was done is kept, and the rest follows"
    )]
    Away { host: String, why: String, what: String },
    #[error("{host}: root login stays open, because `{user}` cannot do root's work yet: {why}")]
    AdminLogin { host: String, user: String, why: String },
}

/// A host under observation.
struct Connection {
    ssh: Ssh,
    round_trips: usize,
}

impl Job {
    /// The administrator's way in once all is done.
    fn admin_login(&self) -> Login {
        let login = self.login.clone().with_user(&self.admin);
        match self.ssh_port {
            Some(port) => login.with_port(port),
            None => login,
        }
    }

    /// All ways in: the wanted port before that of the last time, and the address's own last; at
    /// each the administrator before whom the user named.
    fn login_candidates(&self) -> Vec<Login> {
        let mut ports: Vec<u16> = [self.ssh_port, self.known_port].into_iter().flatten().collect();
        ports.retain(|port| *port != self.login.resolved.port);
        ports.dedup();
        // A port that nobody opened yet may be silent.
        let moved = |port: u16| self.login.clone().with_port(port).within(Duration::from_secs(5));
        let mut ways: Vec<Login> = Vec::new();
        for place in ports.into_iter().map(moved).chain([self.login.clone()]) {
            ways.push(place.clone().with_user(&self.admin));
            if self.admin != self.login.target.user {
                ways.push(place);
            }
        }
        ways
    }

    /// By the first way that works; else the error that tells most: another key than the known one,
    /// then a refusal, then silence.
    async fn connect(&self) -> Result<Connection, RunError> {
        self.connect_within(None).await
    }

    /// The same, with less patience.
    async fn connect_within(&self, limit: Option<Duration>) -> Result<Connection, RunError> {
        let weight = |error: &TransportError| match error {
            TransportError::Unreachable { .. } => 0,
            TransportError::Refused { .. } => 1,
            _ => 2,
        };
        let mut dead = None;
        let mut worst: Option<TransportError> = None;
        for mut way in self.login_candidates() {
            way.options.connect_timeout = limit.or(way.options.connect_timeout);
            if dead == Some(way.target.port) {
                continue;
            }
            match way.open().await {
                Ok(ssh) => {
                    self.reached(&ssh);
                    return Ok(Connection { ssh, round_trips: 0 });
                }
                Err(error) => {
                    // Another user fares no better there.
                    if weight(&error) != 1 {
                        dead = Some(way.target.port);
                    }
                    if worst.as_ref().is_none_or(|worst| weight(&error) >= weight(worst)) {
                        worst = Some(error);
                    }
                }
            }
        }
        Err(worst.map_or_else(|| self.host_error("there is no way in".into()), RunError::from))
    }

    fn reached(&self, ssh: &Ssh) {
        let port = ssh.target().port.unwrap_or(self.login.resolved.port);
        if port != self.known_port.unwrap_or(self.login.resolved.port) {
            (self.record_port)(port);
        }
    }

    /// The same, for people who watch: a key that was seen for the first time is shown.
    async fn enter(&self, watch: &Watch) -> Result<Connection, RunError> {
        watch(&self.name, Event::Connecting);
        let connection = self.connect().await?;
        if let Some(fingerprint) = connection.ssh.learnt() {
            let note = format!("first contact: its host key is {fingerprint}, recorded in petasos.lock");
            watch(&self.name, Event::Note(note));
        }
        Ok(connection)
    }

    /// Looks at the host and says what would change; changes nothing.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn plan(&self, watch: &Watch) -> Result<Outcome, RunError> {
        let began = std::time::Instant::now();
        let mut connection = self.enter(watch).await?;
        let seen = self.observe(&mut connection, watch).await;
        let round_trips = connection.round_trips;
        connection.ssh.close().await;
        let seen = seen?;
        Ok(Outcome {
            host: self.name.clone(),
            address: self.login.target.host.clone(),
            system: seen.system,
            plan: seen.plan,
            second_pass: Vec::new(),
            round_trips,
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// Looks at the host, changes what differs, and looks again.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn up(&self, watch: &Watch) -> Result<Outcome, RunError> {
        let began = std::time::Instant::now();
        let mut connection = self.enter(watch).await?;
        let done = self.converge(&mut connection, watch).await;
        let round_trips = connection.round_trips;
        connection.ssh.close().await;
        let (seen, second_pass) = done?;
        Ok(Outcome {
            host: self.name.clone(),
            address: self.login.target.host.clone(),
            system: seen.system,
            plan: seen.plan,
            second_pass,
            round_trips,
            seconds: began.elapsed().as_secs_f64(),
        })
    }
}
