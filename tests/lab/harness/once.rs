//! What takes long to make and is used by several tests, one at a time.

use super::world::lock;
use anyhow::{Result, anyhow};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Made by whoever asks first, whose failure is everybody's.
pub struct Once<T>(OnceLock<Result<Mutex<T>, String>>);

impl<T> Once<T> {
    pub const fn new() -> Self {
        Once(OnceLock::new())
    }

    pub fn get(&self, make: impl FnOnce() -> Result<T>) -> Result<MutexGuard<'_, T>> {
        let made = self.0.get_or_init(|| make().map(Mutex::new).map_err(|error| format!("{error:#}")));
        made.as_ref().map(lock).map_err(|why| anyhow!("{why}"))
    }

    /// If it is made, and nobody uses it.
    fn idle(&self) -> Option<MutexGuard<'_, T>> {
        self.0.get()?.as_ref().ok()?.try_lock().ok()
    }
}

/// Several of a kind, for a table whose tests would wait for each other on one; the second is made
/// once the first is in use.
pub struct Pool<T, const N: usize> {
    all: [Once<T>; N],
    next: AtomicUsize,
}

impl<T, const N: usize> Pool<T, N> {
    pub const fn new() -> Self {
        Pool { all: [const { Once::new() }; N], next: AtomicUsize::new(0) }
    }

    /// `make` is told the number of the one to be made.
    pub fn get(&self, make: impl FnOnce(usize) -> Result<T>) -> Result<MutexGuard<'_, T>> {
        if let Some(idle) = self.all.iter().find_map(Once::idle) {
            return Ok(idle);
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed) % N;
        self.all[at].get(|| make(at))
    }
}
