//! How scripts reach a host.

pub mod client;
mod host_key;
mod login;
mod resolve;
mod ssh;
mod sudo;

pub use host_key::{HostKey, Kind};
pub use login::{Login, SshOptions};
pub use resolve::{Resolved, resolve};
pub use ssh::Ssh;

use crate::act::Text;
use crate::config::Target;
use crate::fault::Fault;
use crate::shell::FrameError;
use std::sync::Arc;

/// Knows a user's password, or asks for it; none where nobody can be asked.
pub type AskPassword = Arc<dyn Fn(&Target) -> Option<Text> + Send + Sync>;

/// Why a host was not reached, or did not answer. What to do is in [`TransportError::hint`].
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("cannot reach {target}: {why}")]
    Unreachable { target: Target, why: String, hint: &'static str },
    #[error("{target} closed the connection before the login: {why}")]
    Dropped { target: Target, why: String },
    #[error("{target} refused the login: {why}")]
    Refused { target: Target, why: String },
    #[error(
        "the host key of {target} does not match the recorded one\n  the host shows: {shown}\n  recorded:       {known}"
    )]
    HostKey { target: Target, shown: String, known: String },
    #[error("`{user}` cannot become root on {host} without a password: {why}")]
    NoSudo { user: String, host: String, why: String },
    #[error("sudo on {host} rejected the password of `{user}`")]
    WrongPassword { user: String, host: String },
    #[error("{host}: {source}")]
    Answer { host: String, source: FrameError },
    #[error("{host}: the connection broke: {why}")]
    Broken { host: String, why: String },
    #[error("{host} did not answer within {seconds} s")]
    Late { host: String, seconds: u64 },
}

impl TransportError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { hint, .. } => (*hint).to_owned(),
            Self::Dropped { .. } => "sshd has as many logins at work as it takes at once (MaxStartups, \
                                     PerSourceMaxStartups), or shuts this address out for a while after failed logins \
                                     (PerSourcePenalties): wait a minute, then try again"
                .to_owned(),
            Self::Refused { .. } => {
                "check that the right key is in ssh-agent or ~/.ssh, and that the host accepts it".to_owned()
            }
            Self::HostKey { target, .. } => format!(
                "if the host was reinstalled, compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its \
                 console, then give that with `--host-key SHA256:…` (and `ssh-keygen -R {}` for your own ssh); if not, \
                 somebody may be intercepting the connection",
                target.host
            ),
            Self::NoSudo { user, .. } => format!(
                "set PETASOS_SUDO_PASSWORD (on a terminal petasos asks for it), give \
                 `{user}` passwordless sudo, or log in as root"
            ),
            Self::WrongPassword { .. } => "type it again, or correct PETASOS_SUDO_PASSWORD".to_owned(),
            Self::Broken { .. } => "run the same command again; it continues where this run stopped".to_owned(),
            Self::Late { .. } => {
                "what it was asked to do may still be at work there: look at its load and disks, then run \
                                  the same command again, which waits for that first"
                    .to_owned()
            }
            // What cloud-init puts before root's key.
            Self::Answer { host, source: FrameError::NoAnswer(heard) } if heard.contains("rather than the user") => {
                let user = heard.split('"').nth(1).unwrap_or("ubuntu");
                format!("log in as that user: `{user}@{host}`")
            }
            Self::Answer { source: FrameError::NoAnswer(_), .. } => {
                "a start file of the login shell there (~/.bashrc, ~/.profile, /etc/profile.d) may end the shell, or \
                 print without end: let it do so only where `$-` has an `i`, as the shells' own examples do"
                    .to_owned()
            }
            Self::Answer { .. } => return None,
        })
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}
