//! The page's words and numbers, ready to be laid out.

use crate::prove::report::{Check, ControlReport, HostReport, Outcome, Report, Verdict};
use crate::run::calendar;
use crate::ui::report::count;
use serde::Serialize;

/// From best to worst: the order of every table of counts.
const VERDICTS: [Verdict; 4] = [Verdict::Met, Verdict::NotMet, Verdict::Unobserved, Verdict::Planned];

#[derive(Serialize)]
pub struct Page {
    petasos: String,
    time: String,
    sign: Sign,
    headline: String,
    /// What the headline does not speak of.
    untried: String,
    legend: Vec<(Sign, &'static str)>,
    hosts: Vec<Host>,
}

/// A verdict as a mark, a word and a colour: any one of them tells it.
#[derive(Clone, Serialize)]
struct Sign {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

#[derive(Serialize)]
struct Host {
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

/// Those missing controls that are alike: what is broken, what nobody saw, what this version does not do.
#[derive(Serialize)]
struct Missing {
    sign: Sign,
    heading: &'static str,
    controls: Vec<Control>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    tally: String,
    controls: Vec<Control>,
}

#[derive(Clone, Serialize)]
struct Control {
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
    checks: Vec<Row>,
}

/// A piece of a sentence; what stood between backticks is code.
#[derive(Clone, Serialize)]
struct Part {
    code: bool,
    text: String,
}

#[derive(Clone, Serialize)]
struct Row {
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
    let worst = report.hosts.iter().map(|host| host.verdict).max().unwrap_or(Verdict::Unobserved);
    let hosts: Vec<Host> = report.hosts.iter().enumerate().map(|(index, it)| host(index + 1, it)).collect();
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

fn sign(verdict: Verdict) -> Sign {
    let (class, mark, word) = match verdict {
        Verdict::Met => ("met", "✓", "met"),
        Verdict::NotMet => ("not-met", "✕", "not met"),
        Verdict::Unobserved => ("unobserved", "?", "not observed"),
        Verdict::Planned => ("planned", "–", "not in this version"),
    };
    Sign { class, mark, word }
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "Every check came out as expected, and the probe of every attack was seen to work.",
        Verdict::NotMet => "At least one check came out otherwise.",
        Verdict::Unobserved => {
            "At least one check could not be made, or its probe was not seen to work. Nothing is claimed."
        }
        Verdict::Planned => "The hardening checklist asks for it; this version of Petasos does not set it up.",
    }
}

fn overall(hosts: &[HostReport], worst: Verdict) -> String {
    match hosts {
        [] => "No host was tried".to_owned(),
        [host] => of_host(host),
        hosts => {
            let so = hosts.iter().filter(|host| host.verdict == worst).count();
            let all = hosts.len();
            match worst {
                Verdict::NotMet => format!("Controls are not met on {so} of {all} hosts"),
                Verdict::Unobserved => format!("Not everything could be observed on {so} of {all} hosts"),
                Verdict::Met | Verdict::Planned => format!("Every control that was tried is met on all {all} hosts"),
            }
        }
    }
}

/// A headline of what was tried must not pass for one of the whole checklist.
fn untried(hosts: &[HostReport]) -> String {
    match hosts.iter().map(|host| counts(host)[3]).max().unwrap_or_default() {
        0 => String::new(),
        1 => "1 more control of the checklist is not in this version of Petasos, and was not tried".to_owned(),
        many => format!("{many} more controls of the checklist are not in this version of Petasos, and were not tried"),
    }
}

fn of_host(host: &HostReport) -> String {
    if host.error.is_some() {
        return "The host could not be tried".to_owned();
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

fn counts(host: &HostReport) -> [usize; 4] {
    VERDICTS.map(|verdict| host.controls.iter().filter(|control| control.verdict == verdict).count())
}

fn host(number: usize, host: &HostReport) -> Host {
    let mut groups: Vec<Group> = Vec::new();
    let controls: Vec<Control> = host.controls.iter().map(|it| control(number, it)).collect();
    for (report, control) in host.controls.iter().zip(&controls) {
        match groups.iter_mut().find(|group| group.name == report.group) {
            Some(group) => group.controls.push(control.clone()),
            None => {
                groups.push(Group { name: report.group.clone(), tally: String::new(), controls: vec![control.clone()] })
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
        of(Verdict::NotMet, "Not met"),
        of(Verdict::Unobserved, "Not observed"),
        of(Verdict::Planned, "Not in this version of Petasos"),
    ];
    Host {
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
        error: host.error.clone(),
        missing: missing.into_iter().filter(|it| !it.controls.is_empty()).collect(),
        groups,
    }
}

fn control(host: usize, control: &ControlReport) -> Control {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let (because, then) = match control.verdict {
        Verdict::Met => ("Limits", "How"),
        Verdict::NotMet | Verdict::Unobserved => ("Why", "To do"),
        Verdict::Planned => ("", "Until then"),
    };
    let mut checks: Vec<&Check> = control.checks.iter().collect();
    // What is wrong comes first; the others keep their order.
    checks.sort_by_key(|check| std::cmp::Reverse(check.result));
    Control {
        anchor: format!("host-{host}.{}", control.id.chars().map(plain).collect::<String>()),
        id: control.id.clone(),
        title: control.title.clone(),
        sign: sign(control.verdict),
        claim: parts(&control.claim),
        because,
        // The verdict says as much already.
        why: if control.verdict == Verdict::Planned { Vec::new() } else { parts(&control.why) },
        then,
        how: parts(control.how.as_deref().unwrap_or_default()),
        evidence: tally(&control.checks),
        checks: checks.into_iter().map(row).collect(),
    }
}

fn tally(checks: &[Check]) -> String {
    let of = |verdict| checks.iter().filter(|check| check.result == verdict).count();
    let mut words = format!("{}, {} as expected", count(checks.len(), "check"), of(Verdict::Met));
    for (verdict, word) in [(Verdict::NotMet, "otherwise"), (Verdict::Unobserved, "not observed")] {
        if of(verdict) > 0 {
            words.push_str(&format!(", {} {word}", of(verdict)));
        }
    }
    words
}

fn row(check: &Check) -> Row {
    let word = match check.result {
        Verdict::Met => "as expected",
        Verdict::NotMet => "not as expected",
        Verdict::Unobserved | Verdict::Planned => "not observed",
    };
    Row {
        sign: Sign { word, ..sign(check.result) },
        id: check.id.clone(),
        what: check.what.clone(),
        expected: if check.result == Verdict::NotMet { outcome(check.expected) } else { "" },
        outcome: outcome(check.outcome),
        detail: check.detail.clone(),
        control: check.control.as_ref().map(|proof| (proof.what.clone(), outcome(proof.outcome), proof.detail.clone())),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused => "refused",
        Outcome::Allowed => "it works",
        Outcome::Silent => "no answer, and nobody said no",
        Outcome::Nothing => "there is nothing to attack",
        Outcome::Holds => "holds",
        Outcome::Differs => "differs",
        Outcome::Error => "the probe failed",
    }
}

/// A text cut at its backticks; an odd one is a letter as any other.
fn parts(text: &str) -> Vec<Part> {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len() % 2 == 0 {
        return vec![Part { code: false, text: text.to_owned() }];
    }
    let part = |(at, piece): (usize, &&str)| Part { code: at % 2 == 1, text: (*piece).to_owned() };
    pieces.iter().enumerate().map(part).filter(|part| !part.text.is_empty()).collect()
}
