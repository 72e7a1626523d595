//! SSH, by the user's own `ssh` (the openssh crate): their configuration, agent, jump hosts and
//! known hosts count.
//!
//! Every [`Ssh`] is a connection of its own: a master process that no other connection shares.

use super::{AskPassword, TransportError, sudo};
use crate::act::{Act, Text};
use crate::config::Target;
use crate::name::{Account, Fingerprint};
use crate::shell::{Frame, FrameError, Reader, Script};
use openssh::{Session, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An open connection.
pub struct Ssh {
    session: Session,
    target: Target,
    new_host_key: Option<Fingerprint>,
    /// Who knows the password that sudo may want.
    ask: Option<AskPassword>,
    password: Mutex<Option<Text>>,
}

impl Ssh {
    pub(super) fn new(
        session: Session,
        target: Target,
        new_host_key: Option<Fingerprint>,
        ask: Option<AskPassword>,
    ) -> Self {
        Self { session, target, new_host_key, ask, password: Mutex::new(None) }
    }

    /// The fingerprint of the host's key, if it is to be recorded.
    pub fn new_host_key(&self) -> Option<&Fingerprint> {
        self.new_host_key.as_ref()
    }

    pub fn user(&self) -> &Account {
        &self.target.user
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Runs a script as root: one command over the connection. Each frame is handed over as soon as
    /// it is whole.
    ///
    /// # Errors
    /// When nobody becomes root, the answer is not whole or not what was asked, it takes longer
    /// than [`Script::patience`], or the connection breaks.
    pub async fn run(&self, script: &Script, mut on_frame: impl FnMut(&Frame)) -> Result<Vec<Frame>, TransportError> {
        if self.user().as_str() == "root" {
            return self.run_by("sh -s", None, script, &mut on_frame).await;
        }
        let known = self.password.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_some() {
            return self.run_by("", known, script, &mut on_frame).await;
        }
        let silent = self.run_by("sudo -n -- sh -s", None, script, &mut on_frame).await;
        let Err(TransportError::NoSudo { .. }) = &silent else { return silent };
        let Some(password) = self.ask_password().await else { return silent };
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = Some(password.clone());
        self.run_by("", Some(password), script, &mut on_frame).await
    }

    /// Runs one act that only reads, as root; its frame.
    ///
    /// # Errors
    /// As for [`Ssh::run`].
    pub async fn ask(&self, name: &str, act: &Act) -> Result<Frame, TransportError> {
        self.ask_long(name, act, Duration::ZERO).await
    }

    /// The same of one that may take so much longer.
    ///
    /// # Errors
    /// As for [`Ssh::run`].
    pub async fn ask_long(&self, name: &str, act: &Act, more: Duration) -> Result<Frame, TransportError> {
        let mut script = Script::observing();
        script.allow(more);
        script.step(name);
        act.write(&mut script);
        let frame = self.run(&script, |_| ()).await?.into_iter().next();
        frame.ok_or_else(|| self.answer(FrameError::Missing(name.to_owned())))
    }

    async fn ask_password(&self) -> Option<Text> {
        let (ask, target) = (self.ask.clone()?, self.target.clone());
        // Somebody may have to type it.
        tokio::task::spawn_blocking(move || ask(&target)).await.ok().flatten()
    }

    /// By a shell that is root's at once, or by sudo with a password.
    async fn run_by(
        &self,
        shell: &str,
        password: Option<Text>,
        script: &Script,
        mut on_frame: impl FnMut(&Frame),
    ) -> Result<Vec<Frame>, TransportError> {
        let nonce = nonce();
        let line = if password.is_some() { None } else { script.line_for(shell, &nonce) };
        let text = if line.is_none() { script.text(&nonce) } else { String::new() };
        let broken = |why: String| TransportError::Broken { host: self.target.host.clone(), why };
        let line = match &password {
            Some(_) => sudo::command(&nonce),
            None => line.unwrap_or_else(|| format!("exec {shell}")),
        };
        let mut command = self.session.raw_command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().await.map_err(|error| broken(error.to_string()))?;
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
            (child.stdin().take(), child.stdout().take(), child.stderr().take())
        else {
            return Err(broken("ssh gave no pipes".into()));
        };
        if let Some(password) = &password {
            let talk = sudo::talk(&nonce, password.reveal(), &mut stdin, &mut stdout, &mut stderr);
            talk.await.map_err(|denied| self.denied(denied))?;
        }
        // A host that reads nothing (sudo that refuses) closes the pipe: its standard error
        // shows why.
        let writing = async {
            let _ = stdin.write_all(text.as_bytes()).await;
            drop(stdin);
        };
        let complaining = async {
            let mut bytes = Vec::new();
            let _ = (&mut stderr).take(16 * 1024).read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        let reading = async {
            let mut reader = Reader::new(&nonce, script.asked());
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
        let talking = async {
            // What breaks the answer off ends the talk: the rest is neither read nor waited for.
            let (complaint, read) = tokio::try_join!(async { Ok(tokio::join!(writing, complaining).1) }, reading)?;
            Ok::<_, TransportError>((complaint, read, child.wait().await))
        };
        let late = || TransportError::Late { host: self.target.host.clone(), seconds: script.patience().as_secs() };
        let talk = tokio::time::timeout(script.patience(), talking).await.unwrap_or_else(|_| Err(late()));
        let (complaint, (frames, end), status) = talk?;
        match end {
            Ok(_) => Ok(frames),
            Err(FrameError::NoAnswer(heard)) if self.user().as_str() != "root" && complaint.contains("sudo") => {
                Err(self.denied(sudo::Denied::Other(if complaint.is_empty() { heard } else { complaint })))
            }
            // Silence is the host's answer only while the connection stands.
            Err(FrameError::NoAnswer(heard)) => {
                let check = tokio::time::timeout(CHECK, self.session.check()).await;
                check.map_err(|_| broken("it does not answer".into()))?.map_err(|error| broken(error.to_string()))?;
                Err(self.answer(FrameError::NoAnswer(if complaint.is_empty() { heard } else { complaint })))
            }
            Err(source) => match status {
                Ok(_) => Err(self.answer(source)),
                Err(error) => Err(broken(format!("{source} ({error})"))),
            },
        }
    }

    fn denied(&self, denied: sudo::Denied) -> TransportError {
        let (user, host) = (self.user().to_string(), self.target.host.clone());
        match denied {
            sudo::Denied::Wrong => TransportError::WrongPassword { user, host },
            sudo::Denied::Other(why) => TransportError::NoSudo { user, host, why },
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
        let _ = tokio::time::timeout(CHECK, self.session.close()).await;
    }
}

/// How long the connection's own process may take to say whether it stands.
const CHECK: Duration = Duration::from_secs(20);

/// Nobody on the host can guess it beforehand.
fn nonce() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => format!("{:x}", std::process::id()),
    }
}
