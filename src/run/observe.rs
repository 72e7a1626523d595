//! One look at a host.

use super::{Connection, Event, Job, RunError, Watch, lock};
use crate::act::Act;
use crate::fact::host::Host;
use crate::fact::{self, Facts, Query, Seen};
use crate::name::AbsPath;
use crate::plan::Plan;
use crate::shell::Script;
use crate::transport::{Login, TransportError};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long cloud-init may take on a host's first start.
const FIRST_START: Duration = Duration::from_secs(600);
/// Between two looks at that.
const PAUSE: Duration = Duration::from_secs(2);

/// SECONDS. Its exit status says whether all went well, which is not ours to judge; the pause is
/// for the end of its last unit.
const WAIT: &str = include_str!("../../remote/run/cloud-init.sh");

/// What was seen, and what follows from it.
pub(super) struct Observation {
    pub system: String,
    pub host: Host,
    pub plan: Plan,
    /// Whether a guarded change of an earlier run still waits for its confirmation.
    pub unconfirmed: bool,
    /// Whether a run has the host's lock, or had it when it died.
    pub held: bool,
}

impl Job {
    fn queries(&self) -> BTreeSet<Query> {
        let mut queries = self.desired.queries();
        queries.extend(guard_paths().chain(lock_path()).map(Query::Path));
        if self.texts {
            let paths: Vec<Query> = queries
                .iter()
                .filter_map(|ask| match ask {
                    Query::Path(path) => Some(Query::Text(path.clone())),
                    _ => None,
                })
                .collect();
            queries.extend(paths);
        }
        queries
    }

    /// Asks all there is to ask, in one round trip.
    pub(super) async fn facts(&self, connection: &mut Connection) -> Result<Facts, RunError> {
        let queries = self.queries();
        let script = fact::script(&queries);
        connection.round_trips += 1;
        let frames = match connection.ssh.run(&script, |_| ()).await {
            Err(error @ TransportError::NoSudo { .. }) => {
                self.fall_back(connection, error).await?;
                connection.round_trips += 1;
                connection.ssh.run(&script, |_| ()).await?
            }
            ran => ran?,
        };
        fact::parse(&queries, &frames).map_err(|why| self.host_error(why))
    }

    /// A first run that died may leave an administrator who can log in and is not root yet: the
    /// user that was named may still be.
    async fn fall_back(&self, connection: &mut Connection, error: TransportError) -> Result<(), TransportError> {
        let user = &self.login.target.user;
        if *connection.ssh.user() != self.admin || self.admin == *user {
            return Err(error);
        }
        // Where that user is refused too, what the administrator lacks is the news.
        let here = Login { target: connection.ssh.target().clone(), ..self.login.clone() };
        let Ok(named) = here.with_user(user).open().await else { return Err(error) };
        let old = std::mem::replace(&mut connection.ssh, named);
        old.close().await;
        Ok(())
    }

    pub(super) fn host_error(&self, why: String) -> RunError {
        RunError::Host { host: self.name.clone(), why }
    }

    pub(super) async fn observe(&self, connection: &mut Connection, watch: &Watch) -> Result<Observation, RunError> {
        watch(&self.name, Event::Observing { user: connection.ssh.user().to_string() });
        let facts = self.facts(connection).await?;
        let host = facts.host.clone().unwrap_or_default();
        if !matches!(host.distribution.as_str(), "debian" | "ubuntu") {
            let name = if host.distribution.is_empty() { "an unknown system" } else { &host.distribution };
            return Err(self.host_error(format!("this is {name}, not Debian or Ubuntu\nhint: set the host up anew with Ubuntu 22.04 or later, or Debian 12 or later")));
        }
        if host.init != "systemd" {
            return Err(self.host_error(format!("its first process is `{}`, not systemd", host.init)));
        }
        let items = self.desired.resolve(&facts).map_err(|why| self.host_error(why))?;
        let plan = Plan::of(&items, &facts);
        watch(&self.name, Event::Planned { changes: plan.steps.len(), met: plan.met });
        let system = format!("{} {}", capitalized(&host.distribution), host.version);
        let waits = |path| matches!(facts.paths.get(&path), Some(Seen::Is(_)));
        let held = lock_path().into_iter().any(waits);
        Ok(Observation { system, host, plan, unconfirmed: guard_paths().any(waits), held })
    }

    /// A look at a host that cloud-init is through with: before that it is another host with every
    /// look.
    pub(super) async fn observe_when_ready(
        &self,
        connection: &mut Connection,
        watch: &Watch,
    ) -> Result<Observation, RunError> {
        let mut observation = self.observe(connection, watch).await?;
        let began = Instant::now();
        while observation.host.cloud_init {
            let waited = began.elapsed();
            if waited > FIRST_START {
                let minutes = FIRST_START.as_secs() / 60;
                return Err(self.host_error(format!(
                    "cloud-init is still at work after {minutes} minutes\nhint: `cloud-init status --long` on the host tells with what"
                )));
            }
            if waited < PAUSE {
                watch(
                    &self.name,
                    Event::Note(
                        "cloud-init is still at work on the host: waiting for its end, up to 10 minutes".into(),
                    ),
                );
            }
            let mut script = Script::observing();
            script.step("cloud-init");
            let left = FIRST_START.saturating_sub(waited).as_secs().max(1).to_string();
            Act::sh("wait for cloud-init", WAIT, [left]).write(&mut script);
            connection.round_trips += 1;
            connection.ssh.run(&script, |_| ()).await?;
            observation = self.observe(connection, watch).await?;
        }
        Ok(observation)
    }

    /// Looks at a host for its facts alone.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn look(&self) -> Result<Facts, RunError> {
        let mut connection = self.connect().await?;
        let facts = self.facts(&mut connection).await;
        connection.ssh.close().await;
        facts
    }
}

/// What is there while a guarded change waits, or is being taken back.
fn guard_paths() -> impl Iterator<Item = AbsPath> {
    ["armed", "reverting"].into_iter().filter_map(|name| AbsPath::new(format!("{}/{name}", crate::guard::STATE)).ok())
}

fn lock_path() -> Option<AbsPath> {
    AbsPath::new(lock::RECORD).ok()
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
