//! A line of the log, as far as people ask for it. Who wrote the words in it is whoever talked to
//! the agent.

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
}

impl Record {
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
