//! The only orchestrator: observe, plan, apply, verify.

pub mod audit;
pub mod backup;
pub mod changes;
mod chat;
mod converge;
pub mod doctor;
pub mod egress;
mod error;
pub mod incident;
mod lock;
mod lockout_guard;
mod observe;
mod offers;
pub mod owner;
pub mod policy;
mod preflight;
mod reconnect;
mod record;
mod refusal;
mod render;
pub mod restore;
mod script;
mod session;
mod told;
mod undo;
mod verify;

pub use error::RunError;
pub use preflight::now;
pub use undo::{RunRecord, Undone};

use crate::config::lesson::Lesson;
use crate::config::packages::NamedPackage;
use crate::fault::Fault;
use crate::name::{Account, Fingerprint};
use crate::plan::Plan;
use crate::playbook::DesiredState;
use crate::shell::RunId;
use crate::transport::Login;
use serde::Serialize;
use session::Session;
use std::sync::Arc;

/// A host, and what it should be.
pub struct Job {
    /// Its name in petasos.yaml, or its address.
    pub name: String,
    /// As whom, and where, the user says that it is reached.
    pub login: Login,
    /// Who will administer it.
    pub admin: Account,
    /// Where SSH will listen, if that is to change.
    pub ssh_port: Option<u16>,
    /// How it was last reached.
    pub last: LastLogin,
    pub desired: DesiredState,
    /// The packages that petasos.yaml names.
    pub packages: Vec<NamedPackage>,
    /// This run, for the lock and the record on the host.
    pub run_id: RunId,
    /// The digest of playbooks and templates, for the record.
    pub playbooks: String,
    /// How long the host waits for a guarded change to be confirmed, in seconds.
    pub confirm_timeout_secs: u32,
    /// Whether the old texts of changed files are wanted, for a diff.
    pub texts: bool,
}

/// The login by which a host was last reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastLogin {
    /// None where no run has recorded it.
    pub user: Option<Account>,
    /// None for the port of the address.
    pub port: Option<u16>,
}

/// What happens, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Connecting,
    /// The host was reached, and showed a key that is not recorded: to be kept.
    HostKey(Fingerprint),
    /// The host was reached by another login than the last time: to be kept.
    Reached(LastLogin),
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
    /// What petasos.lock is to keep of the host, as the host says it.
    Learned(Lesson, String),
    /// So many bytes of something long.
    Progress {
        done: u64,
        of: u64,
        what: String,
    },
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
    /// Who becomes root without a password beside the administrator: `ubuntu (/etc/sudoers)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_root: Vec<String>,
    /// How the host is after an undo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
    /// How many scripts ran on the host.
    pub round_trips: usize,
    pub seconds: f64,
}

impl Outcome {
    /// Whether a step was to be made, in the first pass or the second.
    pub fn made(&self, id: &str) -> bool {
        self.plan.steps.iter().chain(&self.second_pass).any(|step| step.id == id)
    }
}

impl Job {
    /// Gathers facts and reports what would change; changes nothing.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn plan(&self, watch: &Watch) -> Result<Outcome, RunError> {
        let mut session = Session::open(self, watch).await?;
        let seen = session.observe().await.and_then(|seen| session.offered(seen));
        session.finish(seen.map(|seen| (seen.system, seen.plan, Vec::new()))).await
    }

    /// Gathers facts, changes what differs, and checks again.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn up(&self, watch: &Watch) -> Result<Outcome, RunError> {
        let mut session = Session::open(self, watch).await?;
        let done = session.converge().await;
        if done.is_ok() {
            let learned = std::mem::take(&mut session.learned);
            learned.into_iter().for_each(|(what, text)| session.report(Event::Learned(what, text)));
        }
        session.finish(done.map(|(first, second_pass)| (first.system, first.plan, second_pass))).await
    }

    fn host_error(&self, fault: impl Into<Fault>) -> RunError {
        RunError::Host { host: self.name.clone(), fault: fault.into() }
    }
}
