//! The real thing: `petasos` as a user runs it, against lab hosts. The daemon, the kernel or the
//! refused login is the judge, never our own parser.
//!
//! It needs Linux and root. `cargo test -- --skip lab`, or `PETASOS_LAB=off`, leaves it out on
//! purpose. What takes minutes is ignored by default, each test for a reason that a run prints at
//! its end: `cargo test --test lab -- --include-ignored`.

mod badday;
mod boot;
mod breaks;
mod crash;
mod drift;
mod drifts;
mod effects;
mod errors;
mod fresh;
mod guard;
mod harness;
mod inside;
mod names;
mod providers;
mod reach;
mod release;
mod secrets;
mod telegram;
mod tricks;
mod verify;
mod ways;

use harness::world;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// Lanes have hosts of their own: what stands in one lane waits for each other, the lanes do not.
/// So many are at work at once: more of them on two cores, and an agent's start takes longer than
/// the patience with it.
const AT_ONCE: usize = 5;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    if std::env::var("PETASOS_LAB").is_ok_and(|word| word == "off") {
        eprintln!("\nNOT TESTED: PETASOS_LAB=off leaves out every test on real hosts\n");
        return ExitCode::SUCCESS;
    }
    args.test_threads.get_or_insert(AT_ONCE);
    let shared = [fresh::trials(), inside::trials(), secrets::trials(), boot::trials(), drift::trials("trixie")];
    let shared = shared.into_iter().flatten().collect();
    let bookworm = drift::trials("bookworm");
    let lanes = [
        shared,
        release::trials(),
        providers::trials(),
        errors::trials(),
        bookworm,
        guard::trials(),
        effects::trials(),
        ways::trials(),
        reach::trials(),
        badday::trials(),
        crash::trials(),
        names::trials(),
        tricks::trials(),
        telegram::trials(),
        verify::trials(),
    ];
    let trials = in_turn(lanes.map(Vec::into_iter).into());
    let wanted = |trial: &Trial| !args.is_filtered_out(trial) && !args.is_ignored(trial);
    if !args.list
        && trials.iter().any(wanted)
        && let Err(error) = world::open()
    {
        eprintln!("error: the lab tests cannot run: {error:#}");
        eprintln!("hint: `cargo test -- --skip lab` or PETASOS_LAB=off leaves them out on purpose");
        return ExitCode::FAILURE;
    }
    let left_out = harness::left_out(&args, &trials);
    let conclusion = libtest_mimic::run(&args, trials);
    eprint!("{}{left_out}", harness::slowest());
    world::close();
    conclusion.exit_code()
}

/// One of each lane after the other, so that no lane waits for another's end.
fn in_turn(mut lanes: Vec<std::vec::IntoIter<Trial>>) -> Vec<Trial> {
    let mut trials = Vec::new();
    while !lanes.is_empty() {
        lanes.retain_mut(|lane| lane.next().map(|trial| trials.push(trial)).is_some());
    }
    trials
}
