//! Verifies a host: one observation, one round trip with all attacks, and a few connections of our
//! own.

use super::observe::Observation;
use super::{Event, Job, RunError, Session, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use crate::verify::report::{ControlStatus, HostReport};
use crate::verify::{self, Answer, Claims, Evidence, Scan};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The driver's text comes on standard input and is never on the host's disk; it starts itself
/// again as the agent and as root.
const START: &str = include_str!("../../remote/verify/start.sh");

/// For an own connection to one port.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Job {
    /// Attacks the host from inside, and judges its controls.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn verify(&self, claims: &Claims, watch: &Watch) -> Result<HostReport, RunError> {
        let mut session = Session::open(self, watch).await?;
        let port = session.connection.target().port.unwrap_or(self.login.resolved.port);
        // Where SSH is now; a port that is still to come is part of the plan.
        let mut claims = Claims { ssh_port: port, ..claims.clone() };
        // Who is refused waits: meanwhile the host is attacked.
        let known = verify::net_inbound::known_ports(&claims);
        let (seen, mut dialled) = tokio::join!(session.evidence(&mut claims), self.dial(&known));
        let (round_trips, took) = session.close().await;
        let began = Instant::now();
        let (observation, answer) = seen?;
        let listeners = answer.inspected.listeners.found().map_or(&[][..], Vec::as_slice);
        let found = verify::net_inbound::open_ports(listeners);
        dialled.extend(self.dial(&found.difference(&known).copied().collect()).await);
        let those = |open: bool| dialled.iter().filter(|(_, is)| **is == open).map(|(port, _)| *port).collect();
        let scan = Scan { open: those(true), closed: those(false) };
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

    /// Whether each port answers from here.
    async fn dial(&self, ports: &BTreeSet<u16>) -> BTreeMap<u16, bool> {
        let mut tasks = JoinSet::new();
        for port in ports.iter().copied() {
            let host = self.login.target.host.clone();
            tasks.spawn(async move {
                let dialled = tokio::time::timeout(TIMEOUT, TcpStream::connect((host.as_str(), port))).await;
                (port, matches!(dialled, Ok(Ok(_))))
            });
        }
        tasks.join_all().await.into_iter().collect()
    }
}

impl Session<'_> {
    async fn evidence(&mut self, claims: &mut Claims) -> Result<(Observation, Answer), RunError> {
        let observation = self.observe().await?;
        claims.sees_hello = observation.host.njs;
        self.report(Event::Attacking);
        let program = verify::driver::program(&verify::spec(claims)).map_err(|fault| self.host_error(fault))?;
        let text = Text::open(program);
        let attack = Act::Sh { text: START, what: "attack the host", args: Vec::new(), stdin: Some(text) };
        let frame = self.first_frame("verify", &attack).await?;
        if frame.rc != 0 {
            let stderr = frame.error_text();
            let last = stderr.lines().last().unwrap_or("it said nothing").to_owned();
            let hint = "it needs python3 and systemd-run on the host: run `petasos up` first";
            return Err(
                self.host_error(Fault::new(format!("the attack driver ended with {}: {last}", frame.rc)).hint(hint))
            );
        }
        let answer = Answer::read(&frame.text()).map_err(|fault| self.host_error(fault))?;
        Ok((observation, answer))
    }
}
