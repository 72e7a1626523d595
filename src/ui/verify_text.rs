//! What `petasos verify` found, as text for a terminal.

use super::exit;
use super::report::count;
use super::visible::line;
use crate::verify::report::{AttackOutcome, Check, ControlReport, ControlStatus, HostReport, Report};

/// All hosts.
pub fn text(report: &Report, verbose: bool) -> String {
    report.hosts.iter().map(|host| of_host(host, verbose)).collect()
}

/// The exit code of a host.
pub fn code(verdict: ControlStatus) -> u8 {
    match verdict {
        ControlStatus::Met | ControlStatus::Planned => exit::DONE,
        ControlStatus::NotMet => exit::DRIFT,
        ControlStatus::Unobserved => exit::UNOBSERVED,
    }
}

fn of_host(host: &HostReport, verbose: bool) -> String {
    if host.error.is_some() {
        return String::new();
    }
    let mut text = format!("{} ({}, {})\n", host.host, host.address, line(&host.system));
    let mut group = "";
    let here = |control: &&ControlReport| control.verdict != ControlStatus::Planned;
    for control in host.controls.iter().filter(here) {
        if control.group != group {
            group = &control.group;
            text.push_str(&format!("  {group}\n"));
        }
        text.push_str(&of_control(control, verbose));
    }
    let planned: Vec<&ControlReport> = host.controls.iter().filter(|control| !here(control)).collect();
    if !planned.is_empty() {
        text.push_str("  Not yet in this version\n");
    }
    for control in planned {
        let how = control.how.as_deref().map_or_else(String::new, |how| format!("; until then: {how}"));
        text.push_str(&format!("    - {:16} {}{how}\n", control.id, control.claim.trim_end_matches('.')));
    }
    text.push_str(&summary(host));
    text
}

fn of_control(control: &ControlReport, verbose: bool) -> String {
    let of = |verdict| control.checks.iter().filter(|check| check.result == verdict).count();
    let total = control.checks.len();
    let tally = match control.verdict {
        ControlStatus::Met => format!("{} of {total}", of(ControlStatus::Met)),
        ControlStatus::NotMet => format!("{} of {total} failed", of(ControlStatus::NotMet)),
        ControlStatus::Unobserved | ControlStatus::Planned => {
            format!("{} of {total} not observed", of(ControlStatus::Unobserved))
        }
    };
    let mut text = format!(
        "    {} {:16} {:12} {} ({tally})\n",
        sign(control.verdict),
        control.id,
        label(control.verdict),
        control.title
    );
    if control.verdict != ControlStatus::Met || verbose {
        if !control.why.is_empty() {
            text.push_str(&format!("        {}\n", line(&control.why)));
        }
        if let Some(how) = &control.how {
            text.push_str(&format!("        hint: {how}\n"));
        }
    }
    let shown =
        |check: &&Check| verbose || (control.verdict != ControlStatus::Met && check.result != ControlStatus::Met);
    // The first fault stands in the reason already.
    let skip = usize::from(!verbose && control.checks.iter().filter(shown).count() == 1);
    for check in control.checks.iter().filter(shown).skip(skip) {
        text.push_str(&of_check(check));
    }
    text
}

fn of_check(check: &Check) -> String {
    let proof = check.control.as_ref().map_or_else(String::new, |proof| {
        format!("\n            control: {}: {}: {}", proof.what, outcome(proof.outcome), line(&proof.detail))
    });
    format!(
        "        {} {}: {}: {}{proof}\n",
        sign(check.result),
        check.what,
        outcome(check.outcome),
        line(&check.detail)
    )
}

fn summary(host: &HostReport) -> String {
    let of = |verdict| host.controls.iter().filter(|control| control.verdict == verdict).count();
    format!(
        "{}: {} met, {} not met, {} not observed, {} not yet; {} with {}; {:.1} s, {}\n",
        host.host,
        of(ControlStatus::Met),
        of(ControlStatus::NotMet),
        of(ControlStatus::Unobserved),
        of(ControlStatus::Planned),
        count(host.attacks, "attack"),
        count(host.positive_controls, "positive control"),
        host.seconds,
        count(host.round_trips, "round trip"),
    )
}

fn sign(verdict: ControlStatus) -> char {
    match verdict {
        ControlStatus::Met => '+',
        ControlStatus::NotMet => '!',
        ControlStatus::Unobserved => '?',
        ControlStatus::Planned => '-',
    }
}

pub fn label(verdict: ControlStatus) -> &'static str {
    match verdict {
        ControlStatus::Met => "met",
        ControlStatus::NotMet => "NOT MET",
        ControlStatus::Unobserved => "not observed",
        ControlStatus::Planned => "not yet",
    }
}

pub fn outcome(outcome: AttackOutcome) -> &'static str {
    match outcome {
        AttackOutcome::Refused => "refused",
        AttackOutcome::Allowed => "it works",
        AttackOutcome::Silent => "no answer and no refusal",
        AttackOutcome::Nothing => "there is nothing to attack",
        AttackOutcome::Holds => "yes",
        AttackOutcome::Differs => "no",
        AttackOutcome::Error => "the probe failed",
    }
}
