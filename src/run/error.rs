//! Why a run ends early.

use crate::fault::Fault;
use crate::transport::TransportError;

/// Each names the host, and its resource where there is one. What to do is in [`RunError::hint`].
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The host is none that Petasos can handle, or a setting cannot be filled in.
    #[error("{host}: {}", fault.message)]
    Host { host: String, fault: Fault },
    #[error("{host}: could not observe `{id}`: {}", why.message)]
    Unknown { host: String, id: String, why: Fault },
    #[error("{host}: `{id}` failed (`{title}`):\n{output}")]
    Step { host: String, id: String, title: String, output: String, hint: String },
    /// The agent was not healthy with the new release; it was rolled back.
    #[error("{host}: `{id}` was rolled back:\n{output}")]
    ReleaseRolledBack { host: String, id: String, output: String, hint: Option<String> },
    /// A change that may lock people out was not confirmed.
    #[error("{host}: a change that could lock you out was rolled back, and the host is as it was before: {}", why.message)]
    RolledBack { host: String, why: Fault },
    #[error("{host}: the host does not answer after a change that could lock you out: {}", why.message)]
    Lost { host: String, why: Fault, seconds: u32 },
    #[error("{host}: another run is in progress: {owner}")]
    Locked { host: String, owner: String },
    #[error("{host}: still not converged after a second pass:{list}")]
    NotConverged { host: String, list: String },
    /// The host went away in the middle of the run.
    #[error("{host}: the host went away during the run ({why}), and {what}")]
    Away { host: String, why: String, what: String },
    #[error("{host}: root login stays open because `{user}` cannot become root yet: {}", why.message)]
    AdminLogin { host: String, user: String, why: Fault },
}

impl RunError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Transport(error) => error.hint(),
            Self::Host { fault, .. } => fault.hint.clone(),
            Self::Unknown { why, .. } | Self::RolledBack { why, .. } | Self::AdminLogin { why, .. } => why.hint.clone(),
            Self::Step { hint, .. } => Some(hint.clone()),
            Self::ReleaseRolledBack { hint, .. } => hint.clone(),
            Self::Lost { seconds, .. } => {
                Some(format!("it rolls the change back by itself, {seconds} s after it was made, and when it restarts"))
            }
            Self::Locked { .. } => Some("wait for it to end".into()),
            Self::Away { .. } => {
                Some("run the same command again once the host answers; it continues where this run stopped".into())
            }
            Self::NotConverged { .. } => None,
        }
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}
