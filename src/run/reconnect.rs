//! A host that goes away in the middle of a run, because it restarts or the network is down: it is
//! waited for, and the run is resumed from fresh facts.

use super::lock::State;
use super::{RunError, Session, lock};
use crate::shell::FrameError;
use crate::transport::{Ssh, TransportError};
use std::time::{Duration, Instant};

/// How long a host may be away, in all of a run.
const AWAY: Duration = Duration::from_secs(300);
/// How often it may go away in one run.
const OFTEN: u32 = 5;
/// How long a step that the lost connection began may go on.
const ORPHAN: Duration = Duration::from_secs(900);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(3);

/// The absences of one run.
#[derive(Default)]
pub(super) struct Absences {
    waited: Duration,
    times: u32,
}

impl Session<'_> {
    /// Whether a run ended because the host went away, or is going.
    pub(super) async fn went_away(&self, error: &RunError) -> bool {
        match error {
            RunError::Transport(error) => is_cut(error),
            // A step fails for no reason of its own while the host goes down.
            RunError::Step { .. } | RunError::ReleaseRolledBack { .. } => {
                let state = tokio::time::timeout(Duration::from_secs(25), self.work_left(&self.connection)).await;
                matches!(state, Err(_) | Ok(HostState::Says(State::Down) | HostState::Cut))
            }
            _ => false,
        }
    }

    /// Waits for the host, and for the end of what the lost connection began; leaves with a new
    /// connection.
    ///
    /// # Errors
    /// [`RunError::Away`] when that takes too long or happens too often.
    pub(super) async fn reconnect(&mut self, absences: &mut Absences, error: &RunError) -> Result<(), RunError> {
        let (why, host) = (first_line(error), self.job.name.clone());
        let away = |what: String| RunError::Away { host: host.clone(), why: why.clone(), what };
        absences.times += 1;
        if absences.times > OFTEN {
            return Err(away(format!("it did so {} times", absences.times)));
        }
        let left = AWAY.saturating_sub(absences.waited);
        self.note(format!("the host went away ({why}): waiting for it, up to {} s", left.as_secs()));
        let (began, mut busy, mut refused) = (Instant::now(), None, 0);
        let mut fresh: Option<Ssh> = None;
        loop {
            let state = match &fresh {
                Some(fresh) => self.work_left(fresh).await,
                None => HostState::Cut,
            };
            match state {
                HostState::Says(State::Free) => break,
                HostState::Says(State::Busy) if busy.is_none() => {
                    busy = Some(Instant::now());
                    self.note("a step that the lost connection started is still running: waiting for it");
                }
                HostState::Says(State::Busy) => {}
                // A host that goes down still answers for a moment: what counts is a connection
                // after that.
                HostState::Says(State::Down) | HostState::Cut => {
                    if let Some(fresh) = fresh.take() {
                        let _ = tokio::time::timeout(PAUSE, fresh.close()).await;
                    }
                    tokio::time::sleep(PAUSE).await;
                    fresh = self.try_login(&mut refused).await?;
                }
            }
            match busy {
                Some(since) if since.elapsed() > ORPHAN => {
                    return Err(away(format!("a step that it started was still running {} s later", ORPHAN.as_secs())));
                }
                None if began.elapsed() > left => {
                    return Err(away(format!("it did not answer for {} s", AWAY.as_secs())));
                }
                _ => {}
            }
        }
        if let Some(fresh) = fresh {
            let old = std::mem::replace(&mut self.connection, fresh);
            // The master of a dead connection may not answer; it ends by itself.
            let _ = tokio::time::timeout(PAUSE, old.close()).await;
        }
        absences.waited += busy.unwrap_or_else(Instant::now) - began;
        self.note(format!("the host is back after {} s: gathering facts again", began.elapsed().as_secs()));
        Ok(())
    }

    /// One try to log in; none when the host does not answer.
    async fn try_login(&self, refused: &mut u32) -> Result<Option<Ssh>, RunError> {
        match self.job.connect_within(Some(Duration::from_secs(5)), self.watch).await {
            Ok(fresh) => Ok(Some(fresh)),
            Err(error @ RunError::Transport(TransportError::HostKey { .. } | TransportError::NoSudo { .. })) => {
                Err(error)
            }
            // A host that starts or stops lets nobody in for a moment (pam_nologin).
            Err(error @ RunError::Transport(TransportError::Refused { .. })) if *refused == 3 => Err(error),
            Err(RunError::Transport(TransportError::Refused { .. })) => {
                *refused += 1;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    /// Whether the connection from before still works: then it is the new one that is refused, as
    /// PAM does it (pam_nologin, pam_access), and no host that went away.
    pub(super) async fn still_answers(&self) -> bool {
        let state = tokio::time::timeout(PAUSE, self.work_left(&self.connection)).await;
        matches!(state, Ok(HostState::Says(State::Free | State::Busy)))
    }

    async fn work_left(&self, ssh: &Ssh) -> HostState {
        match ssh.ask("state", &lock::state(&self.job.run_id.id)).await {
            Ok(frame) => HostState::Says(State::read(&frame)),
            Err(_) => HostState::Cut,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostState {
    Says(State),
    Cut,
}

/// Whether it is the network's word, or that of a host that went down; not that of a host that
/// answers.
pub(super) fn is_cut(error: &TransportError) -> bool {
    match error {
        TransportError::Broken { .. } | TransportError::Unreachable { .. } | TransportError::Dropped { .. } => true,
        TransportError::Answer { source, .. } => matches!(source, FrameError::CutOff(_)),
        TransportError::Refused { .. }
        | TransportError::HostKey { .. }
        | TransportError::NoSudo { .. }
        | TransportError::WrongPassword { .. }
        | TransportError::Late { .. } => false,
    }
}

/// An error's first line: its hint is shown elsewhere.
fn first_line(error: &RunError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
