//! Something done for every host, several at once; and one report of all.

use super::hosts::HostArgs;
use crate::run::{Job, RunError, Watch};
use crate::ui::{self, exit};
use anyhow::Result;
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What came of one host.
pub struct Done<T, O> {
    pub job: Arc<Job>,
    /// What was known of it beforehand.
    pub about: Arc<T>,
    pub result: Result<O, RunError>,
}

/// In the order of the hosts; one host's failure does not stop the others.
pub async fn each<T, O, F, R>(jobs: Vec<(Job, T)>, args: &HostArgs, run: F) -> Vec<Done<T, O>>
where
    T: Send + Sync + 'static,
    O: Send + 'static,
    F: Fn(Arc<Job>, Arc<T>, Watch) -> R + Clone + Send + 'static,
    R: Future<Output = Result<O, RunError>> + Send,
{
    let names: Vec<String> = jobs.iter().map(|(job, _)| job.name.clone()).collect();
    each_watched(jobs, args, args.watch(&names, args.json), run).await
}

/// The same, for a watch of the caller's own.
pub async fn each_watched<T, O, F, R>(jobs: Vec<(Job, T)>, args: &HostArgs, watch: Watch, run: F) -> Vec<Done<T, O>>
where
    T: Send + Sync + 'static,
    O: Send + 'static,
    F: Fn(Arc<Job>, Arc<T>, Watch) -> R + Clone + Send + 'static,
    R: Future<Output = Result<O, RunError>> + Send,
{
    let places = Arc::new(Semaphore::new(args.parallel.max(1)));
    let mut tasks = JoinSet::new();
    for (index, (job, about)) in jobs.into_iter().enumerate() {
        let (run, watch, places) = (run.clone(), watch.clone(), places.clone());
        let (job, about) = (Arc::new(job), Arc::new(about));
        tasks.spawn(async move {
            // The semaphore is never closed; without a place the host would still be served.
            let _place = places.acquire().await;
            let result = run(job.clone(), about.clone(), watch).await;
            (index, Done { job, about, result })
        });
    }
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, done)| done).collect()
}

/// A text for each host, or its value in one JSON object of all; where a host failed, its error.
/// The exit code is the worst.
///
/// # Errors
/// When the report cannot be written.
pub fn report<T, O>(
    done: Vec<Done<T, O>>,
    as_json: bool,
    value: impl Fn(&T, &O) -> serde_json::Result<Value>,
    text: impl Fn(&Job, &T, &O) -> String,
) -> Result<ExitCode> {
    let (mut all, mut codes) = (Map::new(), Vec::new());
    for Done { job, about, result } in done {
        match &result {
            Ok(result) if as_json => drop(all.insert(job.name.clone(), value(&about, result)?)),
            Ok(result) => ui::out(&text(&job, &about, result))?,
            Err(error) => {
                codes.push(exit::of_run(error));
                ui::error(&error.fault());
                all.insert(job.name.clone(), Value::Object(failure(error)));
            }
        }
    }
    if as_json {
        ui::json(&all)?;
    }
    Ok(ExitCode::from(exit::worst(codes)))
}

/// What the JSON report has for a host that failed.
pub fn failure(error: &RunError) -> Map<String, Value> {
    let fault = error.fault();
    let mut failure = Map::new();
    failure.insert("error".into(), fault.message.into());
    failure.insert("exit".into(), exit::of_run(error).into());
    failure.extend(fault.hint.map(|hint| ("hint".to_owned(), hint.into())));
    failure
}
