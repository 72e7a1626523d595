//! An incident on a host: closed off, its evidence sealed and fetched, and opened again.

use super::lockout_guard::ConfirmBy;
use super::script::Batch;
use super::session::Session;
use super::told::called;
use super::{Event, Job, RunError, Watch};
use crate::act::{Act, Put, Text};
use crate::fault::Fault;
use crate::guard::Scope;
use crate::incident::{Answers, MARKER, QUARANTINE, Rotated};
use crate::name::{AbsPath, Account, Mode};
use crate::plan::Step;
use crate::resource::{Change, Risk};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

const PROGRAM: &str = include_str!("../../remote/run/incident.py");
const STOP: &str = include_str!("../../remote/run/incident-stop.py");
const SEAL: &str = include_str!("../../remote/run/incident-seal.py");
const DRILL: &str = include_str!("../../remote/run/incident-drill.sh");

/// After how many seconds a host ends a drill by itself.
const DRILL_SECS: u32 = 3600;

const SOON: Duration = Duration::from_secs(120);
/// For a copy of many gigabytes.
const LONG: Duration = Duration::from_secs(3 * 3600);

/// What says on the host that an incident is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Such as `20261126-101500`.
    pub id: String,
    /// In seconds since the epoch, by the operator's clock.
    pub opened: u64,
    pub by: String,
    pub why: String,
    /// Whether it is none.
    pub drill: bool,
}

/// What a host knows of an incident.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentState {
    /// Whether `petasos up` has laid the quarantine down.
    pub ready: bool,
    pub open: Option<Incident>,
    /// Whether the quarantine's rules are loaded.
    pub quarantine: bool,
    pub sealed: Option<Sealed>,
    pub record: Option<IncidentRecord>,
    pub drill: Option<Value>,
    /// Units that only a restart of the host lets start again.
    pub stuck: Vec<String>,
}

/// What came of the first half of the evidence: what a stop would lose.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stopped {
    laps: Vec<(String, f64)>,
    notes: Vec<String>,
    processes: usize,
}

/// The evidence, as the host sealed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// What was done, and how many seconds after the beginning.
    pub laps: Vec<(String, f64)>,
    /// What could not be had.
    pub notes: Vec<String>,
    /// How many the agent had.
    pub processes: usize,
    pub files: Vec<SealedFile>,
    /// As sha256sum(1) writes it.
    pub manifest: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedFile {
    pub name: String,
    pub bytes: u64,
}

/// What operators have said of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRecord {
    /// The digest of the manifest that an operator has fetched and compared.
    pub fetched: Option<String>,
    pub rotated: BTreeMap<String, Rotated>,
}

/// What is to be gone before a host opens again.
#[derive(Debug, Clone, Serialize)]
pub struct Forget {
    /// The secrets that are made anew.
    pub names: Vec<String>,
    /// Whether the keys of its backups go too.
    pub backup: bool,
    /// `keep` or `empty`.
    pub data: &'static str,
}

impl Job {
    /// # Errors
    /// When the host cannot be asked.
    pub async fn incident(&self, watch: &Watch) -> Result<IncidentState, RunError> {
        self.incident_step(&json!({ "step": "state" }), watch).await
    }

    /// Closes the host off: nothing leaves it any more. One that is open already stays the one that
    /// it is. Returns the incident, and whether it was open.
    ///
    /// # Errors
    /// [`RunError::RolledBack`] when nobody could log in afterwards: the host is then open as
    /// before.
    pub async fn close_off(&self, new: Incident, watch: &Watch) -> Result<(Incident, bool), RunError> {
        let mut session = Session::open(self, watch).await?;
        let done = session.close_off(new).await;
        session.close().await;
        done
    }

    /// Seals the evidence; a drill lets the agent go on afterwards, and only then.
    ///
    /// # Errors
    /// When the host cannot be asked, or has no room.
    pub async fn seal(&self, incident: &Incident, watch: &Watch) -> Result<Sealed, RunError> {
        let program = called(STOP, "main", &json!(incident).to_string()).map_err(|fault| self.host_error(fault))?;
        let stopped: Stopped = self.told("stop", "the evidence", program, LONG, watch).await?;
        let asked = json!({ "incident": incident, "stopped": stopped });
        let program = called(SEAL, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        self.told("seal", "the evidence", program, LONG, watch).await
    }

    /// Fetches a file of the evidence.
    ///
    /// # Errors
    /// When the host cannot be asked, or what arrives cannot be written.
    pub async fn fetch(
        &self,
        id: &str,
        file: &SealedFile,
        to: &mut (dyn Write + Send),
        watch: &Watch,
    ) -> Result<(), RunError> {
        let mut session = Session::open(self, watch).await?;
        let done = session.fetch(id, file, to).await;
        session.close().await;
        done
    }

    /// Adds what an operator says to the host's record.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn update_incident(&self, record: &IncidentRecord, watch: &Watch) -> Result<IncidentRecord, RunError> {
        let IncidentRecord { fetched, rotated } = record;
        self.incident_step(&json!({ "step": "update", "fetched": fetched, "rotated": rotated }), watch).await
    }

    /// Which credentials the host has, with digests that have this salt.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn credentials(&self, salt: &str, watch: &Watch) -> Result<Answers, RunError> {
        self.incident_step(&json!({ "step": "credentials", "salt": salt }), watch).await
    }

    /// Takes away what is not to be there when the host opens again.
    ///
    /// # Errors
    /// When the host cannot be asked, or something cannot be removed.
    pub async fn forget_credentials(&self, what: &Forget, watch: &Watch) -> Result<(), RunError> {
        let Forget { names, backup, data } = what;
        let asked = json!({ "step": "forget", "names": names, "backup": backup, "data": data });
        let program = called(PROGRAM, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        let _: Value = self.told("forget", "the incident", program, LONG, watch).await?;
        Ok(())
    }

    /// Opens the host again, of this incident and no other.
    ///
    /// # Errors
    /// As for [`Job::close_off`].
    pub async fn open_again(&self, incident: &Incident, watch: &Watch) -> Result<(), RunError> {
        let mut session = Session::open(self, watch).await?;
        let done = session.open_again(incident).await;
        session.close().await;
        done
    }

    /// Before a drill is over: what was paused goes on, and nothing of it stays but how long it
    /// took, if it came to its end.
    ///
    /// # Errors
    /// When the host cannot be asked, or another incident is open by now.
    pub async fn end_drill(&self, id: &str, seconds: f64, files: usize, watch: &Watch) -> Result<(), RunError> {
        let asked = json!({ "step": "drilled", "id": id, "seconds": seconds, "files": files });
        let _: Value = self.incident_step(&asked, watch).await?;
        Ok(())
    }

    async fn incident_step<T: DeserializeOwned>(&self, asked: &Value, watch: &Watch) -> Result<T, RunError> {
        let program = called(PROGRAM, "main", &asked.to_string()).map_err(|fault| self.host_error(fault))?;
        self.told("incident", "the incident", program, SOON, watch).await
    }
}

impl Session<'_> {
    /// Why nothing is changed on a host with an open incident.
    pub(super) fn closed_off(&self) -> RunError {
        let host = &self.job.name;
        let fault = Fault::new("an incident is open on this host: nothing is changed until it is closed");
        self.host_error(fault.hint(format!(
            "`petasos incident rotate {host}` says what is left to do, `petasos incident close {host}` opens it again"
        )))
    }

    /// # Errors
    /// When an incident is open.
    pub(super) async fn no_incident(&mut self) -> Result<(), RunError> {
        let frame = self.first_frame("incident", &Act::run(["test", "!", "-e", MARKER])).await?;
        if frame.rc == 0 { Ok(()) } else { Err(self.closed_off()) }
    }

    async fn close_off(&mut self, new: Incident) -> Result<(Incident, bool), RunError> {
        let asked = json!({ "step": "state" }).to_string();
        let program = called(PROGRAM, "main", &asked).map_err(|fault| self.host_error(fault))?;
        let now: IncidentState = self.told("incident", "the incident", program, SOON).await?;
        if !now.ready {
            let fault = Fault::new("this host has no quarantine yet");
            return Err(self.host_error(fault.hint("do not run `petasos up` on it now, which would give it your secrets: at its console `systemctl disable --now hermes`, and close it off in the provider's firewall (docs/incident.md)")));
        }
        // A drill that did not end gives way to what is none: the host is closed off already.
        let open = now.open.filter(|open| !open.drill || new.drill);
        let was_open = open.is_some();
        let incident = open.unwrap_or(new);
        if was_open && now.quarantine {
            return Ok((incident, true));
        }
        let text = serde_json::to_string(&incident).map_err(|error| self.host_error(Fault::new(error.to_string())))?;
        let marker = Put {
            path: marker().map_err(|fault| self.host_error(fault))?,
            content: Text::open(text + "\n"),
            owner: Account::root(),
            group: Account::root(),
            mode: Mode::new("0600").map_err(|fault| self.host_error(fault))?,
            check: Vec::new(),
        };
        let ends = Act::sh("end a drill by itself", DRILL, [MARKER, &incident.id, &DRILL_SECS.to_string()]);
        let mut acts: Vec<Act> = Some(ends).filter(|_| incident.drill).into_iter().collect();
        acts.extend([
            Act::Put(marker),
            // Where it stands already, by a drill that did not end, it stands all the time.
            Act::run(["systemctl", "reload-or-restart", QUARANTINE]),
            // A unit whose condition does not hold is no error.
            Act::run(["nft", "list", "chain", "inet", "petasos_incident", "output"]),
        ]);
        self.guarded_change("incident", "close the host off", acts).await?;
        Ok((incident, was_open))
    }

    async fn open_again(&mut self, incident: &Incident) -> Result<(), RunError> {
        let marker = marker().map_err(|fault| self.host_error(fault))?;
        let Incident { id, drill, .. } = incident;
        let acts = vec![
            // Under the host's lock: another may have been opened since.
            Act::run(["grep", "-qF", &format!("\"id\":\"{id}\""), MARKER]),
            Act::run(["grep", "-qF", &format!("\"drill\":{drill}"), MARKER]),
            Act::Remove(marker),
            Act::run(["systemctl", "stop", QUARANTINE]),
            Act::sh(
                "no drill any more",
                "systemctl stop petasos-incident-drill.timer 2>/dev/null || :",
                [] as [&str; 0],
            ),
        ];
        self.guarded_change("incident", "open the host again", acts).await
    }

    /// On record, and taken back unless somebody can log in afterwards.
    async fn guarded_change(&mut self, verb: &str, title: &str, acts: Vec<Act>) -> Result<(), RunError> {
        let change = Change::new("network", "as it is", title, acts).risking(Risk::Lockout);
        let step = Step::of_run(verb, title, change);
        let scope = Scope {
            paths: BTreeSet::from([format!("-{}", MARKER.trim_start_matches('/'))]),
            units: BTreeSet::from([QUARANTINE.to_owned()]),
        };
        let line = [self.job.begun(verb, &[&step])];
        self.execute_all(Batch::of_acts("begin", &line)).await?;
        let done = self.guarded(&[&step], (0, 1), &scope, ConfirmBy::Any).await;
        self.end(&done).await;
        done
    }

    async fn fetch(&mut self, id: &str, file: &SealedFile, to: &mut (dyn Write + Send)) -> Result<(), RunError> {
        let mut at = 0;
        while at < file.bytes {
            let asked = json!({ "step": "part", "id": id, "name": file.name, "at": at }).to_string();
            let program = called(PROGRAM, "main", &asked).map_err(|fault| self.host_error(fault))?;
            let argv = ["python3", "-I", "-"].map(str::to_owned).to_vec();
            let frame = self.long_frame("part", &Act::Run { argv, stdin: Some(program) }, SOON).await?;
            if frame.rc != 0 || frame.out.is_empty() {
                let why = format!("`{}` of the evidence cannot be read: {}", file.name, frame.error_text());
                return Err(self.host_error(Fault::new(why)));
            }
            to.write_all(&frame.out).map_err(|error| self.host_error(unwritten(&file.name, &error)))?;
            at += u64::try_from(frame.out.len()).unwrap_or(u64::MAX);
            self.report(Event::Progress { done: at, of: file.bytes, what: format!("fetching {}", file.name) });
        }
        Ok(())
    }
}

fn unwritten(name: &str, error: &io::Error) -> Fault {
    Fault::new(format!("`{name}` of the evidence cannot be written here: {error}"))
        .hint("make room, then `petasos incident evidence HOST` fetches it again")
}

fn marker() -> Result<AbsPath, Fault> {
    AbsPath::new(MARKER)
}
