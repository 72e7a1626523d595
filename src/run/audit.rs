//! The agent's audit log, as root reads it on the host.

use super::{Job, RunError, Session, Watch};
use crate::act::{Act, Text};
use crate::audit::chain::{Head, Walk};
use crate::audit::record::Record;
use crate::fault::Fault;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};

const LINES: &str = include_str!("../../remote/run/audit.py");
const CHAIN: &str = include_str!("../../remote/run/audit_chain.py");
const DIRECTORY: &str = "/var/log/hermes";

/// Which lines are asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditQuery {
    /// So many seconds back.
    pub since: Option<u64>,
    /// None: all.
    pub events: Vec<String>,
    pub user: Option<String>,
    pub tool: Option<String>,
    /// The newest so many.
    pub most: usize,
    /// How many seconds the host waits for one.
    pub wait: u64,
    /// Where the answer before ended.
    pub cursor: Option<(u64, u64)>,
}

/// The lines, the oldest first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLines {
    #[serde(deserialize_with = "records")]
    pub lines: Vec<Record>,
    /// How many older ones there are beside these.
    pub more: u64,
    pub cursor: Option<(u64, u64)>,
}

fn records<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Record>, D::Error> {
    let lines = Vec::<String>::deserialize(from)?;
    lines.into_iter().map(|line| Record::read(line).map_err(D::Error::custom)).collect()
}

/// The chain of a host's log, and what its journal has on record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditChain {
    pub walk: Walk,
    pub journal: Vec<Head>,
}

impl Job {
    /// # Errors
    /// When the host has no audit log, or cannot be asked.
    pub async fn audit(&self, query: &AuditQuery, watch: &Watch) -> Result<AuditLines, RunError> {
        let mut session = Session::open(self, watch).await?;
        let lines = session.audit(query).await;
        session.close().await;
        lines
    }

    /// Hands over the lines asked for, and then each that is new, over one connection; never ends
    /// by itself.
    ///
    /// # Errors
    /// As for [`Job::audit`], and what `show` says.
    pub async fn audit_follow(
        &self,
        query: &AuditQuery,
        watch: &Watch,
        mut show: impl FnMut(&AuditLines) -> Result<(), RunError> + Send,
    ) -> Result<(), RunError> {
        let mut session = Session::open(self, watch).await?;
        let mut query = query.clone();
        loop {
            let lines = session.audit(&query).await?;
            show(&lines)?;
            query = AuditQuery { cursor: lines.cursor.or(query.cursor), wait: 20, ..query };
        }
    }

    /// # Errors
    /// As for [`Job::audit`].
    pub async fn audit_chain(&self, watch: &Watch) -> Result<AuditChain, RunError> {
        let mut session = Session::open(self, watch).await?;
        let chain = session.audit_answer(CHAIN, DIRECTORY.to_owned()).await;
        session.close().await;
        chain
    }
}

impl Session<'_> {
    async fn audit(&mut self, query: &AuditQuery) -> Result<AuditLines, RunError> {
        let asked = serde_json::to_string(query).map_err(|error| self.host_error(error.to_string()))?;
        self.audit_answer(LINES, asked).await
    }

    async fn audit_answer<T: DeserializeOwned>(&mut self, program: &str, argument: String) -> Result<T, RunError> {
        let argv = ["python3", "-I", "-", &argument].map(str::to_owned).to_vec();
        let frame = self.first_frame("audit", &Act::Run { argv, stdin: Some(Text::open(program)) }).await?;
        if frame.rc != 0 {
            let stderr = frame.error_text();
            let last = stderr.lines().last().unwrap_or("it said nothing").to_owned();
            let fault = Fault::new(last).at("its audit log cannot be read");
            return Err(self.host_error(fault.hint("`petasos up` sets the audit log up")));
        }
        serde_json::from_slice(&frame.out)
            .map_err(|error| self.host_error(Fault::new(format!("its audit log cannot be parsed: {error}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::AuditLines;

    #[test]
    fn a_line_stays_as_it_stands_and_is_one() {
        let line =
            r#"{"seq":7,"time":"2026-01-01T00:00:00.000Z","event":"message","uid":5,"b":"\u00e9","a":1.50,"prev":""}"#;
        let read = |line: &str| {
            serde_json::from_value::<AuditLines>(serde_json::json!({ "lines": [line], "more": 0, "cursor": [1, 2] }))
        };
        let found = read(line).unwrap();
        assert_eq!((found.lines[0].line.as_str(), found.lines[0].seq), (line, 7));
        assert!(read(&line.replace(",\"uid", ",\n\"uid")).is_err());
    }
}
