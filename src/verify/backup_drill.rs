//! backup.drill: a backup is one when it was restored.

use super::answer::FoundDrill;
use super::attack::inspection;
use super::backup_nightly;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, no_attacks};

pub const CONTROL: Control = Control {
    id: "backup.drill",
    group: "Backups and incidents",
    title: "Restore drill",
    claim: "Every quarter of a year the last good backup is restored out of the vault, each database is compared with what was backed up, and the agent starts on it.",
    attacks: no_attacks,
    inspections,
    short: backup_nightly::undeclared,
    limits: "restored on the host itself, with its own key; `petasos backup drill --with-escrow` takes the operators' key",
    how: Some("`petasos backup drill` makes one now"),
};

/// How old the last good drill may be, in seconds: a quarter of a year, and the fortnight in which
/// each host has its own moment.
const STALE_SECS: i64 = 107 * 86_400;

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    if claims.vault.is_none() {
        return Vec::new();
    }
    let found = || evidence.inspected().drill.found();
    vec![
        inspection("drill.good", "the last drill went well, and not too long ago", found().map(good)),
        inspection(
            "drill.timer",
            "there is a next one",
            found().map(|found| (found.timer == "active enabled", found.timer.clone())),
        ),
    ]
}

fn good(found: &FoundDrill) -> (bool, String) {
    let Some(last) = &found.last else { return (false, "there was none yet".to_owned()) };
    let age = found
        .age
        .map_or("none went well yet".to_owned(), |age| format!("the last good one is {} days old", age / 86_400));
    let recent = found.age.is_some_and(|age| (0..=STALE_SECS).contains(&age));
    match last.outcome.as_str() {
        "good" => (recent, age),
        outcome => (false, format!("the last one failed ({outcome}): {}; {age}", last.why)),
    }
}
