//! The progress bars that are drawn now, so that nothing is printed into them.

use indicatif::MultiProgress;
use std::sync::{Mutex, PoisonError};

static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// From now on these are drawn.
pub fn drawn(bars: &MultiProgress) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars.clone());
}

/// Does something on the terminal while no bar is drawn.
pub fn aside<T>(what: impl FnOnce() -> T) -> T {
    let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bars {
        Some(bars) => bars.suspend(what),
        None => what(),
    }
}
