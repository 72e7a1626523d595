//! A word with the agent, through its own API, which listens on the host's loopback only: an SSH
//! tunnel leads there.

use super::{Job, RunError, Session, Watch};
use crate::act::Act;
use crate::addresses::API_PORT;
use crate::fault::Fault;
use serde_json::{Value, json};
use std::time::Duration;

impl Job {
    /// Asks the agent each question, in an own conversation, and returns its answers.
    ///
    /// # Errors
    /// When the host or the agent does not answer.
    pub async fn chat(&self, questions: &[&str], watch: &Watch) -> Result<Vec<String>, RunError> {
        let mut session = Session::open(self, watch).await?;
        let key = Act::run(["sed", "-n", "s/^API_SERVER_KEY=//p", "/etc/hermes/secrets.env"]);
        let key = session.first_frame("key", &key).await?.text().trim().to_owned();
        let failed = |why: Fault| self.host_error(why.at("the agent's API"));
        if key.is_empty() {
            return Err(failed(Fault::new("the host has no API key yet").hint("run `petasos up` first")));
        }
        let port = session.connection.forward(API_PORT).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(120))
            .build()
            .map_err(|error| failed(Fault::new(error.to_string())))?;
        let mut answers = Vec::new();
        for question in questions {
            let request = client
                .post(format!("http://127.0.0.1:{port}/v1/chat/completions"))
                .bearer_auth(&key)
                .json(&json!({ "model": "hermes-agent", "messages": [{ "role": "user", "content": question }] }));
            let answer = async { request.send().await?.error_for_status()?.json::<Value>().await }.await;
            let answer = answer.map_err(|error| failed(Fault::new(error.to_string())))?;
            let content = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
            answers.push(
                content.ok_or_else(|| failed(Fault::new(format!("an answer without content: {answer}"))))?.to_owned(),
            );
        }
        session.close().await;
        Ok(answers)
    }
}
