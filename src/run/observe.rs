//! One observation of a host.

use super::{Event, Job, RunError, Session, Watch, lock};
use crate::act::Act;
use crate::fact::host::Host;
use crate::fact::{self, Facts, Offer, Query, Seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, PackageName};
use crate::plan::Plan;
use crate::resource::package::REMOVALS;
use crate::transport::TransportError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long cloud-init may take on a host's first start.
const FIRST_START: Duration = Duration::from_secs(600);
/// How long a host's start is waited for; one that never ends is no reason not to go on.
const START: Duration = Duration::from_secs(120);
/// Between two checks of cloud-init.
const PAUSE: Duration = Duration::from_secs(2);

/// SECONDS. Its exit status says whether all went well, which is not ours to judge; the pause is
/// for the end of its last unit.
const WAIT: &str = include_str!("../../remote/run/cloud-init.sh");

/// SECONDS.
const WAIT_FOR_START: &str = include_str!("../../remote/run/started.sh");

/// What was seen, and what follows from it.
pub(super) struct Observation {
    pub system: String,
    pub host: Host,
    pub plan: Plan,
    /// Whether apt could install what petasos.yaml names.
    pub offers: BTreeMap<PackageName, Seen<Offer>>,
    /// Whether a guarded change of an earlier run still waits for its confirmation.
    pub unconfirmed: bool,
    /// Whether a run has the host's lock, or had it when it died.
    pub held: bool,
    /// Whether an incident is open there.
    pub incident: bool,
    /// Whether root may log in, as sshd has it (`PermitRootLogin`).
    pub root_login: Option<String>,
}

impl Job {
    fn queries(&self) -> BTreeSet<Query> {
        let mut queries = self.desired.queries();
        queries.extend(self.offer_queries(&queries));
        queries.extend(guard_paths().chain(lock_path()).chain(incident_path()).map(Query::Path));
        if self.texts {
            let paths: Vec<Query> = queries
                .iter()
                .filter_map(|query| match query {
                    Query::Path(path) => Some(Query::Text(path.clone())),
                    _ => None,
                })
                .collect();
            queries.extend(paths);
        }
        queries
    }

    /// Looks at a host for its facts alone.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn gather_facts(&self, watch: &Watch) -> Result<Facts, RunError> {
        let mut session = Session::open(self, watch).await?;
        let facts = session.facts().await;
        session.close().await;
        facts
    }
}

impl Session<'_> {
    /// Gathers all facts, in one round trip.
    pub(super) async fn facts(&mut self) -> Result<Facts, RunError> {
        let queries = self.job.queries();
        let script = fact::script(&queries);
        let frames = match self.ask(&script).await {
            Err(error @ TransportError::NoSudo { .. }) => {
                self.fall_back(error).await?;
                self.ask(&script).await?
            }
            ran => ran?,
        };
        fact::parse(&queries, &frames).map_err(|fault| self.host_error(fault))
    }

    /// A first run that died may leave an administrator who can log in and is not root yet: the
    /// user that was named may still be.
    async fn fall_back(&mut self, error: TransportError) -> Result<(), TransportError> {
        let user = &self.job.login.target.user;
        if *self.connection.user() != self.job.admin || self.job.admin == *user {
            return Err(error);
        }
        // Where that user is refused too, what the administrator lacks is the news.
        let Ok(named) = self.here().with_user(user).open().await else { return Err(error) };
        self.switch_to(named).await;
        Ok(())
    }

    pub(super) async fn observe(&mut self) -> Result<Observation, RunError> {
        self.report(Event::Observing { user: self.connection.user().to_string() });
        let facts = self.facts().await?;
        let mut seen = self.compare(facts)?;
        if self.settle(&seen.plan).await? {
            let facts = self.facts().await?;
            seen = self.compare(facts)?;
        }
        let names = seen.plan.installs();
        if !names.is_empty() {
            let frame = self.first_frame("removals", &Act::sh("what apt would remove", REMOVALS, names)).await?;
            let removals: Vec<String> = frame.text().lines().map(str::to_owned).collect();
            seen.plan.take_away(&removals);
        }
        Ok(seen)
    }

    /// Waits for what comes about by itself, such as an answer of a service that started just now;
    /// returns whether there was anything to wait for.
    async fn settle(&mut self, plan: &Plan) -> Result<bool, RunError> {
        let waits = plan.steps.iter().filter_map(|step| Some((&step.id, step.change.settles.as_ref()?)));
        let waits: Vec<(&String, &Act)> = waits.collect();
        for (id, act) in &waits {
            self.note(format!("{id} does not answer yet: waiting for as long as its start may take"));
            self.long_frame("settle", act, Duration::from_secs(600)).await?;
        }
        Ok(!waits.is_empty())
    }

    /// What follows from the facts.
    pub(super) fn compare(&mut self, facts: Facts) -> Result<Observation, RunError> {
        let host = facts.host.clone().unwrap_or_default();
        self.supported(&host)?;
        self.port_may_move(&host)?;
        let items = self.job.desired.resolve(&facts).map_err(|why| self.host_error(why))?;
        let plan = Plan::of(&items, &facts);
        self.learned = self.job.desired.learned(&facts);
        self.report(Event::Planned { changes: plan.steps.len(), met: plan.met });
        let system = system(&host);
        self.system.clone_from(&system);
        self.also_root = host.sudoers.iter().filter(|line| !line.contains("petasos")).cloned().collect();
        let waits = |path| matches!(facts.paths.get(&path), Some(Seen::Is(_)));
        let held = lock_path().into_iter().any(waits);
        let unconfirmed = guard_paths().any(waits);
        let incident = incident_path().into_iter().any(waits);
        let sshd = facts.sshd.as_ref().and_then(Seen::is);
        let root_login = sshd.and_then(|sshd| sshd.effective.get(&Account::root())?.get("permitrootlogin").cloned());
        Ok(Observation { system, host, plan, offers: facts.offers, unconfirmed, held, incident, root_login })
    }

    /// Whether Petasos knows such systems; one without a version is newer than all that have one.
    pub(super) fn supported(&self, host: &Host) -> Result<(), RunError> {
        if !matches!(host.distribution.as_str(), "debian" | "ubuntu") {
            let name = if host.distribution.is_empty() { "an unknown system" } else { &host.distribution };
            return Err(self.host_error(
                Fault::new(format!("this is {name}, not Debian or Ubuntu"))
                    .hint("reinstall the host with Ubuntu 22.04 or later, or Debian 12 or later"),
            ));
        }
        let (oldest, named) = if host.distribution == "ubuntu" { (22, "Ubuntu 22.04") } else { (12, "Debian 12") };
        let major = host.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major < oldest) {
            return Err(self.host_error(
                Fault::new(format!(
                    "this is {}, which is too old: the oldest that Petasos knows is {named}",
                    system(host)
                ))
                .hint(format!("reinstall the host with {named} or later, or upgrade it")),
            ));
        }
        if host.init != "systemd" {
            return Err(self.host_error(
                Fault::new(format!("its first process is `{}`, not systemd", host.init))
                    .hint("use a virtual machine, or a container that boots a whole system"),
            ));
        }
        Ok(())
    }

    /// A port that is translated on the way is nobody's to move from here.
    fn port_may_move(&mut self, host: &Host) -> Result<(), RunError> {
        let (dialled, own) = (self.job.dialled(&self.connection), host.ssh_port);
        self.translated = dialled != own;
        match self.job.ssh_port.filter(|wanted| self.translated && *wanted != own) {
            None => Ok(()),
            Some(wanted) => Err(self.host_error(
                Fault::new(format!(
                    "SSH cannot move to port {wanted}: the host's own port is {own}, which something on the way \
                     (a router, a virtual machine's network) offers as {dialled}, and nothing would offer {wanted}"
                ))
                .hint(format!(
                    "remove `network.ssh_port` or set it to {own}; to move SSH, reach the host at an address of its own"
                )),
            )),
        }
    }

    /// An observation of a host that cloud-init is through with: before that each one differs.
    pub(super) async fn observe_when_ready(&mut self) -> Result<Observation, RunError> {
        let mut observation = self.observe().await?;
        let began = Instant::now();
        while observation.host.cloud_init {
            let waited = began.elapsed();
            if waited > FIRST_START {
                let minutes = FIRST_START.as_secs() / 60;
                return Err(self.host_error(
                    Fault::new(format!("cloud-init is still running after {minutes} minutes"))
                        .hint("see `cloud-init status --long` on the host"),
                ));
            }
            if waited < PAUSE {
                self.note("cloud-init is still running on the host: waiting up to 10 minutes");
            }
            let left = FIRST_START.saturating_sub(waited).as_secs().max(1).to_string();
            self.first_frame("cloud-init", &Act::sh("wait for cloud-init", WAIT, [left])).await?;
            observation = self.observe().await?;
        }
        // What only has not come up yet is nothing to change.
        if observation.host.starting && !observation.plan.steps.is_empty() {
            self.note("the host is still starting: waiting up to 2 minutes");
            let seconds = START.as_secs().to_string();
            self.first_frame("start", &Act::sh("wait for the host's start", WAIT_FOR_START, [seconds])).await?;
            observation = self.observe().await?;
        }
        Ok(observation)
    }
}

/// What is there while a guarded change waits, or is being rolled back.
fn guard_paths() -> impl Iterator<Item = AbsPath> {
    ["armed", "reverting"].into_iter().filter_map(|name| AbsPath::new(format!("{}/{name}", crate::guard::STATE)).ok())
}

fn lock_path() -> Option<AbsPath> {
    AbsPath::new(lock::RECORD).ok()
}

fn incident_path() -> Option<AbsPath> {
    AbsPath::new(crate::incident::MARKER).ok()
}

/// `Debian 13`.
pub(super) fn system(host: &Host) -> String {
    format!("{} {}", capitalized(&host.distribution), host.version)
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
