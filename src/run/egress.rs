//! What an agent asked for, and what became of it, by the host's own logs.

use super::{Job, RunError, Session, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const COLLECT: &str = include_str!("../../remote/run/egress.py");

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressBy {
    Agent,
    /// A command in the agent's sandbox, which has a list of its own.
    Sandbox,
}

/// What became of a connection, or of a question for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressState {
    /// The name is allowed, and was let out.
    Allowed,
    /// A connection for a name that is not allowed.
    Refused,
    /// Let out, but nobody was reached: the name has no address, or one where the filter lets
    /// nobody go.
    Failed,
    /// The same, but let out: `enforce: false`.
    Learnt,
    /// A name that was asked for, and for the agent does not exist.
    Unknown,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressRecord {
    pub by: EgressBy,
    /// As the agent wrote it; empty where a connection named nobody.
    pub name: String,
    /// 0 for a question that no connection followed.
    pub port: u16,
    pub state: EgressState,
    pub count: u64,
    /// Seconds since the epoch, by the host's clock.
    pub first: u64,
    pub last: u64,
    /// Bytes that its connections carried out of the host and into it, with TLS around them; 0
    /// where none was let through.
    pub sent: u64,
    pub received: u64,
}

/// What a host has on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressLog {
    /// The most frequent first.
    pub names: Vec<EgressRecord>,
    /// How many rows there are beside these.
    pub more: u64,
    /// How many lines of its log were lost, because they came too fast.
    pub lost: u64,
    /// Packets that the filter refused since it was loaded, by counter.
    pub refused: BTreeMap<String, u64>,
}

impl Job {
    /// Collects what was let through and what was refused since a time that journalctl(1)
    /// understands. What a `petasos verify` asked for, by its names and within its time, is left
    /// out.
    ///
    /// # Errors
    /// When the host has no such logs, or cannot be asked.
    pub async fn egress(&self, since: &str, tried: &BTreeSet<String>, watch: &Watch) -> Result<EgressLog, RunError> {
        let mut session = Session::open(self, watch).await?;
        let tried = serde_json::to_string(tried).map_err(|error| self.host_error(Fault::new(error.to_string())))?;
        let argv = ["python3", "-I", "-", since, &tried].map(str::to_owned).to_vec();
        let collected = session.first_frame("egress", &Act::Run { argv, stdin: Some(Text::open(COLLECT)) }).await;
        session.close().await;
        let frame = collected?;
        if frame.rc != 0 {
            return Err(self.host_error(Fault::new(frame.error_text()).at("its logs cannot be read")));
        }
        serde_json::from_slice(&frame.out)
            .map_err(|error| self.host_error(Fault::new(format!("its record cannot be parsed: {error}"))))
    }
}
