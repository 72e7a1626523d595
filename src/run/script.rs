//! One script that changes a host: lock, what comes before, the steps.

use super::lock::{Held, Lock};
use super::{Connection, Event, Job, RunError, Watch, lock, owner};
use crate::act::Act;
use crate::plan::{self, Step};
use crate::release::steps::UNHEALTHY;
use crate::shell::{Frame, Script};
use crate::transport::TransportError;

/// The frames of a script, or why they did not all arrive.
pub(super) type Ran = Result<Vec<Frame>, TransportError>;

impl Job {
    /// Runs `first` and then the steps, under the host's lock; the frames begin with that of
    /// `first`.
    ///
    /// # Errors
    /// When another run has the lock; nothing was done then.
    pub(super) async fn execute(
        &self,
        connection: &mut Connection,
        first: (&str, &[Act]),
        steps: &[&Step],
        mut tell: impl FnMut(usize) + Send,
        watch: &Watch,
    ) -> Result<Ran, RunError> {
        self.execute_once(connection, first, steps, &mut tell, watch, false).await
    }

    async fn execute_once(
        &self,
        connection: &mut Connection,
        first: (&str, &[Act]),
        steps: &[&Step],
        tell: &mut (dyn FnMut(usize) + Send),
        watch: &Watch,
        retried: bool,
    ) -> Result<Ran, RunError> {
        let mut script = Script::applying(&self.run_id);
        script.step(first.0);
        first.1.iter().for_each(|act| act.write(&mut script));
        plan::write(&mut script, steps);
        connection.round_trips += 1;
        let mut seen = 0;
        let ran = connection.ssh.run(&script, |frame| {
            // The frames of the lock and of `first` come before those of the steps.
            seen += 1;
            if seen >= 2 && frame.rc == 0 {
                tell(seen - 2);
            }
        });
        let mut frames = match ran.await {
            Ok(frames) => frames,
            Err(error) => return Ok(Err(error)),
        };
        let unclear = || self.host_error("the host did not say whether it is locked".into());
        if frames.is_empty() {
            return Err(unclear());
        }
        match Lock::read(&frames.remove(0)) {
            Some(Lock::Ours { dead: None }) => Ok(Ok(frames)),
            Some(Lock::Ours { dead: Some(dead) }) => {
                watch(&self.name, Event::Note(format!("took the lock over from a run that died: {dead}")));
                Ok(Ok(frames))
            }
            Some(Lock::Taken { owner: holder }) => {
                if retried || !owner::gone(&holder, &self.run_id.owner) {
                    return Err(RunError::Locked { host: self.name.clone(), holder });
                }
                self.steal_lock(connection, &holder, watch).await?;
                Box::pin(self.execute_once(connection, first, steps, tell, watch, true)).await
            }
            None => Err(unclear()),
        }
    }

    /// Waits for what a run that died left at work on the host, and frees its lock.
    ///
    /// # Errors
    /// When the run lives, or may live on another machine.
    pub(super) async fn wait_for_dead_run(&self, connection: &mut Connection, watch: &Watch) -> Result<(), RunError> {
        let mut script = Script::observing();
        script.step("held");
        lock::held(&self.run_id.id).write(&mut script);
        connection.round_trips += 1;
        let frames = connection.ssh.run(&script, |_| ()).await?;
        let unclear = || self.host_error("the host did not say whether it is locked".into());
        let holder = match frames.first().and_then(Held::read).ok_or_else(unclear)? {
            Held::Free => return Ok(()),
            Held::By(owner) => owner,
        };
        if !owner::gone(&holder, &self.run_id.owner) {
            return Err(RunError::Locked { host: self.name.clone(), holder });
        }
        self.steal_lock(connection, &holder, watch).await
    }

    /// Frees a lock whose holder ran on this machine and is gone; its last step and its connection
    /// to the host may outlive it.
    async fn steal_lock(&self, connection: &mut Connection, holder: &str, watch: &Watch) -> Result<(), RunError> {
        watch(
            &self.name,
            Event::Note(format!("taking the lock over from a run that died, after its last step: {holder}")),
        );
        let mut script = Script::observing();
        script.step("unlock");
        lock::steal(holder).write(&mut script);
        connection.round_trips += 1;
        connection.ssh.run(&script, |_| ()).await?;
        Ok(())
    }

    /// The same for steps that cannot lock anybody out: the first failure ends the run.
    ///
    /// # Errors
    /// See [`RunError`].
    pub(super) async fn execute_all(
        &self,
        connection: &mut Connection,
        first: (&str, &[Act]),
        steps: &[&Step],
        tell: impl FnMut(usize) + Send,
        watch: &Watch,
    ) -> Result<(), RunError> {
        let frames = self.execute(connection, first, steps, tell, watch).await??;
        let steps = [None].into_iter().chain(steps.iter().copied().map(Some));
        frames.iter().zip(steps).try_for_each(|(frame, step)| self.judge(frame, step))
    }

    pub(super) fn judge(&self, frame: &Frame, step: Option<&Step>) -> Result<(), RunError> {
        let host = self.name.clone();
        let before = || (frame.name.clone(), "what comes before the steps".to_owned());
        let (id, title) = step.map_or_else(before, |step| (step.id.clone(), step.title.clone()));
        match frame.rc {
            0 => Ok(()),
            UNHEALTHY => Err(RunError::ReleaseRolledBack { host, id, said: tail(frame) }),
            _ => {
                let (said, hint) = hinted(&tail(frame));
                Err(RunError::Step { host, id, title, said, hint })
            }
        }
    }
}

/// What a step said, and the hint that it gave, or the one that always holds.
fn hinted(said: &str) -> (String, String) {
    let (hints, words): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.trim().starts_with("hint: "));
    let given = hints.last().map(|line| line.trim().trim_start_matches("hint: "));
    // Whatever ran, it has nothing better to say than this.
    let full = said.contains("No space left on device").then_some(
        "make room on the host (`df -h`, `apt-get clean`, `journalctl --vacuum-size=100M`), then run `petasos up` again",
    );
    let given = full.or(given);
    let hint = given.unwrap_or("what came before it is done; mend the cause, then run `petasos up` again").to_owned();
    // The one word `error: ` is that of the message which this goes into.
    let word = |line: &&str| line.replacen("  error: ", "  ", 1);
    (words.iter().map(word).collect::<Vec<_>>().join("\n"), hint)
}

/// The end of what a step said: of its complaints, or else of its words.
fn tail(frame: &Frame) -> String {
    let (complaints, words) = (frame.error_text(), frame.text());
    let text = if complaints.is_empty() { words.trim() } else { &complaints };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default();
    last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::hinted;

    #[test]
    fn a_step_may_give_its_own_hint() {
        let (said, hint) = hinted("  one\n  error: two\n  hint: three");
        assert_eq!((said.as_str(), hint.as_str()), ("  one\n  two", "three"));
        let (_, hint) = hinted("  write: No space left on device\n  hint: three");
        assert!(hint.starts_with("make room"), "{hint}");
        let (said, hint) = hinted("  dpkg: error: four");
        assert!(said == "  dpkg: error: four" && hint.contains("petasos up"), "{said}, {hint}");
    }
}
