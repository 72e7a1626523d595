//! A program of the operator's, sent to a host and asked once: what it says, in JSON.

use super::session::Session;
use super::{Job, RunError, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Session<'_> {
    /// What a program says, in JSON.
    pub(super) async fn told<T: DeserializeOwned>(
        &mut self,
        name: &str,
        what: &str,
        program: Text,
        patience: Duration,
    ) -> Result<T, RunError> {
        let argv = ["python3", "-I", "-"].map(str::to_owned).to_vec();
        let frame = self.long_frame(name, &Act::Run { argv, stdin: Some(program) }, patience).await?;
        if frame.rc != 0 {
            let said = frame.error_text();
            let last = said.lines().last().unwrap_or("it said nothing").to_owned();
            return Err(self.host_error(Fault::new(last).at(what)));
        }
        serde_json::from_slice(&frame.out)
            .map_err(|error| self.host_error(Fault::new(format!("its answer cannot be parsed: {error}")).at(what)))
    }
}

impl Job {
    /// The same over a connection of its own.
    pub(super) async fn told<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &str,
        program: Text,
        patience: Duration,
        watch: &Watch,
    ) -> Result<T, RunError> {
        let mut session = Session::open(self, watch).await?;
        let said = session.told(name, what, program, patience).await;
        session.close().await;
        said
    }
}

/// A program that ends with a call of a function of its own; secret as what it is called with.
pub(super) fn called(program: &str, function: &str, text: &str) -> Result<Text, Fault> {
    // A string of JSON is one of Python, too.
    let literal = serde_json::to_string(text).map_err(|error| Fault::new(error.to_string()))?;
    Ok(Text::secret(format!("{program}\n{function}({literal})\n")))
}
