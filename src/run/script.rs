//! One script that changes a host: lock, what comes before, the steps.

use super::lock::{Held, LockAnswer};
use super::{Event, RunError, Session, lock, owner};
use crate::act::Act;
use crate::plan::{self, Step};
use crate::release::steps::UNHEALTHY;
use crate::resource::package;
use crate::shell::{Frame, RunId, Script};
use crate::transport::TransportError;

/// The frames of a script, or why they did not all arrive.
pub(super) type Ran = Result<Vec<Frame>, TransportError>;

/// A script that changes the host.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The name of the first frame, which is that of `first`.
    pub name: &'a str,
    /// What comes before the steps.
    pub first: &'a [Act],
    pub steps: &'a [&'a Step],
    /// How many steps of the plan come before these, of how many.
    pub before: usize,
    pub of: usize,
}

impl<'a> Batch<'a> {
    pub fn of_acts(name: &'a str, first: &'a [Act]) -> Self {
        Self { name, first, steps: &[], before: 0, of: 0 }
    }

    fn script(&self, run_id: &RunId) -> Script {
        let mut script = Script::applying(run_id);
        script.step(self.name);
        self.first.iter().for_each(|act| act.write(&mut script));
        plan::write(&mut script, self.steps);
        script
    }

    /// The step that begins once `frames` have arrived: those of the lock and of `first` come
    /// before those of the steps.
    fn begins(&self, frames: usize) -> Option<Event> {
        let index = frames.checked_sub(2)?;
        let step = self.steps.get(index)?;
        let title = format!("{}: {}", step.id, step.title);
        Some(Event::Step { number: self.before + index + 1, of: self.of, title })
    }
}

impl Session<'_> {
    /// Runs a batch under the host's lock; the frames begin with that of what comes first.
    ///
    /// # Errors
    /// When another run has the lock; nothing was done then.
    pub(super) async fn execute(&mut self, batch: Batch<'_>) -> Result<Ran, RunError> {
        let script = batch.script(&self.job.run_id);
        let mut stolen = false;
        loop {
            self.count();
            let mut seen = 0;
            let ran = self.connection.run(&script, |frame| {
                seen += 1;
                if let Some(event) = batch.begins(seen).filter(|_| frame.rc == 0) {
                    self.report(event);
                }
            });
            let mut frames = match ran.await {
                Ok(frames) => frames.into_iter(),
                Err(error) => return Ok(Err(error)),
            };
            match frames.next().as_ref().and_then(LockAnswer::read) {
                Some(LockAnswer::Ours { dead }) => {
                    if let Some(dead) = dead {
                        self.note(format!("took over the lock of a run that died: {dead}"));
                    }
                    return Ok(Ok(frames.collect()));
                }
                Some(LockAnswer::Taken { owner }) => {
                    if stolen || !owner::gone(&owner, &self.job.run_id.owner) {
                        return Err(self.locked(owner));
                    }
                    self.steal_lock(&owner).await?;
                    stolen = true;
                }
                None => return Err(self.unclear_lock()),
            }
        }
    }

    fn locked(&self, owner: String) -> RunError {
        RunError::Locked { host: self.job.name.clone(), owner }
    }

    fn unclear_lock(&self) -> RunError {
        self.host_error("the host did not report whether it is locked")
    }

    /// Waits for what a run that died left at work on the host, and frees its lock.
    ///
    /// # Errors
    /// When the run lives, or may live on another machine.
    pub(super) async fn wait_for_dead_run(&mut self) -> Result<(), RunError> {
        let frame = self.first_frame("held", &lock::held(&self.job.run_id.id)).await?;
        match Held::read(&frame) {
            Some(Held::Free) => Ok(()),
            Some(Held::By(owner)) if owner::gone(&owner, &self.job.run_id.owner) => self.steal_lock(&owner).await,
            Some(Held::By(owner)) => Err(self.locked(owner)),
            None => Err(self.unclear_lock()),
        }
    }

    /// Frees a lock whose owner ran on this machine and is gone; its last step and its connection
    /// to the host may outlive it.
    async fn steal_lock(&mut self, owner: &str) -> Result<(), RunError> {
        self.note(format!("taking over the lock of a run that died, once its last step has ended: {owner}"));
        self.first_frame("unlock", &lock::steal(owner)).await?;
        Ok(())
    }

    /// The same for steps that cannot lock anybody out: the first failure ends the run.
    ///
    /// # Errors
    /// See [`RunError`].
    pub(super) async fn execute_all(&mut self, batch: Batch<'_>) -> Result<(), RunError> {
        let frames = self.execute(batch).await??;
        let steps = [None].into_iter().chain(batch.steps.iter().copied().map(Some));
        frames.iter().zip(steps).try_for_each(|(frame, step)| self.judge(frame, step))
    }

    pub(super) fn judge(&self, frame: &Frame, step: Option<&Step>) -> Result<(), RunError> {
        let host = self.job.name.clone();
        let before = || (frame.name.clone(), "preparation".to_owned());
        let (id, title) = step.map_or_else(before, |step| (step.id.clone(), step.title.clone()));
        let named = if frame.rc == package::NOT_OFFERED { self.not_offered(frame) } else { None };
        match frame.rc {
            0 => Ok(()),
            UNHEALTHY => Err(RunError::ReleaseRolledBack { host, id, output: output(frame), hint: frame.hint_text() }),
            _ => Err(named.unwrap_or_else(|| RunError::Step {
                host,
                id,
                title,
                output: output(frame),
                hint: hint(frame),
            })),
        }
    }
}

/// The hint that a step gave, or the one that always holds.
fn hint(frame: &Frame) -> String {
    // Whatever ran, it has nothing better to say than this.
    if [&frame.out, &frame.err].iter().any(|stream| String::from_utf8_lossy(stream).contains("No space left on device"))
    {
        return "make room on the host (`df -h`, `apt-get clean`, `journalctl --vacuum-size=100M`), then run `petasos up` again".into();
    }
    let usual = || "the steps before it are done; fix the cause, then run `petasos up` again".to_owned();
    frame.hint_text().unwrap_or_else(usual)
}

/// The end of a step's output: of its standard error, or else of its standard output. `error: ` is
/// cut off, for the message that this goes into has its own.
fn output(frame: &Frame) -> String {
    let (stderr, stdout) = (frame.error_text(), frame.text());
    let text = if stderr.is_empty() { stdout.trim() } else { &stderr };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default();
    let line = |line: &&str| format!("  {}", line.strip_prefix("error: ").unwrap_or(line));
    last.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{hint, output};
    use crate::shell::Frame;

    fn frame(err: &str, hint: &str) -> Frame {
        Frame { name: "x".into(), rc: 1, out: Vec::new(), err: err.into(), hint: hint.into() }
    }

    #[test]
    fn a_step_may_give_its_own_hint() {
        let own = frame("one\nerror: two\n", "three\n");
        assert_eq!((output(&own).as_str(), hint(&own).as_str()), ("  one\n  two", "three"));
        assert!(hint(&frame("write: No space left on device", "three")).starts_with("make room"));
        let none = frame("dpkg: error: four", "");
        assert!(output(&none) == "  dpkg: error: four" && hint(&none).contains("petasos up"));
        let fished = frame("one\nhint: rm -rf /", "");
        assert!(hint(&fished).contains("petasos up"), "what it says on standard error is no hint");
    }
}
