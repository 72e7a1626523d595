//! Changes that may lock people out: armed with a way back, made, and confirmed by a fresh login.

use super::{Connection, Event, Job, RunError, Watch};
use crate::act::Act;
use crate::guard::{self, Scope};
use crate::plan::Step;
use crate::shell::{Frame, Script};
use crate::transport::{Ssh, TransportError};
use std::time::{Duration, Instant};

/// How long after the window the host may still be busy with the way back, in seconds.
const AFTER: u64 = 15;

/// Whose fresh login confirms a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfirmBy {
    /// The administrator's.
    Admin,
    /// Whichever worked before the run that is undone.
    Any,
}

impl Job {
    /// Makes the steps, and leaves with a connection that was opened after them.
    ///
    /// # Errors
    /// [`RunError::RolledBack`] when a step failed or nobody could log in afterwards: the host is
    /// then as it was before the steps.
    pub(super) async fn guarded(
        &self,
        connection: &mut Connection,
        steps: &[&Step],
        scope: &Scope,
        way: ConfirmBy,
        tell: impl FnMut(usize) + Send,
        watch: &Watch,
    ) -> Result<(), RunError> {
        if way == ConfirmBy::Admin && *connection.ssh.user() != self.admin {
            self.check_admin_login(connection, watch).await?;
        }
        let armed = Instant::now();
        if let Err(why) = self.armed(connection, steps, scope, tell, watch).await? {
            return Err(self.roll_back(connection, armed, why, watch).await);
        }
        watch(&self.name, Event::AdminLogin { user: self.admin.to_string() });
        match self.confirm(connection, armed, way).await {
            Ok(fresh) => {
                self.reached(&fresh);
                let old = std::mem::replace(&mut connection.ssh, fresh);
                old.close().await;
                Ok(())
            }
            Err(why) => Err(self.roll_back(connection, armed, why, watch).await),
        }
    }

    /// Arms the way back and makes the steps, in one script. Inside: why the change has to be taken
    /// back.
    async fn armed(
        &self,
        connection: &mut Connection,
        steps: &[&Step],
        scope: &Scope,
        tell: impl FnMut(usize) + Send,
        watch: &Watch,
    ) -> Result<Result<(), String>, RunError> {
        let arm = guard::arm(scope).map_err(|why| self.host_error(why))?;
        let frames = match self.execute(connection, ("arm", &arm), steps, tell, watch).await? {
            Ok(frames) => frames,
            // The steps may have been made, or some of them.
            Err(error @ (TransportError::Broken { .. } | TransportError::Answer { .. })) => {
                return Ok(Err(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let mut frames = frames.iter();
        if let Some(first) = frames.next() {
            // Nothing was changed if this one failed.
            self.judge(first, None)?;
        }
        let failed = frames.zip(steps).find_map(|(frame, step)| self.judge(frame, Some(step)).err());
        Ok(failed.map_or(Ok(()), |error| Err(error.to_string())))
    }

    /// New connections as the administrator, until one confirms or more than half of the window is
    /// over. A login that is refused twice stays refused: more of them would only make sshd shut
    /// out this address (PerSourcePenalties).
    async fn confirm(&self, connection: &mut Connection, armed: Instant, way: ConfirmBy) -> Result<Ssh, String> {
        let patience = Duration::from_secs(u64::from(self.window) * 6 / 10);
        let mut refused = 0;
        loop {
            connection.round_trips += 1;
            let why = match self.fresh(way).await {
                Ok(fresh) => match Self::disarm(fresh).await {
                    Ok(fresh) => return Ok(fresh),
                    Err(why) => why,
                },
                Err(error) => {
                    refused += u32::from(matches!(error, RunError::Transport(TransportError::Refused { .. })));
                    error.to_string()
                }
            };
            if refused == 2 || armed.elapsed() + Duration::from_secs(2) > patience {
                return Err(why);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    async fn fresh(&self, way: ConfirmBy) -> Result<Ssh, RunError> {
        let limit = Duration::from_secs(u64::from(self.window / 4).clamp(3, 10));
        match way {
            ConfirmBy::Admin => Ok(self.admin_login().within(limit).open().await?),
            ConfirmBy::Any => Ok(self.connect().await?.ssh),
        }
    }

    async fn disarm(fresh: Ssh) -> Result<Ssh, String> {
        let mut script = Script::observing();
        script.step("disarm");
        guard::disarm().write(&mut script);
        let frames = fresh.run(&script, |_| ()).await.map_err(|error| error.to_string())?;
        match frames.first() {
            Some(frame) if frame.text().trim() == "disarmed" => Ok(fresh),
            Some(frame) => Err(frame.error_text()),
            None => Err("the host did not say that it confirmed the change".into()),
        }
    }

    /// Over the old connection if it still works, else by waiting for the host's own timer.
    async fn roll_back(&self, connection: &mut Connection, armed: Instant, why: String, watch: &Watch) -> RunError {
        watch(&self.name, Event::Note("the change is taken back".into()));
        let deadline = armed + Duration::from_secs(u64::from(self.window) + AFTER);
        let over_old = tokio::time::timeout(Duration::from_secs(10), self.revert(&connection.ssh)).await;
        let mut back = matches!(over_old, Ok(true));
        while !back && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_secs(3)).await;
            back = self.was_rolled_back().await;
        }
        let host = self.name.clone();
        if back { RunError::RolledBack { host, why } } else { RunError::Lost { host, why, seconds: self.window } }
    }

    async fn revert(&self, ssh: &Ssh) -> bool {
        let mut script = Script::observing();
        script.step("revert");
        guard::revert().write(&mut script);
        Self::state().write(&mut script);
        ssh.run(&script, |_| ()).await.is_ok_and(|frames| frames.last().is_some_and(Self::is_back))
    }

    /// Whether a login that worked before works again, and the host says that it took the change
    /// back.
    async fn was_rolled_back(&self) -> bool {
        let Ok(old) = self.connect().await else { return false };
        let mut script = Script::observing();
        script.step("state");
        Self::state().write(&mut script);
        let frames = old.ssh.run(&script, |_| ()).await;
        old.ssh.close().await;
        frames.is_ok_and(|frames| frames.last().is_some_and(Self::is_back))
    }

    fn state() -> Act {
        Act::sh(
            "say what the guard did",
            "cd \"$1\" && [ ! -e armed ] && [ ! -e reverting ] && [ -e reverted ]",
            [guard::STATE],
        )
    }

    fn is_back(frame: &Frame) -> bool {
        frame.rc == 0
    }

    /// Takes back what an earlier run changed and nobody confirmed.
    ///
    /// # Errors
    /// When the host does not say that it did.
    pub(super) async fn roll_back_earlier(&self, connection: &mut Connection, watch: &Watch) -> Result<(), RunError> {
        watch(&self.name, Event::Note("an earlier run's change was never confirmed: it is taken back first".into()));
        connection.round_trips += 1;
        if self.revert(&connection.ssh).await {
            return Ok(());
        }
        Err(self.host_error("an earlier run's change is armed, and cannot be taken back\nhint: see `journalctl -u petasos-revert` on the host".into()))
    }
}
