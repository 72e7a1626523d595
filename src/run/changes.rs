//! What of the agent's data shapes the agent, and has changed since it was accepted.

use super::session::Session;
use super::{Job, RunError, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use serde::{Deserialize, Serialize};

const LOOK: &str = include_str!("../../remote/run/changes.py");

/// What a host says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// When it was last accepted, in seconds since the epoch by the host's clock; none before the
    /// first look, which takes what it finds.
    pub since: Option<u64>,
    /// How many files there are.
    pub files: u64,
    /// Whether there are more than are looked at.
    pub full: bool,
    pub changes: Vec<ChangedFile>,
    /// How many changes there are beside these.
    pub more: u64,
    /// Folders of what was planted and put out of the agent's reach.
    pub set_aside: Vec<String>,
}

/// A file below the agent's data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    pub path: String,
    pub change: FileChange,
    /// In bytes.
    pub size: u64,
    /// When it was last written, in seconds since the epoch; its writer can set that.
    pub time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    New,
    Changed,
    Gone,
}

impl Job {
    /// What has changed; `accept`: from now on that is as it should be.
    ///
    /// # Errors
    /// When the host cannot be asked, or the agent has no data there.
    pub async fn changes(&self, accept: bool, watch: &Watch) -> Result<Changes, RunError> {
        let mut session = Session::open(self, watch).await?;
        let verb = if accept { "accept" } else { "show" };
        let argv = ["python3", "-I", "-", verb].map(str::to_owned).to_vec();
        let looked = session.first_frame("changes", &Act::Run { argv, stdin: Some(Text::open(LOOK)) }).await;
        session.close().await;
        let frame = looked?;
        if frame.rc != 0 {
            return Err(self.host_error(Fault::new(frame.error_text()).at("the agent's data cannot be read")));
        }
        serde_json::from_slice(&frame.out)
            .map_err(|error| self.host_error(Fault::new(format!("its answer cannot be parsed: {error}"))))
    }
}
