//! What `petasos verify` found, for people and programs. Every way of showing it (text, JSON, a
//! page) starts from these types.

use serde::{Deserialize, Serialize};

/// Of all selected hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of Petasos that tried.
    pub petasos: String,
    /// When, in seconds since the epoch, by the operator's clock.
    pub time: u64,
    pub hosts: Vec<HostReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// As the user calls it.
    pub host: String,
    pub address: String,
    /// `Debian 13`; empty where the host could not be reached.
    pub system: String,
    /// The worst of its controls; those that are [`ControlStatus::Planned`] do not count.
    pub verdict: ControlStatus,
    /// In the order of the registry, so that those of one group stand together.
    pub controls: Vec<ControlReport>,
    /// How many attacks were made from inside, and how many runs showed that such an attack can
    /// succeed.
    pub attacks: usize,
    pub positive_controls: usize,
    pub round_trips: usize,
    pub seconds: f64,
    /// Why there is nothing above: the host was not reached, or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One claim, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlReport {
    /// `net.egress`.
    pub id: String,
    /// A heading that several controls share: `The network`.
    pub group: String,
    /// What it is, in a few words: `Egress by name`.
    pub title: String,
    /// What is claimed of the host, in one sentence.
    pub claim: String,
    pub verdict: ControlStatus,
    /// Why it is not met, or what it does not cover; may be empty.
    pub why: String,
    /// How to turn it on, where there is a way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlStatus {
    /// Every check came out as expected, and every probe was seen to see success.
    Met,
    /// This version of Petasos does not set it up: missing, and reported as such, but no fault of
    /// the host.
    Planned,
    /// Some check could not be made, or a check that cannot fail proves nothing.
    Unobserved,
    NotMet,
}

/// One attack, or one inspection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `egress.smtp`.
    pub id: String,
    /// What was tried: `a connection to SMTP, 203.0.113.25:25`.
    pub what: String,
    pub outcome: AttackOutcome,
    pub expected: AttackOutcome,
    pub result: ControlStatus,
    /// The kernel's, the daemon's or the probe's own message.
    pub detail: String,
    pub seconds: f64,
    /// What shows that the probe can see the other outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<PositiveResult>,
}

/// A positive control: the same probe where it must succeed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositiveResult {
    /// `the same as root`.
    pub what: String,
    pub outcome: AttackOutcome,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttackOutcome {
    /// Something refused it.
    Refused,
    /// It worked.
    Allowed,
    /// Nothing refused it and nothing answered: it may have left the host.
    Silent,
    /// There is nothing here that could be attacked: no such door, no such network.
    Nothing,
    /// An inspection found what it should; for checks that are no attacks.
    Holds,
    /// An inspection found something else.
    Differs,
    /// The probe itself failed.
    Error,
}

impl HostReport {
    /// Of a host that could not be observed.
    pub fn failed(host: &str, address: &str, why: &str) -> Self {
        Self {
            host: host.to_owned(),
            address: address.to_owned(),
            system: String::new(),
            verdict: ControlStatus::Unobserved,
            controls: Vec::new(),
            attacks: 0,
            positive_controls: 0,
            round_trips: 0,
            seconds: 0.0,
            error: Some(why.to_owned()),
            hint: None,
        }
    }
}

impl ControlReport {
    /// What its checks come to: a fault outranks what could not be seen; without any check nothing
    /// is proved.
    pub fn judged(checks: &[Check]) -> ControlStatus {
        checks.iter().map(|check| check.result).max().unwrap_or(ControlStatus::Unobserved)
    }
}
