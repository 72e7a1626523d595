//! What will be in the way of a run on a host: everything at once, where a run ends at the first of
//! it, and nothing is changed.

use super::lock::{self, Held};
use super::observe::{Observation, system};
use super::{Job, RunError, Session, Watch, owner, preflight};
use crate::fact::host::Host;
use crate::fault::Fault;
use crate::transport::TransportError;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// Worth knowing; a run goes on.
    Note,
    /// A run ends before it changes anything, or cannot begin.
    InTheWay,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    /// What was looked at: `clock`.
    pub about: &'static str,
    #[serde(flatten)]
    pub fault: Fault,
}

impl Finding {
    pub fn ok(about: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Ok, about, fault: Fault::new(message) }
    }

    pub fn note(about: &'static str, fault: impl Into<Fault>) -> Self {
        Self { level: Level::Note, about, fault: fault.into() }
    }

    pub fn in_the_way(about: &'static str, fault: impl Into<Fault>) -> Self {
        Self { level: Level::InTheWay, about, fault: fault.into() }
    }
}

impl Job {
    /// Looks at a host. What is in the way of that is a finding too.
    pub async fn diagnose(&self, watch: &Watch) -> Vec<Finding> {
        let known = self.login.host_key.known();
        let mut session = match Session::open(self, watch).await {
            Ok(session) => session,
            Err(error) => return vec![failed(error)],
        };
        let mut findings = vec![match (known, self.login.host_key.known()) {
            (Some(known), _) => Finding::ok("host key", format!("{known}, as recorded")),
            (None, shown) => first_contact(&shown.map(|shown| shown.to_string()).unwrap_or_default()),
        }];
        if let Err(error) = session.diagnose(&mut findings).await {
            findings.push(failed(error));
        }
        session.close().await;
        findings
    }
}

fn first_contact(shown: &str) -> Finding {
    let fault = Fault::new(format!("first contact: the host shows {shown}, which nobody has recorded"));
    Finding::note("host key", fault.hint("compare it with the one that the host's console or your provider shows"))
}

/// What ended the look.
fn failed(error: RunError) -> Finding {
    let about = match &error {
        RunError::Transport(TransportError::HostKey { .. }) => "host key",
        RunError::Transport(TransportError::Refused { .. }) => "login",
        RunError::Transport(TransportError::NoSudo { .. } | TransportError::WrongPassword { .. }) => "root",
        RunError::Transport(_) => "address",
        _ => "system",
    };
    Finding::in_the_way(about, without_host(error))
}

/// The host stands beside each finding.
fn without_host(error: RunError) -> Fault {
    match error {
        RunError::Host { fault, .. } => fault,
        error => error.fault(),
    }
}

impl Session<'_> {
    async fn diagnose(&mut self, findings: &mut Vec<Finding>) -> Result<(), RunError> {
        let facts = self.facts().await?;
        let user = self.connection.user().to_string();
        findings.push(Finding::ok("login", format!("{user} gets in, and becomes root")));
        let host = facts.host.clone().unwrap_or_default();
        self.supported(&host)?;
        findings.push(distribution(&host));
        findings.push(cloud_init(&host));
        findings.push(apt(&host));
        let observed = self.compare(facts);
        let steps = observed.as_ref().map_or(&[][..], |seen| &seen.plan.steps);
        let now = preflight::now();
        let mut reasons = preflight::all_in_the_way(&host, steps, now);
        reasons.dedup();
        for about in ["clock", "disk"] {
            if !reasons.iter().any(|(known, _)| *known == about) {
                findings.push(well(about, &host, now));
            }
        }
        findings.extend(reasons.into_iter().map(|(about, fault)| Finding::in_the_way(about, fault)));
        match observed {
            Ok(seen) => self.of_plan(seen, findings).await,
            Err(error) => findings.push(Finding::in_the_way("plan", without_host(error))),
        }
        Ok(())
    }

    async fn of_plan(&mut self, seen: Observation, findings: &mut Vec<Finding>) {
        if seen.held {
            findings.extend(self.lock().await);
        }
        if seen.unconfirmed {
            let fault = Fault::new("a guarded change of an earlier run waits for its confirmation");
            findings.push(Finding::note("guard", fault.hint("`petasos up` rolls it back first")));
        }
        let (changes, met) = (seen.plan.steps.len(), seen.plan.met);
        for unknown in &seen.plan.unknown {
            let fault = Fault {
                message: format!("could not observe `{}`: {}", unknown.id, unknown.why.message),
                ..unknown.why.clone()
            };
            // What is to be changed may be why.
            findings.push(if changes == 0 { Finding::in_the_way("plan", fault) } else { Finding::note("plan", fault) });
        }
        match self.offered(seen) {
            Err(error) => findings.push(Finding::in_the_way("packages", without_host(error))),
            Ok(_) if changes + met > 0 => {
                findings.push(Finding::ok("plan", format!("{changes} to change, {met} unchanged (`petasos plan`)")));
            }
            // No release is pinned, or the like: that is a finding of this machine's.
            Ok(_) => {}
        }
    }

    /// Who has the lock.
    async fn lock(&mut self) -> Option<Finding> {
        let frame = match self.first_frame("held", &lock::held(&self.job.run_id.id)).await {
            Ok(frame) => frame,
            Err(error) => return Some(failed(error.into())),
        };
        Some(match Held::read(&frame)? {
            Held::Free => Finding::note("lock", "a run that died left its lock, which the next one takes over"),
            Held::By(owner) if owner::gone(&owner, &self.job.run_id.owner) => Finding::note(
                "lock",
                format!("a run that died has its last step at work, which the next one waits for: {owner}"),
            ),
            Held::By(owner) => {
                let fault = Fault::new(format!("another run is in progress: {owner}"));
                Finding::in_the_way("lock", fault.hint("wait for it to end"))
            }
        })
    }
}

/// The oldest that Petasos is tried with.
const OLDEST: [(&str, u32); 2] = [("debian", 12), ("ubuntu", 22)];

fn distribution(host: &Host) -> Finding {
    let system = system(host);
    let major = host.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let old =
        OLDEST.iter().any(|(name, oldest)| *name == host.distribution && major.is_some_and(|major| major < *oldest));
    match old {
        true => Finding::note(
            "system",
            Fault::new(format!("{system} is older than what Petasos is tried with"))
                .hint("use Ubuntu 22.04 or later, or Debian 12 or later"),
        ),
        false => Finding::ok("system", format!("{system}, systemd")),
    }
}

fn cloud_init(host: &Host) -> Finding {
    match host.cloud_init {
        true => Finding::note(
            "cloud-init",
            Fault::new("it is still at work on the host's first start")
                .hint("`petasos up` waits up to 10 minutes for it"),
        ),
        false => Finding::ok("cloud-init", "not at work"),
    }
}

fn apt(host: &Host) -> Finding {
    if !host.apt_held_by.is_empty() {
        let fault = Fault::new(format!("apt is in use: {}", host.apt_held_by));
        return Finding::note("apt", fault.hint("`petasos up` waits up to 10 minutes for it"));
    }
    match host.dpkg_interrupted {
        true => {
            Finding::note("apt", Fault::new("packages are half-way installed").hint("`petasos up` finishes that first"))
        }
        false => Finding::ok("apt", "not in use"),
    }
}

/// Of what nothing is in the way.
fn well(about: &'static str, host: &Host, now: u64) -> Finding {
    let message = match about {
        "clock" => format!("{} s apart from this machine's", host.time.abs_diff(now)),
        _ => {
            let least = host.room.values().map(|room| room.mebibytes).min().unwrap_or_default();
            format!("{least} MiB are free where there are fewest")
        }
    };
    Finding::ok(about, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_is_too_old_is_named() {
        let level = |name: &str, version: &str| {
            let host = Host { distribution: name.into(), version: version.into(), ..Host::default() };
            distribution(&host).level
        };
        for (name, version) in [("debian", "11"), ("ubuntu", "20.04"), ("debian", "9")] {
            assert_eq!(level(name, version), Level::Note, "{name} {version}");
        }
        // Debian's next release has no number yet.
        for (name, version) in
            [("debian", "12"), ("debian", "13"), ("ubuntu", "22.04"), ("ubuntu", "24.04"), ("debian", "")]
        {
            assert_eq!(level(name, version), Level::Ok, "{name} {version}");
        }
    }

    #[test]
    fn a_host_that_is_busy_is_waited_for() {
        let busy = Host { cloud_init: true, apt_held_by: "apt-get, process 7".into(), ..Host::default() };
        assert_eq!((cloud_init(&busy).level, apt(&busy).level), (Level::Note, Level::Note));
        let broken = Host { dpkg_interrupted: true, ..Host::default() };
        assert_eq!((cloud_init(&broken).level, apt(&broken).level), (Level::Ok, Level::Note));
    }
}
