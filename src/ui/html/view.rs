//! The page's words and numbers, ready to be laid out.

use super::phrases::{Part, Sign, VERDICTS, counts, meaning, of_host, overall, parts, sign, tally, untried};
use crate::calendar::calendar;
use crate::ui::report::count;
use crate::ui::verify_text::outcome;
use crate::verify::report::{Check, ControlReport, ControlStatus, HostReport, Report};
use serde::Serialize;

#[derive(Serialize)]
pub struct Page {
    petasos: String,
    time: String,
    sign: Sign,
    headline: String,
    /// What the headline does not speak of.
    untried: String,
    legend: Vec<(Sign, &'static str)>,
    hosts: Vec<HostView>,
}

#[derive(Serialize)]
struct HostView {
    anchor: String,
    name: String,
    address: String,
    system: String,
    sign: Sign,
    headline: String,
    /// As [`VERDICTS`].
    counts: [usize; 4],
    trial: String,
    error: Option<String>,
    missing: Vec<Missing>,
    groups: Vec<Group>,
}

/// Those missing controls that are alike: what is broken, what nobody saw, what this version does
/// not do.
#[derive(Serialize)]
struct Missing {
    sign: Sign,
    heading: &'static str,
    controls: Vec<ControlView>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    tally: String,
    controls: Vec<ControlView>,
}

#[derive(Clone, Serialize)]
struct ControlView {
    anchor: String,
    id: String,
    title: String,
    sign: Sign,
    claim: Vec<Part>,
    /// What stands before the reason.
    because: &'static str,
    why: Vec<Part>,
    /// What stands before the way to turn it on.
    then: &'static str,
    how: Vec<Part>,
    evidence: String,
    checks: Vec<CheckRow>,
}

#[derive(Clone, Serialize)]
struct CheckRow {
    sign: Sign,
    id: String,
    what: String,
    /// Where it is something else than what came out.
    expected: &'static str,
    outcome: &'static str,
    detail: String,
    control: Option<(String, &'static str, String)>,
}

pub fn page(report: &Report) -> Page {
    let worst = report.hosts.iter().map(|host| host.verdict).max().unwrap_or(ControlStatus::Unobserved);
    let hosts: Vec<HostView> = report.hosts.iter().enumerate().map(|(index, entry)| host(index + 1, entry)).collect();
    Page {
        petasos: report.petasos.clone(),
        time: calendar(report.time),
        sign: sign(worst),
        headline: overall(&report.hosts, worst),
        untried: untried(&report.hosts),
        legend: VERDICTS.map(|verdict| (sign(verdict), meaning(verdict))).into(),
        hosts,
    }
}

fn host(number: usize, host: &HostReport) -> HostView {
    let mut groups: Vec<Group> = Vec::new();
    let controls: Vec<ControlView> = host.controls.iter().map(|entry| control(number, entry)).collect();
    for (report, control) in host.controls.iter().zip(&controls) {
        match groups.iter_mut().find(|group| group.name == report.group) {
            Some(group) => group.controls.push(control.clone()),
            None => {
                groups.push(Group {
                    name: report.group.clone(),
                    tally: String::new(),
                    controls: vec![control.clone()],
                });
            }
        }
    }
    for group in &mut groups {
        let met = group.controls.iter().filter(|control| control.sign.class == "met").count();
        group.tally = format!("{met} of {} met", group.controls.len());
    }
    let of = |verdict, heading| {
        let alike = host.controls.iter().zip(&controls).filter(|(report, _)| report.verdict == verdict);
        Missing { sign: sign(verdict), heading, controls: alike.map(|(_, control)| control.clone()).collect() }
    };
    let missing = [
        of(ControlStatus::NotMet, "Not met"),
        of(ControlStatus::Unobserved, "Not observed"),
        of(ControlStatus::Planned, "Not in this version of Petasos"),
    ];
    HostView {
        anchor: format!("host-{number}"),
        name: host.host.clone(),
        address: host.address.clone(),
        system: host.system.clone(),
        sign: sign(host.verdict),
        headline: of_host(host),
        counts: counts(host),
        trial: format!(
            "{} from inside, {} that succeeded, {:.1} s, {}",
            count(host.attacks, "attack"),
            count(host.positive_controls, "positive control"),
            host.seconds,
            count(host.round_trips, "round trip"),
        ),
        error: host.error.as_ref().map(|error| match &host.hint {
            Some(hint) => format!("{error}\nhint: {hint}"),
            None => error.clone(),
        }),
        missing: missing.into_iter().filter(|entry| !entry.controls.is_empty()).collect(),
        groups,
    }
}

fn control(host: usize, control: &ControlReport) -> ControlView {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let (because, then) = match control.verdict {
        ControlStatus::Met => ("Limits", "How"),
        ControlStatus::NotMet | ControlStatus::Unobserved => ("Why", "To do"),
        ControlStatus::Planned => ("", "Until then"),
    };
    let mut checks: Vec<&Check> = control.checks.iter().collect();
    // What is wrong comes first; the others keep their order.
    checks.sort_by_key(|check| std::cmp::Reverse(check.result));
    ControlView {
        anchor: format!("host-{host}.{}", control.id.chars().map(plain).collect::<String>()),
        id: control.id.clone(),
        title: control.title.clone(),
        sign: sign(control.verdict),
        claim: parts(&control.claim),
        because,
        // The verdict says as much already.
        why: if control.verdict == ControlStatus::Planned { Vec::new() } else { parts(&control.why) },
        then,
        how: parts(control.how.as_deref().unwrap_or_default()),
        evidence: tally(&control.checks),
        checks: checks.into_iter().map(row).collect(),
    }
}

fn row(check: &Check) -> CheckRow {
    let label = match check.result {
        ControlStatus::Met => "as expected",
        ControlStatus::NotMet => "not as expected",
        ControlStatus::Unobserved | ControlStatus::Planned => "not observed",
    };
    CheckRow {
        sign: Sign { label, ..sign(check.result) },
        id: check.id.clone(),
        what: check.what.clone(),
        expected: if check.result == ControlStatus::NotMet { outcome(check.expected) } else { "" },
        outcome: outcome(check.outcome),
        detail: check.detail.clone(),
        control: check.control.as_ref().map(|proof| (proof.what.clone(), outcome(proof.outcome), proof.detail.clone())),
    }
}
