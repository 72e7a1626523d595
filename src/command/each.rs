//! Something done for every host, several at once.

use super::hosts::HostArgs;
use crate::run::{Job, RunError, Watch};
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
    let watch = args.watch(&names, args.json);
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
