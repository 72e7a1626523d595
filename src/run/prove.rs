//! Proves a host: one look, one trip with all attacks, and a few connections of our own.

use super::observe::Sight;
use super::{Connection, Event, Job, RunError, Watch};
use crate::prove::report::{HostReport, Verdict};
use crate::prove::{self, Answer, Evidence, Scan, Scene};
use crate::shell::Script;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The driver: its text travels on standard input and is never on the host's disk.
const DRIVER: [&str; 4] = [
    include_str!("../../templates/prove/calls.py"),
    include_str!("../../templates/prove/net.py"),
    include_str!("../../templates/prove/look.py"),
    include_str!("../../templates/prove/run.py"),
];

/// The first line is what to try, the rest is the program, which starts itself again as the agent and as root.
const START: &str = r#"
exec /usr/bin/python3 -I -c 'import json, sys
SPEC, SOURCE = sys.stdin.read().split("\n", 1)
SPEC = json.loads(SPEC)
exec(compile(SOURCE, "verify", "exec"))'
"#;

/// For an own connection to one port.
const PATIENCE: Duration = Duration::from_secs(2);

impl Job {
    /// Attacks the host from inside, and judges its controls.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn verify(&self, scene: &Scene, watch: &Watch) -> Result<HostReport, RunError> {
        let began = Instant::now();
        let mut connection = self.enter(watch).await?;
        let port = connection.ssh.target().port.unwrap_or(self.login.resolved.port);
        // Where SSH is now; a port that is still to come is the plan's to tell.
        let scene = Scene { ssh_port: port, ..scene.clone() };
        let seen = self.evidence(&mut connection, &scene, watch).await;
        let round_trips = connection.round_trips;
        connection.ssh.close().await;
        let (sight, answer) = seen?;
        let scan = self.scan(&scene, &answer).await;
        let evidence = Evidence { answer, plan: sight.plan, scan };
        let mut report = HostReport {
            host: self.name.clone(),
            address: self.login.target.host.clone(),
            system: sight.system,
            verdict: Verdict::Unobserved,
            controls: prove::judge(&scene, &evidence),
            attacks: 0,
            positive_controls: 0,
            round_trips,
            seconds: 0.0,
            error: None,
        };
        prove::sum_up(&mut report);
        report.seconds = began.elapsed().as_secs_f64();
        Ok(report)
    }

    async fn evidence(
        &self,
        connection: &mut Connection,
        scene: &Scene,
        watch: &Watch,
    ) -> Result<(Sight, Answer), RunError> {
        let sight = self.observe(connection, watch).await?;
        watch(&self.name, Event::Attacking);
        let mut script = Script::observing();
        script.step("prove");
        let text = format!("{}\n{}", prove::spec(scene), DRIVER.concat());
        script.sh(START, &[], Some(&text));
        connection.round_trips += 1;
        let frames = connection.ssh.run(&script, |_| ()).await?;
        let frame = frames.first().ok_or_else(|| self.host_error("the probe gave no answer".into()))?;
        if frame.rc != 0 {
            let said = frame.error_text();
            let last = said.lines().last().unwrap_or("it said nothing").to_owned();
            let hint = "it needs the host's own python3 and systemd-run: `petasos up` first";
            return Err(self.host_error(format!("the probe ended with {}: {last}\nhint: {hint}", frame.rc)));
        }
        let answer = Answer::read(&frame.text()).map_err(|why| self.host_error(why))?;
        Ok((sight, answer))
    }

    /// Knocks from here at each port that listens there.
    async fn scan(&self, scene: &Scene, answer: &Answer) -> Scan {
        let listeners = answer.look.found.listeners.clone().unwrap_or_default();
        let ports: BTreeSet<u16> = prove::net_inbound::ports(scene, &listeners);
        let mut tasks = JoinSet::new();
        for port in ports {
            let host = self.login.target.host.clone();
            tasks.spawn(async move {
                let dialled = tokio::time::timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await;
                (port, matches!(dialled, Ok(Ok(_))))
            });
        }
        let mut dialled = tasks.join_all().await;
        dialled.sort_unstable();
        let those = |open: bool| dialled.iter().filter(|(_, is)| *is == open).map(|(port, _)| *port).collect();
        Scan { open: those(true), closed: those(false) }
    }
}
