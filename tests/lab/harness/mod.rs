//! What the tables have in common: hosts, a user's desk, and the hosts that they share.

mod desk;
mod host;
mod shared;
pub mod world;

pub use desk::{Desk, SECRET, lab_key, lock_of, ssh_config};
pub use host::{Host, Said};
pub use shared::{Shared, both, shared};

use libtest_mimic::{Failed, Trial};

/// A test with a name under `lab::`, so that `--skip lab` leaves it out.
pub fn trial(name: &str, test: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    Trial::test(format!("lab::{name}"), move || test().map_err(|error| Failed::from(format!("{error:#}"))))
}
