//! Carrying a plan out, and checking again.

use super::lockout_guard::ConfirmBy;
use super::observe::Observation;
use super::reconnect::{Absences, is_cut};
use super::script::Batch;
use super::{Event, RunError, Session, preflight};
use crate::act::Act;
use crate::fault::Fault;
use crate::guard::Scope;
use crate::plan::{Step, Unknown};
use crate::resource::{Risk, package};
use crate::transport::TransportError;

impl Session<'_> {
    /// Converges the host: at most two passes, each followed by an observation. A host that
    /// goes away in between is waited for.
    pub(super) async fn converge(&mut self) -> Result<(Observation, Vec<Step>), RunError> {
        let (mut first, mut absences) = (None, Absences::default());
        let result = loop {
            match self.pass(&mut first).await {
                Err(error) if self.went_away(&error).await => {
                    if let Err(error) = self.reconnect(&mut absences, &error).await {
                        break Err(error);
                    }
                }
                result => break result,
            }
        };
        let begun = first.as_ref().is_some_and(|first: &Observation| !first.plan.steps.is_empty());
        if begun && !matches!(result, Err(RunError::Locked { .. } | RunError::Away { .. })) {
            self.end(&result).await;
        }
        let second_pass = result?;
        first.map(|first| (first, second_pass)).ok_or_else(|| self.host_error("no facts were gathered"))
    }

    /// From an observation to a host that is unchanged; returns what came to light only afterwards.
    /// `first` keeps the first plan of the run.
    async fn pass(&mut self, first: &mut Option<Observation>) -> Result<Vec<Step>, RunError> {
        let observation = self.observe_when_ready().await?;
        if observation.incident {
            return Err(self.closed_off());
        }
        let mut observation = self.offered(observation)?;
        // Before anything is rolled back: the change that waits may be a live run's, or that of a
        // dead one whose script is still at work.
        if observation.held && (observation.unconfirmed || !observation.plan.is_empty()) {
            self.wait_for_dead_run().await?;
            observation = self.observe().await?;
        }
        if observation.unconfirmed {
            self.roll_back_earlier().await?;
            observation = self.observe().await?;
        }
        let steps = observation.plan.steps.clone();
        if let (true, Some(unknown)) = (steps.is_empty(), observation.plan.unknown.first()) {
            return Err(self.unknown(unknown));
        }
        if let Some(why) = preflight::in_the_way(&observation.host, &steps, preflight::now()) {
            return Err(self.host_error(why));
        }
        let held = observation.host.apt_held_by.clone();
        if !held.is_empty() && steps.iter().any(|step| step.kind == package::KIND) {
            self.note(format!("apt is in use ({held}): waiting up to 10 minutes"));
        }
        first.get_or_insert(observation);
        if steps.is_empty() { Ok(Vec::new()) } else { self.change(&steps).await }
    }

    async fn change(&mut self, steps: &[Step]) -> Result<Vec<Step>, RunError> {
        self.apply(steps).await?;
        self.report(Event::Rechecking);
        let second = self.observe().await?;
        if second.plan.is_empty() {
            return Ok(Vec::new());
        }
        if let (true, Some(unknown)) = (second.plan.steps.is_empty(), second.plan.unknown.first()) {
            return Err(self.unknown(unknown));
        }
        if let Some(why) = preflight::blocked(&second.plan.steps) {
            return Err(self.host_error(why));
        }
        self.note(format!("second pass: {} more changes", second.plan.steps.len()));
        self.apply(&second.plan.steps).await?;
        let third = self.observe().await?;
        match (third.plan.steps.is_empty(), third.plan.unknown.first()) {
            (true, None) => Ok(second.plan.steps),
            (true, Some(unknown)) => Err(self.unknown(unknown)),
            (false, _) => {
                let line = |step: &Step| {
                    format!("\n  {} {}: {} instead of {}", step.id, step.change.field, step.change.from, step.change.to)
                };
                let list = third.plan.steps.iter().map(line).collect();
                Err(RunError::NotConverged { host: self.job.name.clone(), list })
            }
        }
    }

    fn unknown(&self, unknown: &Unknown) -> RunError {
        RunError::Unknown { host: self.job.name.clone(), id: unknown.id.clone(), why: unknown.why.clone() }
    }

    /// In the playbooks' order, but what may lock people out is made in one go, under guard: so
    /// what comes after the last of that (the agent, above all) starts only once the firewall
    /// stands.
    async fn apply(&mut self, steps: &[Step]) -> Result<(), RunError> {
        let all: Vec<&Step> = steps.iter().collect();
        let risky = |step: &Step| step.change.risk == Risk::Lockout;
        let last = steps.iter().rposition(risky).map_or(0, |last| last + 1);
        let (upto, after) = all.split_at(last);
        let (risky, before): (Vec<&Step>, Vec<&Step>) = upto.iter().partition(|step| risky(step));
        // Packages stay when a run is undone, and so do the masks of services that they bring: what
        // is kept for that is kept once they are there, with their files.
        let leading = before.iter().take_while(|step| step.stays).count();
        let (packages, before) = before.split_at(leading);
        let (of, mut keep) = (steps.len(), vec![self.job.begun("up", &all)]);
        if !packages.is_empty() {
            self.execute_all(Batch { name: "begin", first: &keep, steps: packages, before: 0, of }).await?;
            keep.clear();
        }
        keep.extend(self.job.keep(&all));
        self.execute_all(Batch { name: "keep", first: &keep, steps: before, before: leading, of }).await?;
        // An administrator who is there already, with other keys or no shell, cannot log in until
        // that is changed; whoever is in now stays in.
        let new = *self.connection.user() != self.job.admin;
        let (own, risky): (Vec<&Step>, Vec<&Step>) =
            risky.into_iter().partition(|step| new && step.is_login_of(&self.job.admin));
        let mut made = leading + before.len();
        for (steps, way) in [(own, ConfirmBy::NewAdmin), (risky, ConfirmBy::Admin)] {
            if !steps.is_empty() {
                self.guarded(&steps, (made, of), &Scope::of(&steps), way).await?;
            }
            made += steps.len();
        }
        if !after.is_empty() {
            self.execute_all(Batch { name: "rest", first: &[], steps: after, before: last, of }).await?;
        }
        Ok(())
    }

    /// A new connection as the administrator, who must be able to be root; it replaces the old one.
    pub(super) async fn check_admin_login(&mut self) -> Result<(), RunError> {
        let (host, user) = (self.job.name.clone(), self.job.admin.to_string());
        self.report(Event::AdminLogin { user: user.clone() });
        let failed = |why: Fault| RunError::AdminLogin { host: host.clone(), user: user.clone(), why };
        let became_root = async {
            let fresh = self.here().with_user(&self.job.admin).open().await?;
            let id = fresh.ask("id", &Act::run(["id", "-u"])).await?;
            Ok::<_, TransportError>((fresh, id))
        };
        let result = became_root.await;
        self.count();
        let (fresh, id) = match result {
            Ok(both) => both,
            // A host that went away says nothing about the administrator.
            Err(error) if is_cut(&error) && !self.still_answers().await => return Err(error.into()),
            Err(error) => return Err(failed(self.with_reason(&self.job.admin, error.fault()).await)),
        };
        if id.text().trim() != "0" {
            return Err(failed(Fault::new("sudo did not make it root")));
        }
        self.switch_to(fresh).await;
        Ok(())
    }
}
