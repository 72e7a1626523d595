//! How scripts reach a host.

mod host_key;
mod login;
mod resolve;
mod ssh;
mod sudo;

pub use host_key::HostKey;
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
    #[error("{target} refused the login: {why}")]
    Refused { target: Target, why: String },
    #[error("the host key of {target} is not the known one\n  the host shows: {shown}\n  known is:       {known}")]
    HostKey { target: Target, shown: String, known: String },
    #[error("`{user}` cannot become root on {host} without a password: {why}")]
    NoSudo { user: String, host: String, why: String },
    #[error("sudo on {host} does not take the password of `{user}`")]
    WrongPassword { user: String, host: String },
    #[error("{host}: {source}")]
    Answer { host: String, source: FrameError },
    #[error("{host}: the connection broke: {why}")]
    Broken { host: String, why: String },
}

impl TransportError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { hint, .. } => (*hint).to_owned(),
            Self::Refused { .. } => {
                "is the right key in the agent or in ~/.ssh, and is it one that the host accepts?".to_owned()
            }
            Self::HostKey { target, .. } => format!(
                "if the host was set up anew, compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its \
                 console, then give that with `--host-key SHA256:…` (and `ssh-keygen -R {}` for your own ssh); if not, \
                 somebody may be in between",
                target.host
            ),
            Self::NoSudo { user, .. } => format!(
                "give it in the environment variable PETASOS_SUDO_PASSWORD (on a terminal petasos asks for it), give \
                 `{user}` passwordless sudo, or log in as root"
            ),
            Self::WrongPassword { .. } => "type it again, or mend PETASOS_SUDO_PASSWORD".to_owned(),
            Self::Broken { .. } => "run the same command again; what was done is kept, and the rest follows".to_owned(),
            Self::Answer { .. } => return None,
        })
    }

    pub fn fault(&self) -> Fault {
        Fault { message: self.to_string(), hint: self.hint() }
    }
}
