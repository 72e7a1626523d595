//! How scripts reach a host.

pub mod ssh;

pub use ssh::{Login, Ssh, SshOptions};

use crate::config::Target;
use crate::shell::FrameError;

/// Why a host was not reached, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("cannot reach {target}: {why}\nhint: {hint}")]
    Unreachable { target: Target, why: String, hint: &'static str },
    #[error(
        "{target} refused the login: {why}\nhint: is the right key in the agent or in ~/.ssh, and is it one that the host accepts?"
    )]
    Refused { target: Target, why: String },
    #[error(
        "the host key of {target} is not the known one: {why}\nhint: if the host was set up anew, remove the old key with `ssh-keygen -R {}`; if not, somebody may be in between",
        target.host
    )]
    HostKey { target: Target, why: String },
    #[error(
        "`{user}` cannot become root on {host} without a password: {why}\nhint: log in as root, or give `{user}` passwordless sudo"
    )]
    NoSudo { user: String, host: String, why: String },
    #[error("{host}: {source}")]
    Answer { host: String, source: FrameError },
    #[error(
        "{host}: the connection broke: {why}\nhint: run the same command again; what was done is kept, and the rest follows"
    )]
    Broken { host: String, why: String },
}
