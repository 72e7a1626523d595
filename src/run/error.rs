//! Why a run ends early.

use crate::transport::TransportError;

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
