//! The page's sentences: a verdict, a headline, a tally, each written in one place.

use crate::ui::report::count;
use crate::verify::report::{Check, ControlStatus, HostReport};
use serde::Serialize;

/// The order of every table of counts.
pub const VERDICTS: [ControlStatus; 4] =
    [ControlStatus::Met, ControlStatus::NotMet, ControlStatus::Unobserved, ControlStatus::Planned];

/// A piece of a sentence; what stood between backticks is code.
#[derive(Clone, Serialize)]
pub struct Part {
    pub code: bool,
    pub text: String,
}

/// A verdict as a mark, a label and a colour: any one of them is enough.
#[derive(Clone, Serialize)]
pub struct Sign {
    pub class: &'static str,
    pub mark: &'static str,
    pub label: &'static str,
}

pub fn sign(verdict: ControlStatus) -> Sign {
    let (class, mark, label) = match verdict {
        ControlStatus::Met => ("met", "✓", "met"),
        ControlStatus::NotMet => ("not-met", "✕", "not met"),
        ControlStatus::Unobserved => ("unobserved", "?", "not observed"),
        ControlStatus::Planned => ("planned", "–", "not in this version"),
    };
    Sign { class, mark, label }
}

pub fn meaning(verdict: ControlStatus) -> &'static str {
    match verdict {
        ControlStatus::Met => "Every check gave the expected result, and the probe of every attack was seen to work.",
        ControlStatus::NotMet => "At least one check gave another result.",
        ControlStatus::Unobserved => {
            "At least one check could not be made, or its probe was not seen to work. Nothing is claimed."
        }
        ControlStatus::Planned => "The hardening checklist asks for it; this version of Petasos does not set it up.",
    }
}

pub fn overall(hosts: &[HostReport], worst: ControlStatus) -> String {
    match hosts {
        [] => "No host was checked".to_owned(),
        [host] => of_host(host),
        hosts => {
            let so = hosts.iter().filter(|host| host.verdict == worst).count();
            let all = hosts.len();
            match worst {
                ControlStatus::NotMet => format!("Controls are not met on {so} of {all} hosts"),
                ControlStatus::Unobserved => format!("Not everything could be observed on {so} of {all} hosts"),
                ControlStatus::Met | ControlStatus::Planned => {
                    format!("Every control that was tried is met on all {all} hosts")
                }
            }
        }
    }
}

/// A headline of what was tried must not pass for one of the whole checklist.
pub fn untried(hosts: &[HostReport]) -> String {
    let planned =
        |host: &HostReport| host.controls.iter().filter(|control| control.verdict == ControlStatus::Planned).count();
    match hosts.iter().map(planned).max().unwrap_or_default() {
        0 => String::new(),
        1 => "1 more control of the checklist is not in this version of Petasos, and was not tried".to_owned(),
        many => format!("{many} more controls of the checklist are not in this version of Petasos, and were not tried"),
    }
}

pub fn of_host(host: &HostReport) -> String {
    if host.error.is_some() {
        return "The host could not be checked".to_owned();
    }
    let [met, bad, blind, planned] = counts(host);
    let tried = count(met + bad + blind, "control");
    match (met + bad + blind, bad, blind) {
        (0, ..) => "No control was tried".to_owned(),
        (1, 0, 0) => "The one control that was tried is met".to_owned(),
        (_, 0, 0) if planned == 0 => format!("All {tried} are met"),
        (_, 0, 0) => format!("All {tried} that were tried are met"),
        (_, 0, blind) => format!("{blind} of {tried} could not be observed; the others are met"),
        (_, bad, 0) => format!("{bad} of {tried} {} not met", if bad == 1 { "is" } else { "are" }),
        (_, bad, blind) => format!(
            "{bad} of {tried} {} not met, and {blind} could not be observed",
            if bad == 1 { "is" } else { "are" }
        ),
    }
}

pub fn counts(host: &HostReport) -> [usize; 4] {
    VERDICTS.map(|verdict| host.controls.iter().filter(|control| control.verdict == verdict).count())
}

pub fn tally(checks: &[Check]) -> String {
    let of = |verdict| checks.iter().filter(|check| check.result == verdict).count();
    let mut text = format!("{}, {} as expected", count(checks.len(), "check"), of(ControlStatus::Met));
    for (verdict, label) in [(ControlStatus::NotMet, "otherwise"), (ControlStatus::Unobserved, "not observed")] {
        if of(verdict) > 0 {
            text.push_str(&format!(", {} {label}", of(verdict)));
        }
    }
    text
}

/// A text cut at its backticks; an odd one is a letter as any other.
pub fn parts(text: &str) -> Vec<Part> {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return vec![Part { code: false, text: text.to_owned() }];
    }
    let part = |(at, piece): (usize, &&str)| Part { code: at % 2 == 1, text: (*piece).to_owned() };
    pieces.iter().enumerate().map(part).filter(|part| !part.text.is_empty()).collect()
}
