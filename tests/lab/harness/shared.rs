//! The converged hosts that most tables share: one of each suite, made by one `petasos up` for
//! both.

use super::world::lock;
use super::{Desk, Host, Said};
use anyhow::{Context, Result, anyhow};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// A converged host, and the desk that it is looked after from.
pub struct Shared {
    pub host: Host,
    pub desk: Desk,
}

pub struct Both {
    trixie: Mutex<Shared>,
    bookworm: Mutex<Shared>,
    /// The desk that has both, and what the first run said.
    pub desk: Desk,
    pub first: Said,
}

/// Both hosts; whoever comes first waits for their first run.
pub fn both() -> Result<&'static Both> {
    static BOTH: OnceLock<Result<Both, String>> = OnceLock::new();
    BOTH.get_or_init(|| make().map_err(|error| format!("{error:#}"))).as_ref().map_err(|why| anyhow!("{why}"))
}

fn make() -> Result<Both> {
    let hosts = [Host::fresh("trixie", "trixie")?, Host::fresh("bookworm", "bookworm")?];
    let desk = Desk::of(&hosts.each_ref())?;
    let first = desk.petasos(&["up"])?;
    let [trixie, bookworm] = hosts.map(|host| Ok::<_, anyhow::Error>(Shared { desk: Desk::of(&[&host])?, host }));
    Ok(Both { trixie: Mutex::new(trixie?), bookworm: Mutex::new(bookworm?), desk, first })
}

/// The converged host of a suite, for one test at a time.
pub fn shared(suite: &str) -> Result<MutexGuard<'static, Shared>> {
    let both = both()?;
    anyhow::ensure!(both.first.code == 0, "the first `petasos up` failed:\n{}", both.first.all());
    Ok(lock(match suite {
        "trixie" => &both.trixie,
        "bookworm" => &both.bookworm,
        other => return Err(anyhow!("no shared host runs {other}")),
    }))
}

impl Shared {
    /// The one report of a run with `--json`.
    pub fn report(said: &Said) -> Result<serde_json::Value> {
        let reports: serde_json::Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
        reports.get(0).cloned().with_context(|| said.all())
    }
}
