//! Carrying a plan out, and looking again.

use super::guarded::Way;
use super::observe::Sight;
use super::{Connection, Event, Job, RunError, Watch};
use crate::guard::Scope;
use crate::plan::Step;
use crate::resource::Risk;
use crate::shell::Script;
use crate::transport::Login;

impl Job {
    /// Brings the host to what is wanted: at most two passes, each followed by a look.
    pub(super) async fn converge(
        &self,
        connection: &mut Connection,
        watch: &Watch,
    ) -> Result<(Sight, Vec<Step>), RunError> {
        let mut first = self.observe(connection, watch).await?;
        if first.unconfirmed {
            self.take_back_earlier(connection, watch).await?;
            first = self.observe(connection, watch).await?;
        }
        if first.plan.is_empty() {
            return Ok((first, Vec::new()));
        }
        if first.plan.steps.is_empty() {
            return Err(self.unknown(&first));
        }
        let result = self.change(connection, first, watch).await;
        if !matches!(result, Err(RunError::Locked { .. })) {
            self.end(connection, &result, watch).await;
        }
        result
    }

    async fn change(
        &self,
        connection: &mut Connection,
        first: Sight,
        watch: &Watch,
    ) -> Result<(Sight, Vec<Step>), RunError> {
        self.apply(connection, &first.plan.steps, watch).await?;
        watch(&self.name, Event::Verifying);
        let second = self.observe(connection, watch).await?;
        if second.plan.is_empty() {
            return Ok((first, Vec::new()));
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
            (true, true) => Ok((first, second.plan.steps)),
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

    fn unknown(&self, sight: &Sight) -> RunError {
        let (id, why) =
            sight.plan.unknown.first().map(|unknown| (unknown.id.clone(), unknown.why.clone())).unwrap_or_default();
        RunError::Unknown { host: self.name.clone(), id, why }
    }

    /// In the playbooks' order, but what may lock people out is made in one go, under guard: so what comes after the last of that (the
    /// agent, above all) starts only once the firewall stands.
    async fn apply(&self, connection: &mut Connection, steps: &[Step], watch: &Watch) -> Result<(), RunError> {
        let all: Vec<&Step> = steps.iter().collect();
        let risky = |step: &Step| step.change.risk == Risk::Lockout;
        let last = steps.iter().rposition(risky).map_or(0, |last| last + 1);
        let (upto, after) = all.split_at(last);
        let (risky, before): (Vec<&Step>, Vec<&Step>) = upto.iter().partition(|step| risky(step));
        // Packages stay when a run is undone: what is kept for that is kept once they are there, with the files that they bring.
        let leading = before.iter().take_while(|step| step.id.starts_with("package ")).count();
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
            self.guarded(connection, &risky, &Scope::of(&risky), Way::Admin, tell, watch).await?;
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
    pub(super) async fn prove(&self, connection: &mut Connection, watch: &Watch) -> Result<(), RunError> {
        watch(&self.name, Event::Proving { user: self.admin.to_string() });
        let failed = |why: String| RunError::NotProved { host: self.name.clone(), user: self.admin.to_string(), why };
        let here = Login { target: connection.ssh.target().clone(), ..self.login.clone() };
        let fresh = here.with_user(&self.admin).open().await.map_err(|error| failed(error.to_string()))?;
        let mut script = Script::observing();
        script.step("id");
        script.run(&["id".to_owned(), "-u".to_owned()], None);
        connection.round_trips += 1;
        let frames = fresh.run(&script, |_| ()).await.map_err(|error| failed(error.to_string()))?;
        if frames.first().map(|frame| frame.text().trim().to_owned()).as_deref() != Some("0") {
            return Err(failed("sudo did not make it root".into()));
        }
        let old = std::mem::replace(&mut connection.ssh, fresh);
        old.close().await;
        Ok(())
    }
}
