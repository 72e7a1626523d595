//! What the driver on the host answered, and what the operator's machine saw of it.

use super::report::AttackOutcome;
use crate::plan::Plan;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One attack or control, and what came of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AttackRun {
    pub id: String,
    pub outcome: AttackOutcome,
    pub detail: String,
    pub seconds: f64,
}

/// All that is known of a host when it is judged.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub answer: Answer,
    /// What `petasos up` would change.
    pub plan: Plan,
    /// Ports of the host that were dialled from the operator's machine.
    pub scan: Scan,
}

/// What an own connection from outside found: the ports that answered, and those that did not.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    pub open: Vec<u16>,
    pub closed: Vec<u16>,
}

/// The driver's one line of JSON.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    pub agent: Vec<AttackRun>,
    pub agent_said: String,
    pub root: Vec<AttackRun>,
    pub root_said: String,
    pub unit: Option<Same>,
    pub look: Inspected,
    pub survivors: Option<Survivors>,
    /// What the proxy noted meanwhile.
    pub proxied: Vec<Proxied>,
    pub seconds: f64,
}

/// How the attacks' unit compares with the agent's.
#[derive(Debug, Clone, Deserialize)]
pub struct Same {
    /// The settings in the unit's files.
    pub keys: usize,
    /// The properties that systemd told of for them.
    pub compared: usize,
    pub differ: BTreeMap<String, (String, String)>,
}

/// One connection, by the proxy's own log.
#[derive(Debug, Clone, Deserialize)]
pub struct Proxied {
    /// As the client said it.
    pub name: String,
    /// Where the proxy went.
    pub to: String,
}

/// Daemons that outlived the run that started them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Survivors {
    pub root: usize,
    pub agent: usize,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Inspected {
    pub found: Findings,
    pub errors: BTreeMap<String, String>,
}

/// What root saw; nothing where a look failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Findings {
    pub processes: Option<Vec<BTreeMap<String, String>>>,
    pub unit: Option<BTreeMap<String, String>>,
    pub account: Option<Account>,
    pub security: Option<Vec<String>>,
    pub sshd: Option<BTreeMap<String, BTreeMap<String, String>>>,
    pub doors: Option<String>,
    pub open_doors: Option<String>,
    pub listeners: Option<Vec<Listener>>,
    pub ufw: Option<String>,
    pub release: Option<FoundRelease>,
    pub files: Option<BTreeMap<String, String>>,
    pub upgrades: Option<Upgrades>,
    pub helpers: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Account {
    pub uid: u32,
    pub shell: String,
    pub group: String,
    pub groups: Vec<String>,
    pub password: String,
    pub sudo: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listener {
    pub protocol: String,
    pub address: String,
    pub port: u16,
    pub program: String,
    pub user: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FoundRelease {
    pub current: String,
    pub files: usize,
    pub tree: String,
    pub extra: Vec<String>,
    pub packages: Option<Packages>,
    pub loose: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Packages {
    pub packages: usize,
    pub files: usize,
    pub changed: Vec<String>,
    pub other: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Upgrades {
    pub settings: BTreeMap<String, String>,
    pub origins: usize,
    pub timers: BTreeMap<String, String>,
    pub installed: String,
    pub reboot: bool,
    pub clock: String,
    pub container: bool,
    pub journal: bool,
}

impl Answer {
    /// # Errors
    /// When it is no answer of the driver's.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("the probe's answer: {error}"))
    }
}

impl Evidence {
    pub fn by_agent(&self, id: &str) -> AttackRun {
        found(&self.answer.agent, id, &self.answer.agent_said)
    }

    pub fn by_root(&self, id: &str) -> AttackRun {
        found(&self.answer.root, id, &self.answer.root_said)
    }

    /// What a look found.
    ///
    /// # Errors
    /// Why it was not had.
    pub fn inspected<'a, T>(&'a self, name: &str, of: impl Fn(&'a Findings) -> &'a Option<T>) -> Result<&'a T, String> {
        of(&self.answer.look.found).as_ref().ok_or_else(|| {
            let why = self.answer.look.errors.get(name).cloned();
            why.unwrap_or_else(|| "the host did not tell".into())
        })
    }
}

/// An attack without an answer is an error of the probe's, never a refusal.
fn found(runs: &[AttackRun], id: &str, said: &str) -> AttackRun {
    runs.iter().find(|run| run.id == id).cloned().unwrap_or_else(|| {
        let said = said.trim().lines().last().unwrap_or("it said nothing");
        AttackRun {
            id: id.to_owned(),
            outcome: AttackOutcome::Error,
            detail: format!("the probe did not answer: {said}"),
            seconds: 0.0,
        }
    })
}
