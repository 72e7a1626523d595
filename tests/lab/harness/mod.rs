//! What the tables have in common: hosts, a user's desk, and the hosts that they share.

mod desk;
mod found;
mod host;
mod ignored;
pub mod left;
mod once;
mod shared;
pub mod world;

pub use desk::{Desk, SECRET, SMALL, lab_key, lock_of, ssh_config};
pub use found::{Row, SAME_KIND, WHOLE, converges, holds, rows, slow_row};
pub use host::{Host, Said};
pub use ignored::{ignored, left_out, slow};
pub use once::{Once, Pool};
pub use shared::{First, Shared, converged, first, ready, ready_machine, ready_on, shared};

use libtest_mimic::{Failed, Trial};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long each test took, with the waiting for its host.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// A test with a name under `lab::`, so that `--skip lab` leaves it out.
pub fn trial(name: &str, test: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    let name = format!("lab::{name}");
    Trial::test(name.clone(), move || {
        let began = Instant::now();
        let done = test().map_err(|error| Failed::from(format!("{error:#}")));
        world::lock(&TIMES).push((began.elapsed(), name));
        done
    })
}

/// The tests that took longest, for people.
pub fn slowest() -> String {
    let mut times = world::lock(&TIMES).clone();
    times.sort_by(|a, b| b.cmp(a));
    times.iter().take(30).map(|(took, name)| format!("{:6.1} s  {name}\n", took.as_secs_f64())).collect()
}
