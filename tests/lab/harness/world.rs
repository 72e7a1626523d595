//! The lab, opened once, and emptied at the end: by [`close`], or by the reaper when this process
//! dies of anything else.

use super::left;
use anyhow::{Context, Result, bail};
use petasos::lab::{InternetHold, Lab};
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::runtime::Runtime;

pub const PETASOS: &str = env!("CARGO_BIN_EXE_petasos");

/// Reads names until this process is gone, then takes those hosts down, and removes those snapshots
/// (`+name`). Ctrl-C reaches it too, and must not end it.
const REAPER: &str = r#"trap '' INT HUP TERM
hosts='' snapshots=''
while read -r name; do
    case $name in
    # The later ones may lie on the earlier ones.
    +*) snapshots="${name#+} $snapshots" ;;
    *) hosts="$hosts $name" ;;
    esac
done
status=0
[ -z "$hosts" ] || "$0" lab down $hosts || status=$?
[ -z "$snapshots" ] || "$0" lab snapshots --remove $snapshots || status=$?
exit "$status""#;

pub struct World {
    pub lab: Lab,
    pub runtime: Runtime,
    internet: Mutex<Option<InternetHold>>,
    reaper: Mutex<Option<(Child, ChildStdin)>>,
}

/// What a run takes of the disk at most, in bytes.
const ROOM: u64 = 8 << 30;

static WORLD: OnceLock<World> = OnceLock::new();

/// Opens the lab.
pub fn open() -> Result<()> {
    let lab = Lab::open()?;
    lab.has_room(ROOM)?;
    let runtime = Runtime::new().context("cannot start the async runtime")?;
    let hold = runtime.block_on(lab.internet_up(&mut |line| eprintln!("{line}")))?;
    let mut child = Command::new("sh").args(["-c", REAPER, PETASOS]).stdin(Stdio::piped()).spawn()?;
    let names = child.stdin.take().context("the reaper has no input")?;
    let world = World { lab, runtime, internet: Mutex::new(Some(hold)), reaper: Mutex::new(Some((child, names))) };
    WORLD.set(world).ok().context("the lab was opened twice")
}

/// The opened lab.
pub fn world() -> &'static World {
    WORLD.get().expect("`main` opens the lab before any test runs")
}

/// A lock that a failed test leaves usable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names a host, or with a `+` before it a snapshot, that must not outlive this process.
pub fn reap(name: &str) -> Result<()> {
    match lock(&world().reaper).as_mut() {
        Some((_, names)) => writeln!(names, "{name}").context("the reaper is gone"),
        None => bail!("the lab is closed"),
    }
}

/// Takes all named hosts down, and waits until they are gone; with the last host on this machine,
/// the internet must be gone too.
pub fn close() -> Result<()> {
    let Some(world) = WORLD.get() else { return Ok(()) };
    // With the last host the internet goes too, unless somebody holds it.
    drop(lock(&world.internet).take());
    if let Some((mut child, names)) = lock(&world.reaper).take() {
        drop(names);
        if !child.wait().is_ok_and(|status| status.success()) {
            bail!("not every lab host was removed: see `petasos lab list`");
        }
    }
    // Somebody else's hosts may run, and keep it.
    match world.runtime.block_on(world.lab.list())?.is_empty() {
        true => left::of(&left::INTERNET),
        false => Ok(()),
    }
}
