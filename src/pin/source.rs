//! The Python of a pinned commit, for the structural check: read from git's objects, never from a
//! checkout, and never run.
use super::git::Repo;
use crate::review::python::{self, Module};
use crate::review::{self, Other, Table};
use anyhow::{Context, bail};
use std::collections::BTreeMap;

/// A commit's sources, read.
#[derive(Debug, Default)]
pub struct Source {
    pub modules: Vec<Module>,
    /// Files that are no Python sources.
    pub others: Vec<Other>,
    /// The digest of each source, by module.
    pub digests: BTreeMap<String, String>,
}

/// Reads what `table` has the check look at.
///
/// # Errors
/// git fails, or takes too long.
pub async fn read(repo: &Repo<'_>, commit: &str, table: &Table) -> anyhow::Result<Source> {
    let mut source = Source::default();
    let mut wanted = Vec::new();
    for entry in repo.files(commit).await? {
        let is_link = entry.is_link();
        if is_link || !entry.path.ends_with(".py") {
            source.others.push(Other { path: entry.path, is_link });
        } else if review::in_scope(table, &entry.path) {
            wanted.push(entry);
        }
    }
    let ids: Vec<&str> = wanted.iter().map(|entry| entry.id.as_str()).collect();
    let blobs = repo.blobs(&ids).await?;
    if blobs.len() != wanted.len() {
        bail!("git has {} of the {} sources of {commit}", blobs.len(), wanted.len());
    }
    let files: Vec<(String, Vec<u8>)> = wanted.into_iter().map(|entry| entry.path).zip(blobs).collect();
    let reading = tokio::task::spawn_blocking(move || parse(&files));
    let read = reading.await.context("reading the sources failed")?;
    for (module, digest) in read {
        source.digests.insert(module.name.clone(), digest);
        source.modules.push(module);
    }
    Ok(source)
}

/// All files, on all processors.
fn parse(files: &[(String, Vec<u8>)]) -> Vec<(Module, String)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        while let Some((path, text)) = files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            read.push((python::read(path, text), super::git::sha256(text)));
        }
        read
    };
    let mut all: Vec<(Module, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    all.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    all
}
