//! Reports: text for people, JSON for programs.

use crate::plan::{Plan, Step};
use crate::run::Outcome;
use similar::TextDiff;

/// `1 change`, `2 changes`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `980 B`, `12 KiB`, `3.4 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if value < 10.0 && unit != "B" { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// What would change, or did.
pub fn plan(outcome: &Outcome, diff: bool, done: bool) -> String {
    let mut text = String::new();
    for step in &outcome.plan.steps {
        text.push_str(&step_line(step));
        if let Some((before, after)) = step.change.texts.as_ref().filter(|_| diff) {
            text.push_str(&unified(before, after));
        }
    }
    for unknown in &outcome.plan.unknown {
        text.push_str(&format!("  ? {}: {}\n", unknown.id, unknown.why));
    }
    let more = outcome.second_pass.len();
    for step in &outcome.second_pass {
        text.push_str(&step_line(step));
    }
    let verb = if done { "" } else { " to make" };
    text.push_str(&format!(
        "{} ({}, {}): {}{verb}, {} unchanged; {:.1} s, {}\n",
        outcome.host,
        outcome.address,
        outcome.system,
        count(outcome.plan.steps.len() + more, "change"),
        outcome.plan.met,
        outcome.seconds,
        count(outcome.round_trips, "round trip"),
    ));
    text
}

fn step_line(step: &Step) -> String {
    let change = &step.change;
    format!("  ~ {}: {}: {} -> {}\n", step.id, change.field, one_line(&change.from), one_line(&change.to))
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

fn unified(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(2).to_string();
    text.lines().map(|line| format!("      {line}\n")).collect()
}

/// Whether a plan is empty, drifts or could not be observed, as an exit code.
pub fn plan_code(plan: &Plan) -> u8 {
    match (plan.steps.is_empty(), plan.unknown.is_empty()) {
        (true, true) => super::exit::DONE,
        (_, false) => super::exit::UNOBSERVED,
        (false, true) => super::exit::DRIFT,
    }
}

/// Aligned rows of two columns.
pub fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(left, right)| format!("  {left:width$}  {right}\n")).collect()
}
