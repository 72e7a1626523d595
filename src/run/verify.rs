//! Verifies a host: one observation, one round trip with all attacks, and a few connections of our
//! own.

use super::observe::Observation;
use super::{Event, Job, RunError, Session, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use crate::verify::report::{ControlStatus, HostReport};
use crate::verify::{self, Answer, Claims, Evidence, Scan};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The driver's text comes on standard input and is never on the host's disk; it starts itself
/// again as the agent and as root.
const START: &str = include_str!("../../remote/verify/start.sh");

/// A slow host gets up to six times as long (`remote/verify/patience.py`): 240 s for what takes
/// longest.
const SLOW: Duration = Duration::from_secs(240);

/// For an own connection to one port.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Job {
    /// Attacks the host from inside, and judges its controls.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn verify(&self, claims: &Claims, watch: &Watch) -> Result<HostReport, RunError> {
        let mut session = Session::open(self, watch).await?;
        let seen = session.evidence(claims).await;
        let (round_trips, took) = session.close().await;
        let began = Instant::now();
        let Seen { claims, observation, answer, mut scan } = seen?;
        if let Scan::Made { open, closed } = &mut scan {
            let listeners = answer.inspected.listeners.found().map_or(&[][..], Vec::as_slice);
            let found = verify::net_inbound::open_ports(listeners);
            let known: BTreeSet<u16> = open.iter().chain(&*closed).copied().collect();
            let (more, silent) = self.dial(&found.difference(&known).copied().collect()).await;
            open.extend(more);
            closed.extend(silent);
        }
        let evidence = Evidence { answer, plan: observation.plan, scan };
        let mut report = HostReport {
            host: self.name.clone(),
            address: self.login.target.host.clone(),
            system: observation.system,
            verdict: ControlStatus::Unobserved,
            controls: verify::judge(&claims, &evidence),
            attacks: 0,
            positive_controls: 0,
            round_trips,
            seconds: 0.0,
            error: None,
            hint: None,
        };
        verify::sum_up(&mut report);
        report.seconds = (took + began.elapsed()).as_secs_f64();
        Ok(report)
    }

    /// Which ports answer from here, and which do not.
    async fn dial(&self, ports: &BTreeSet<u16>) -> (BTreeSet<u16>, BTreeSet<u16>) {
        let mut tasks = JoinSet::new();
        for port in ports.iter().copied() {
            let host = self.login.resolved.address.clone();
            tasks.spawn(async move {
                let dialled = tokio::time::timeout(TIMEOUT, TcpStream::connect((host.as_str(), port))).await;
                (port, matches!(dialled, Ok(Ok(_))))
            });
        }
        let (open, closed): (BTreeSet<_>, BTreeSet<_>) = tasks.join_all().await.into_iter().partition(|(_, is)| *is);
        let ports = |set: BTreeSet<(u16, bool)>| set.into_iter().map(|(port, _)| port).collect();
        (ports(open), ports(closed))
    }

    /// What is known from outside: nothing, where the host's ports are not those of its address.
    async fn scan(&self, claims: &Claims, dialled: u16) -> Scan {
        if dialled != claims.ssh_port {
            let own = claims.ssh_port;
            return Scan::NotMade(format!(
                "the address's port {dialled} is the host's {own}: its other ports are not the host's"
            ));
        }
        if self.login.resolved.through_another {
            return Scan::NotMade("this host is reached through another one (ProxyJump, ProxyCommand)".to_owned());
        }
        let (open, closed) = self.dial(&verify::net_inbound::known_ports(claims)).await;
        Scan::Made { open, closed }
    }
}

/// All that a host showed.
struct Seen {
    claims: Claims,
    observation: Observation,
    answer: Answer,
    scan: Scan,
}

impl Session<'_> {
    async fn evidence(&mut self, claims: &Claims) -> Result<Seen, RunError> {
        let observation = self.observe().await?;
        // Where SSH is now; a port that is still to come is part of the plan.
        let (ssh_port, sees_hello) = (observation.host.ssh_port, observation.host.njs);
        let claims = Claims { ssh_port, sees_hello, ..claims.clone() };
        self.report(Event::Attacking);
        let (job, dialled) = (self.job, self.job.dialled(&self.connection));
        // Who is refused waits: meanwhile the host is attacked.
        let (answer, scan) = tokio::join!(self.attack(&claims), job.scan(&claims, dialled));
        Ok(Seen { answer: answer?, claims, observation, scan })
    }

    async fn attack(&mut self, claims: &Claims) -> Result<Answer, RunError> {
        let program = verify::driver::program(&verify::spec(claims)).map_err(|fault| self.host_error(fault))?;
        let text = Text::open(program);
        let attack = Act::Sh { text: START, what: "attack the host", args: Vec::new(), stdin: Some(text) };
        let frame = self.long_frame("verify", &attack, SLOW).await?;
        if frame.rc != 0 {
            let stderr = frame.error_text();
            let last = stderr.lines().last().unwrap_or("it said nothing").to_owned();
            let hint = "it needs python3 and systemd-run on the host: run `petasos up` first";
            return Err(
                self.host_error(Fault::new(format!("the attack driver ended with {}: {last}", frame.rc)).hint(hint))
            );
        }
        Answer::read(&frame.text()).map_err(|fault| self.host_error(fault))
    }
}
