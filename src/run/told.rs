//! A program of the operator's, sent to a host and asked once: what it says, in JSON.

use super::session::Session;
use super::{Event, Job, RunError, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use serde::Deserialize;
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

/// What is at work on the host's backups, and how far it is.
#[derive(Debug, Deserialize)]
struct Progress {
    what: String,
    done: u64,
    of: u64,
}

const PROGRESS: &str = include_str!("../../remote/run/progress.py");
/// Before whoever waits is told, and between two times.
const PAUSE: Duration = Duration::from_secs(2);

impl Job {
    /// The same of a program that lets the host's backups be worked on: whoever watches is told how
    /// far that is.
    pub(super) async fn told_of_progress<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &str,
        program: Text,
        patience: Duration,
        watch: &Watch,
    ) -> Result<T, RunError> {
        let done = Box::pin(self.told(name, what, program, patience, watch));
        tokio::select! {
            done = done => done,
            never = Box::pin(self.look_at_progress(watch)) => never,
        }
    }

    /// For as long as somebody waits; that it cannot be seen is no error.
    async fn look_at_progress(&self, watch: &Watch) -> ! {
        tokio::time::sleep(PAUSE).await;
        let argv = ["python3", "-I", "-"].map(str::to_owned).to_vec();
        let act = Act::Run { argv, stdin: Some(Text::open(PROGRESS)) };
        loop {
            if let Ok(ssh) = self.connect(watch).await {
                while let Ok(frame) = ssh.ask("progress", &act).await {
                    if let Ok(Some(Progress { what, done, of })) = serde_json::from_slice(&frame.out) {
                        watch(&self.name, Event::Progress { done, of, what });
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// A program that ends with a call of a function of its own; secret as what it is called with.
pub(super) fn called(program: &str, function: &str, text: &str) -> Result<Text, Fault> {
    // A string of JSON is one of Python, too.
    let literal = serde_json::to_string(text).map_err(|error| Fault::new(error.to_string()))?;
    Ok(Text::secret(format!("{program}\n{function}({literal})\n")))
}
