//! Changes that may lock people out: armed with a rollback, made, and confirmed by a fresh login.

use super::script::Batch;
use super::{Event, RunError, Session};
use crate::act::Act;
use crate::fault::Fault;
use crate::guard::{self, Scope};
use crate::name::Fingerprint;
use crate::plan::Step;
use crate::shell::Script;
use crate::transport::{Kind, Ssh, TransportError};
use std::time::{Duration, Instant};

/// How long after the timeout the host may still be busy with the rollback, in seconds.
const AFTER: u64 = 15;

/// The fingerprints of the keys that sshd shows, as `ssh-keygen -l` prints them.
const HOST_KEYS: &str = include_str!("../../remote/sshd/host-keys.sh");

/// How such a line ends where the hardened sshd shows the key.
const TYPES: [&str; 2] = ["(ED25519)", "(RSA)"];

/// Whose fresh login confirms a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfirmBy {
    /// The administrator's, who could log in before.
    Admin,
    /// The administrator's, whose own login it is that changes.
    NewAdmin,
    /// Whichever worked before the run that is undone.
    Any,
}

impl Session<'_> {
    /// Makes the steps, and leaves with a connection that was opened after them. `numbers` are how
    /// many steps come before these, of how many.
    ///
    /// # Errors
    /// [`RunError::RolledBack`] when a step failed or nobody could log in afterwards: the host is
    /// then as it was before the steps.
    pub(super) async fn guarded(
        &mut self,
        steps: &[&Step],
        (before, of): (usize, usize),
        scope: &Scope,
        way: ConfirmBy,
    ) -> Result<(), RunError> {
        if way == ConfirmBy::Admin && *self.connection.user() != self.job.admin {
            self.check_admin_login().await?;
        }
        self.expect_host_keys().await?;
        let armed = Instant::now();
        let arm = guard::arm(scope).map_err(|why| self.host_error(why))?;
        if let Err(why) = self.armed(Batch { name: "arm", first: &arm, steps, before, of }).await? {
            return Err(self.roll_back(armed, why).await);
        }
        self.report(Event::AdminLogin { user: self.job.admin.to_string() });
        match self.confirm(armed, way).await {
            Ok(fresh) => {
                self.job.reached(&fresh, self.watch);
                self.switch_to(fresh).await;
                Ok(())
            }
            Err(why) => {
                let why = self.with_reason(&self.job.admin, why).await;
                Err(self.roll_back(armed, why).await)
            }
        }
    }

    /// A key of a type that sshd will not show any more, or that is not the best that it has, was
    /// good enough to get in: the host itself says which come next.
    async fn expect_host_keys(&mut self) -> Result<(), RunError> {
        if self.job.login.host_key.kind() == Some(Kind::Ed25519) {
            return Ok(());
        }
        let act = Act::sh("read the host keys", HOST_KEYS, Vec::<String>::new());
        let frame = self.first_frame("host-keys", &act).await?;
        let text = frame.text();
        let keys: Vec<&str> = text.lines().filter(|line| TYPES.iter().any(|kind| line.ends_with(kind))).collect();
        if frame.rc != 0 || keys.is_empty() {
            let none =
                Fault::new(format!("sshd has no host key of a type that it may show from now on: {}", text.trim()));
            return Err(self.host_error(none.hint(
                "on the host, `ssh-keygen -A` makes one of each type; `HostKey` lines in /etc/ssh/sshd_config must not leave ed25519 out",
            )));
        }
        let fingerprints = keys.iter().flat_map(|line| line.split(' ')).filter_map(|word| Fingerprint::new(word).ok());
        self.job.login.host_key.announce(fingerprints.collect());
        Ok(())
    }

    /// Arms the rollback and makes the steps, in one script. Inside: why the change has to be taken
    /// back.
    async fn armed(&mut self, batch: Batch<'_>) -> Result<Result<(), Fault>, RunError> {
        let frames = match self.execute(batch).await? {
            Ok(frames) => frames,
            // The steps may have been made, or some of them.
            Err(
                error @ (TransportError::Broken { .. } | TransportError::Answer { .. } | TransportError::Late { .. }),
            ) => {
                return Ok(Err(error.fault()));
            }
            Err(error) => return Err(error.into()),
        };
        let mut frames = frames.iter();
        if let Some(first) = frames.next() {
            // Nothing was changed if this one failed.
            self.judge(first, None)?;
        }
        let failed = frames.zip(batch.steps).find_map(|(frame, step)| self.judge(frame, Some(step)).err());
        Ok(failed.map_or(Ok(()), |error| Err(error.fault())))
    }

    /// New connections as the administrator, until one confirms or more than half of the timeout is
    /// over. A login that is refused twice stays refused: more of them would only make sshd shut
    /// out this address (PerSourcePenalties).
    async fn confirm(&mut self, armed: Instant, way: ConfirmBy) -> Result<Ssh, Fault> {
        let timeout = Duration::from_secs(u64::from(self.job.confirm_timeout_secs) * 6 / 10);
        let mut refused = 0;
        loop {
            self.count();
            let why = match self.fresh(way).await {
                Ok(fresh) => match Self::disarm(fresh).await {
                    Ok(fresh) => return Ok(fresh),
                    Err(why) => why,
                },
                Err(error) => {
                    refused += u32::from(matches!(error, RunError::Transport(TransportError::Refused { .. })));
                    error.fault()
                }
            };
            if refused == 2 || armed.elapsed() + Duration::from_secs(2) > timeout {
                return Err(why);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    async fn fresh(&self, way: ConfirmBy) -> Result<Ssh, RunError> {
        let limit = Duration::from_secs(u64::from(self.job.confirm_timeout_secs / 4).clamp(3, 10));
        match way {
            ConfirmBy::Admin => Ok(self.admin_login().within(limit).open().await?),
            // sshd's port is another step's.
            ConfirmBy::NewAdmin => Ok(self.here().with_user(&self.job.admin).within(limit).open().await?),
            ConfirmBy::Any => self.job.connect(self.watch).await,
        }
    }

    async fn disarm(fresh: Ssh) -> Result<Ssh, Fault> {
        let frame = fresh.ask("disarm", &guard::disarm()).await.map_err(|error| error.fault())?;
        if frame.text().trim() == "disarmed" { Ok(fresh) } else { Err(Fault::new(frame.error_text())) }
    }

    /// Over the old connection if it still works, else by waiting for the host's own timer.
    async fn roll_back(&self, armed: Instant, why: Fault) -> RunError {
        self.note("rolling the change back");
        let deadline = armed + Duration::from_secs(u64::from(self.job.confirm_timeout_secs) + AFTER);
        let host = self.job.name.clone();
        let over_old = tokio::time::timeout(Duration::from_secs(20), self.revert()).await;
        if matches!(over_old, Ok(true)) {
            // sshd opens the old port a moment after it was told to. Whoever keeps it busy is not
            // waited for: that the change is rolled back is known.
            if !self.was_rolled_back().await {
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.was_rolled_back().await;
            }
            return RunError::RolledBack { host, why };
        }
        while Instant::now() < deadline {
            tokio::time::sleep(Duration::from_secs(3)).await;
            if self.was_rolled_back().await {
                return RunError::RolledBack { host, why };
            }
        }
        RunError::Lost { host, why, seconds: self.job.confirm_timeout_secs }
    }

    async fn revert(&self) -> bool {
        let mut script = Script::observing();
        script.step("revert");
        guard::revert().write(&mut script);
        guard::settled().write(&mut script);
        let frames = self.connection.run(&script, |_| ()).await;
        frames.is_ok_and(|frames| frames.last().is_some_and(|frame| frame.rc == 0))
    }

    /// Whether a login that worked before works again, and the host says that it took the change
    /// back.
    async fn was_rolled_back(&self) -> bool {
        let Ok(old) = self.job.connect(self.watch).await else { return false };
        let settled = old.ask("settled", &guard::settled()).await;
        old.close().await;
        settled.is_ok_and(|frame| frame.rc == 0)
    }

    /// Takes back what an earlier run changed and nobody confirmed.
    ///
    /// # Errors
    /// When the host does not say that it did.
    pub(super) async fn roll_back_earlier(&mut self) -> Result<(), RunError> {
        self.note("an earlier run's change was never confirmed: rolling it back first");
        self.count();
        if self.revert().await {
            return Ok(());
        }
        let stuck = Fault::new("an earlier run's unconfirmed change cannot be rolled back");
        Err(self.host_error(stuck.hint("see `journalctl -u petasos-revert` on the host")))
    }
}
