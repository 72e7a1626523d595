//! Tests that a plain run leaves out, each with its reason: nothing is skipped in silence.

use super::{trial, world::lock};
use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeMap;
use std::sync::Mutex;

static REASONS: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());

/// The trial, ignored by default for this reason. `house.rs` holds every test file to this way of
/// ignoring one.
pub fn ignored(trial: Trial, reason: &'static str) -> Trial {
    lock(&REASONS).insert(trial.name().to_owned(), reason);
    trial.with_ignored_flag(true)
}

const SLOW: &str = "it takes two minutes; `.ci/run` runs it: `cargo test --test lab -- --ignored slow::`";

/// A trial that the gate runs, and a plain run leaves out, so that this is over in a quarter of an
/// hour.
pub fn slow(name: &str, test: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    ignored(trial(&format!("slow::{name}"), test), SLOW)
}

/// What a run with these arguments leaves out: how many tests for which reason, and with `--list`
/// each by its name.
pub fn left_out(args: &Arguments, trials: &[Trial]) -> String {
    let out = trials.iter().filter(|trial| !args.is_filtered_out(trial) && args.is_ignored(trial));
    let names: Vec<&str> = out.map(Trial::name).collect();
    if names.is_empty() {
        return String::new();
    }
    let reasons = lock(&REASONS);
    let reason = |name: &str| reasons.get(name).copied().unwrap_or("no reason given");
    let lines: Vec<String> = if args.list {
        names.iter().map(|name| format!("  {name}: {}", reason(name))).collect()
    } else {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        names.iter().for_each(|name| *counts.entry(reason(name)).or_default() += 1);
        counts.iter().map(|(reason, count)| format!("{count:4}  {reason}")).collect()
    };
    let head = format!("tests not run by default: {}; `--include-ignored` runs them too", names.len());
    format!("{head}\n{}\n", lines.join("\n"))
}
