//! Carrying a plan out, and looking again.

use super::lockout_guard::ConfirmBy;
use super::observe::Observation;
use super::reconnect::{Absences, is_cut};
use super::{Connection, Event, Job, RunError, Watch, preflight};
use crate::guard::Scope;
use crate::plan::Step;
use crate::resource::{Risk, package};
use crate::shell::Script;
use crate::transport::{Login, TransportError};
use std::time::{SystemTime, UNIX_EPOCH};

impl Job {
    /// Brings the host to what is wanted: at most two passes, each followed by a look. A host that
    /// goes away in between is waited for.
    pub(super) async fn converge(
        &self,
        connection: &mut Connection,
        watch: &Watch,
    ) -> Result<(Observation, Vec<Step>), RunError> {
        let (mut first, mut absences) = (None, Absences::default());
        let result = loop {
            match self.pass(connection, &mut first, watch).await {
                Err(error) if self.went_away(connection, &error).await => {
                    if let Err(error) = self.reconnect(connection, &mut absences, &error, watch).await {
                        break Err(error);
                    }
                }
                result => break result,
            }
        };
        let begun = first.as_ref().is_some_and(|first: &Observation| !first.plan.steps.is_empty());
        if begun && !matches!(result, Err(RunError::Locked { .. } | RunError::Away { .. })) {
            self.end(connection, &result, watch).await;
        }
        let second_pass = result?;
        first.map(|first| (first, second_pass)).ok_or_else(|| self.host_error("it was not looked at".into()))
    }

    /// From a look to a host that is as wanted; returns what came to light only afterwards. `first`
    /// keeps the first plan of the run.
    async fn pass(
        &self,
        connection: &mut Connection,
        first: &mut Option<Observation>,
        watch: &Watch,
    ) -> Result<Vec<Step>, RunError> {
        let mut observation = self.observe_when_ready(connection, watch).await?;
        // Before anything is taken back: the change that waits may be a live run's, or that of a
        // dead one whose script is still at work.
        if observation.held && (observation.unconfirmed || !observation.plan.is_empty()) {
            self.wait_for_dead_run(connection, watch).await?;
            observation = self.observe(connection, watch).await?;
        }
        if observation.unconfirmed {
            self.roll_back_earlier(connection, watch).await?;
            observation = self.observe(connection, watch).await?;
        }
        let steps = observation.plan.steps.clone();
        if steps.is_empty() && !observation.plan.is_empty() {
            return Err(self.unknown(&observation));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if let Some(why) = preflight::in_the_way(&observation.host, &steps, now) {
            return Err(self.host_error(why));
        }
        let held = observation.host.apt_held_by.clone();
        if !held.is_empty() && steps.iter().any(|step| step.kind == package::KIND) {
            watch(&self.name, Event::Note(format!("apt is in use ({held}): its end is waited for, up to 10 minutes")));
        }
        first.get_or_insert(observation);
        if steps.is_empty() { Ok(Vec::new()) } else { self.change(connection, &steps, watch).await }
    }

    async fn change(&self, connection: &mut Connection, steps: &[Step], watch: &Watch) -> Result<Vec<Step>, RunError> {
        self.apply(connection, steps, watch).await?;
        watch(&self.name, Event::Rechecking);
        let second = self.observe(connection, watch).await?;
        if second.plan.is_empty() {
            return Ok(Vec::new());
        }
        if second.plan.steps.is_empty() {
            return Err(self.unknown(&second));
        }
        watch(
            &self.name,
            Event::Note(format!("a second pass: {} more changes came to light", second.plan.steps.len())),
        );
        self.apply(connection, &second.plan.steps, watch).await?;
        let third = self.observe(connection, watch).await?;
        match (third.plan.steps.is_empty(), third.plan.unknown.is_empty()) {
            (true, true) => Ok(second.plan.steps),
            (true, false) => Err(self.unknown(&third)),
            (false, _) => {
                let line = |step: &Step| {
                    format!("\n  {} {}: {} instead of {}", step.id, step.change.field, step.change.from, step.change.to)
                };
                let list = third.plan.steps.iter().map(line).collect();
                Err(RunError::NotConverged { host: self.name.clone(), list })
            }
        }
    }

    fn unknown(&self, observation: &Observation) -> RunError {
        let (id, why) = observation
            .plan
            .unknown
            .first()
            .map(|unknown| (unknown.id.clone(), unknown.why.clone()))
            .unwrap_or_default();
        RunError::Unknown { host: self.name.clone(), id, why }
    }

    /// In the playbooks' order, but what may lock people out is made in one go, under guard: so
    /// what comes after the last of that (the agent, above all) starts only once the firewall
    /// stands.
    async fn apply(&self, connection: &mut Connection, steps: &[Step], watch: &Watch) -> Result<(), RunError> {
        let all: Vec<&Step> = steps.iter().collect();
        let risky = |step: &Step| step.change.risk == Risk::Lockout;
        let last = steps.iter().rposition(risky).map_or(0, |last| last + 1);
        let (upto, after) = all.split_at(last);
        let (risky, before): (Vec<&Step>, Vec<&Step>) = upto.iter().partition(|step| risky(step));
        // Packages stay when a run is undone, and so do the masks of services that they bring: what
        // is kept for that is kept once they are there, with their files.
        let leading = before.iter().take_while(|step| step.stays).count();
        let (packages, before) = before.split_at(leading);
        let (of, mut keep) = (steps.len(), vec![self.begun("up", &all)]);
        if !packages.is_empty() {
            let tell = self.teller(packages, 0, of, watch);
            self.execute_all(connection, ("begin", &keep), packages, tell, watch).await?;
            keep.clear();
        }
        keep.extend(self.keep(&all));
        self.execute_all(connection, ("keep", &keep), before, self.teller(before, leading, of, watch), watch).await?;
        if !risky.is_empty() {
            let tell = self.teller(&risky, leading + before.len(), of, watch);
            self.guarded(connection, &risky, &Scope::of(&risky), ConfirmBy::Admin, tell, watch).await?;
        }
        if !after.is_empty() {
            self.execute_all(connection, ("rest", &[]), after, self.teller(after, last, of, watch), watch).await?;
        }
        Ok(())
    }

    /// Tells of the step that begins, by its place in `steps`.
    fn teller<'a>(
        &'a self,
        steps: &'a [&'a Step],
        before: usize,
        of: usize,
        watch: &'a Watch,
    ) -> impl FnMut(usize) + Send + 'a {
        move |index| {
            if let Some(step) = steps.get(index) {
                let title = format!("{}: {}", step.id, step.title);
                watch(&self.name, Event::Step { number: before + index + 1, of, title });
            }
        }
    }

    /// A new connection as the administrator, who must be able to be root; it replaces the old one.
    pub(super) async fn check_admin_login(&self, connection: &mut Connection, watch: &Watch) -> Result<(), RunError> {
        watch(&self.name, Event::AdminLogin { user: self.admin.to_string() });
        let failed = |why: String| RunError::AdminLogin { host: self.name.clone(), user: self.admin.to_string(), why };
        // A host that went away says nothing about the administrator.
        let told = |error: TransportError| {
            if is_cut(&error) { error.into() } else { failed(error.to_string()) }
        };
        let here = Login { target: connection.ssh.target().clone(), ..self.login.clone() };
        let fresh = here.with_user(&self.admin).open().await.map_err(told)?;
        let mut script = Script::observing();
        script.step("id");
        script.run(&["id".to_owned(), "-u".to_owned()], None);
        connection.round_trips += 1;
        let frames = fresh.run(&script, |_| ()).await.map_err(told)?;
        if frames.first().map(|frame| frame.text().trim().to_owned()).as_deref() != Some("0") {
            return Err(failed("sudo did not make it root".into()));
        }
        let old = std::mem::replace(&mut connection.ssh, fresh);
        old.close().await;
        Ok(())
    }
}
