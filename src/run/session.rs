//! One job at work: its connection to the host, and whoever watches.

use super::{Event, Job, LastLogin, Outcome, RunError, Watch};
use crate::act::Act;
use crate::config::lesson::Lesson;
use crate::fault::Fault;
use crate::plan::{Plan, Step};
use crate::shell::{Frame, Script};
use crate::transport::{Login, Ssh, TransportError};
use std::time::{Duration, Instant};

/// A host under work.
pub(super) struct Session<'a> {
    pub job: &'a Job,
    pub connection: Ssh,
    pub watch: &'a Watch,
    /// `Debian 13`, once it was observed.
    pub system: String,
    /// Who else becomes root there without a password, once it was observed.
    pub also_root: Vec<String>,
    /// What petasos.lock is to keep of the host, as of the last look.
    pub learned: Vec<(Lesson, String)>,
    /// Whether something between here and the host translates the port that was dialled.
    pub translated: bool,
    round_trips: usize,
    began: Instant,
}

impl<'a> Session<'a> {
    pub async fn open(job: &'a Job, watch: &'a Watch) -> Result<Self, RunError> {
        let began = Instant::now();
        watch(&job.name, Event::Connecting);
        let connection = job.connect(watch).await?;
        Ok(Self {
            job,
            connection,
            watch,
            system: String::new(),
            also_root: Vec::new(),
            learned: Vec::new(),
            translated: false,
            round_trips: 0,
            began,
        })
    }
}

impl Session<'_> {
    pub fn report(&self, event: Event) {
        (self.watch)(&self.job.name, event);
    }

    pub fn note(&self, text: impl Into<String>) {
        self.report(Event::Note(text.into()));
    }

    pub fn host_error(&self, fault: impl Into<Fault>) -> RunError {
        self.job.host_error(fault)
    }

    /// Counts a script that runs on the host, whether over this connection or a fresh one.
    pub fn count(&mut self) {
        self.round_trips += 1;
    }

    /// Runs a script.
    pub async fn ask(&mut self, script: &Script) -> Result<Vec<Frame>, TransportError> {
        self.count();
        self.connection.run(script, |_| ()).await
    }

    /// Runs one act that only reads; its frame.
    pub async fn first_frame(&mut self, name: &str, act: &Act) -> Result<Frame, TransportError> {
        self.count();
        self.connection.ask(name, act).await
    }

    /// The same of an act that may take so much longer.
    pub async fn long_frame(&mut self, name: &str, act: &Act, more: Duration) -> Result<Frame, TransportError> {
        self.count();
        self.connection.ask_long(name, act, more).await
    }

    /// A fresh connection takes the place of the old one.
    pub async fn switch_to(&mut self, fresh: Ssh) {
        let old = std::mem::replace(&mut self.connection, fresh);
        old.close().await;
    }

    /// The same place as this connection, as the job's login reaches it.
    pub fn here(&self) -> Login {
        Login { target: self.connection.target().clone(), ..self.job.login.clone() }
    }

    /// The administrator's login once all is done. A port that something in between translates
    /// stays what it is.
    pub fn admin_login(&self) -> Login {
        match self.job.ssh_port.filter(|_| !self.translated) {
            Some(port) => self.job.login.clone().with_port(port),
            None => self.here(),
        }
        .with_user(&self.job.admin)
    }

    /// Ends the connection; returns how many scripts ran, and how long all took.
    pub async fn close(self) -> (usize, Duration) {
        self.connection.close().await;
        (self.round_trips, self.began.elapsed())
    }

    /// Ends the connection, and sums up: the system, what was planned, and what came in a second
    /// pass.
    pub async fn finish(self, done: Result<(String, Plan, Vec<Step>), RunError>) -> Result<Outcome, RunError> {
        let job = self.job;
        let also_root = self.also_root.clone();
        let (round_trips, took) = self.close().await;
        let (system, plan, second_pass) = done?;
        Ok(Outcome {
            host: job.name.clone(),
            address: job.login.target.host.clone(),
            system,
            plan,
            second_pass,
            undone: None,
            also_root,
            round_trips,
            seconds: took.as_secs_f64(),
        })
    }
}

impl Job {
    /// The port that a connection dialled.
    pub(super) fn dialled(&self, ssh: &Ssh) -> u16 {
        ssh.target().port.unwrap_or(self.login.resolved.port)
    }

    /// All logins that may work, the likeliest first: sshd shuts out those who fail too often, and
    /// so do others (fail2ban). The port of the last time comes before the address's own and the
    /// wanted one; whoever got in the last time comes before the others. While nobody knows the
    /// host, the user named comes first, and no port is tried but the address's, where that is not
    /// SSH's usual one: behind another port of a router's, or of this very machine, may be somebody
    /// else.
    fn login_candidates(&self) -> Vec<Login> {
        let (known, own) = (self.login.host_key.known().is_some(), self.login.resolved.port);
        let wanted = self.ssh_port.filter(|_| known || own == 22);
        let mut ports: Vec<u16> = Vec::new();
        for port in self.last.port.into_iter().chain([own]).chain(wanted) {
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        let (admin, named) = (&self.admin, &self.login.target.user);
        // An older lock file has only the key.
        let named_first = self.last.user.as_ref().map_or(!known, |last| last == named);
        let mut users = if named_first { vec![named, admin] } else { vec![admin, named] };
        users.dedup();
        let place = |port| match port == own {
            true => self.login.clone(),
            // A port that nobody opened yet may be silent.
            false => self.login.clone().with_port(port).within(Duration::from_secs(5)),
        };
        let ways = |port| users.iter().map(move |user| place(port).with_user(user));
        ports.into_iter().flat_map(ways).collect()
    }

    /// By the first login that works; else the most specific error: another key than the known
    /// one, then a refusal, then silence.
    pub(super) async fn connect(&self, watch: &Watch) -> Result<Ssh, RunError> {
        self.connect_within(None, watch).await
    }

    /// The same, with a shorter timeout.
    pub(super) async fn connect_within(&self, limit: Option<Duration>, watch: &Watch) -> Result<Ssh, RunError> {
        // Of two refusals, that of the user who was named is the news.
        let weight = |error: &TransportError| match error {
            TransportError::Unreachable { .. } | TransportError::Dropped { .. } => 0,
            TransportError::Refused { target, .. } if target.user != self.login.target.user => 1,
            TransportError::Refused { .. } => 2,
            _ => 3,
        };
        let mut dead = None;
        let mut worst: Option<TransportError> = None;
        for mut way in self.login_candidates() {
            way.options.connect_timeout = limit.or(way.options.connect_timeout);
            if dead == Some(way.target.port) {
                continue;
            }
            match way.open().await {
                Ok(ssh) => {
                    self.reached(&ssh, watch);
                    return Ok(ssh);
                }
                Err(error) => {
                    // Another user fares no better there.
                    if !matches!(error, TransportError::Refused { .. }) {
                        dead = Some(way.target.port);
                    }
                    if worst.as_ref().is_none_or(|worst| weight(&error) >= weight(worst)) {
                        worst = Some(error);
                    }
                }
            }
        }
        Err(worst.map_or_else(|| self.host_error("there is no login to try"), RunError::from))
    }

    /// Tells what a connection taught about the host, if it is news.
    pub(super) fn reached(&self, ssh: &Ssh, watch: &Watch) {
        if let Some(fingerprint) = ssh.new_host_key() {
            watch(&self.name, Event::HostKey(fingerprint.clone()));
        }
        let port = self.dialled(ssh);
        let now =
            LastLogin { user: Some(ssh.user().clone()), port: (port != self.login.resolved.port).then_some(port) };
        if now != self.last {
            watch(&self.name, Event::Reached(now));
        }
    }
}
