//! File locks, so that several `lab up` at once neither build an image twice nor share an address.
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Held until dropped; the kernel drops it for a process that dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Waits for the lock, saying so once when somebody else has it.
pub async fn acquire(path: &Path, what: &str, say: super::Say<'_>) -> Result<Lock> {
    const PATIENCE: Duration = Duration::from_secs(900);
    let file = open(path)?;
    let started = Instant::now();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        if !told {
            say(&format!("waiting for another petasos: {what}"));
            told = true;
        }
        if started.elapsed() > PATIENCE {
            let (place, seconds) = (path.display(), PATIENCE.as_secs());
            bail!(
                Fault::new(format!("another petasos has held `{place}` for {seconds} s ({what})"))
                    .hint(format!("`fuser {place}` names it"))
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether somebody holds the lock right now.
pub fn taken(path: &Path) -> bool {
    open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

pub fn open(path: &Path) -> Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open the lock `{}`", path.display()))
}
