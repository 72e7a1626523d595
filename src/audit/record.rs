//! A line of the log, as far as people ask for it. Who wrote the words in it is whoever talked to
//! the agent.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line, with what it is not sure to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub seq: u64,
    pub time: String,
    pub event: String,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// The line as it stands in the log, without its end; empty where no log was read.
    #[serde(skip)]
    pub line: String,
}

/// The events that the writer and the policy know, as docs/audit.md explains them.
pub const EVENTS: [&str; 14] = [
    "approval",
    "approval_request",
    "audit_dropped",
    "audit_file",
    "audit_start",
    "budget",
    "command_denied",
    "message",
    "model_call",
    "model_result",
    "policy",
    "stranger",
    "tool_call",
    "tool_result",
];

impl Record {
    /// A line of the log.
    ///
    /// # Errors
    /// When it is no line, or none of the log.
    pub fn read(line: String) -> Result<Self, Fault> {
        if line.contains(['\n', '\r']) {
            return Err("a line of the log has a line break in it".into());
        }
        let record: Self = serde_json::from_str(&line).map_err(|error| Fault::new(error.to_string()))?;
        Ok(Self { line, ..record })
    }

    /// A field as text: a user is a number to one platform and a name to another.
    pub fn text(&self, field: &str) -> String {
        match self.fields.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// `telegram 12345`; empty where nobody in particular asked.
    pub fn who(&self) -> String {
        [self.text("platform"), self.text("user")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
