//! The real thing: `petasos` as a user runs it, against lab hosts. The daemon, the kernel or the
//! refused login is the judge, never our own parser.
//!
//! It needs Linux and root. `cargo test -- --skip lab`, or `PETASOS_LAB=off`, leaves it out on
//! purpose. What takes minutes is ignored by default, each test for a reason that a run prints at
//! its end: `cargo test --test lab -- --include-ignored`.

mod backup;
mod badday;
mod boot;
mod breaks;
mod changes;
mod crash;
mod disk;
mod drift;
mod drifts;
mod effects;
mod errors;
mod firewalls;
mod floods;
mod fresh;
mod guard;
mod harness;
mod hostile;
mod incident;
mod inside;
mod like;
mod logins;
mod names;
mod newcomer;
mod policy;
mod ports;
mod providers;
mod reach;
mod release;
mod reports;
mod scanners;
mod secrets;
mod smoke;
mod snapshot;
mod telegram;
mod tricks;
mod verify;
mod vm;
mod ways;
mod works;

use harness::world;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// So many tests are at work at once: more of them on two cores, and an agent's start takes longer
/// than the patience with it.
const AT_ONCE: usize = 5;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    if std::env::var("PETASOS_LAB").is_ok_and(|word| word == "off") {
        eprintln!("\nNOT TESTED: PETASOS_LAB=off leaves out every test on real hosts\n");
        return ExitCode::SUCCESS;
    }
    args.test_threads.get_or_insert(AT_ONCE);
    let shared =
        [fresh::trials(), inside::trials(), secrets::trials(), boot::trials(), providers::trials(), changes::trials()];
    // What starts from the converged host comes after those that need not wait for it.
    let lanes = [
        shared.into_iter().flatten().collect(),
        smoke::trials().into_iter().chain(snapshot::trials()).collect(),
        crash::trials(),
        ways::trials(),
        badday::trials(),
        [
            backup::trials(),
            backup::alarm::trials(),
            backup::days::trials(),
            backup::elsewhere::trials(),
            backup::heals::trials(),
            backup::incident::trials(),
            backup::proof::trials(),
            backup::verbs::trials(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        reach::trials().into_iter().chain(ports::trials()).chain(reports::trials()).collect(),
        firewalls::trials(),
        logins::trials().into_iter().chain(like::trials()).collect(),
        release::trials(),
        scanners::trials(),
        guard::trials(),
        incident::trials(),
        effects::trials(),
        errors::trials(),
        newcomer::trials(),
        works::trials(),
        floods::trials(),
        disk::trials(),
        hostile::trials(),
        drift::trials("trixie"),
        verify::trials(),
        names::trials().into_iter().chain(tricks::trials()).collect(),
        telegram::trials(),
        policy::trials(),
        vm::trials(),
        drift::trials("bookworm"),
    ];
    let trials = spread(lanes.into(), |trial| args.is_ignored(trial));
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
    if let Err(error) = world::close() {
        eprintln!("error: the lab tests leave something behind: {error:#}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Tests of a lane wait for each other's hosts, the lanes do not: those of each lane come as far
/// apart as they can, and all lanes end together.
fn spread(lanes: Vec<Vec<Trial>>, ignored: impl Fn(&Trial) -> bool) -> Vec<Trial> {
    let mut placed = Vec::new();
    for lane in lanes {
        let (left_out, run): (Vec<Trial>, Vec<Trial>) = lane.into_iter().partition(&ignored);
        let count = run.len().max(1);
        placed.extend(left_out.into_iter().map(|trial| (0, trial)));
        placed.extend(run.into_iter().enumerate().map(|(at, trial)| (at * 10_000 / count, trial)));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, trial)| trial).collect()
}
