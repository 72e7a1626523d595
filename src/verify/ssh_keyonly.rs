//! ssh.keyonly: a key opens the host, and nothing else does.

use super::answer::Knocks;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use super::{Claims, Control, never_short, no_attacks, ssh_algorithms};
use crate::fault::Fault;
use std::collections::BTreeMap;

pub const CONTROL: Control = Control {
    id: "ssh.keyonly",
    group: "The network",
    title: "SSH by key only",
    claim: "sshd takes keys and nothing else, root's login is closed, no address takes all places before the login, and none but the declared algorithms are agreed to.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "",
    how: Some("`petasos up`"),
};

/// What sshd itself says that it would do.
const WANTED: [(&str, &str); 5] = [
    ("passwordauthentication", "no"),
    ("kbdinteractiveauthentication", "no"),
    ("permitrootlogin", "no"),
    ("permitemptypasswords", "no"),
    ("pubkeyauthentication", "yes"),
];

/// Of one address, as `templates/base/sshd.conf.tera` has it.
const MOST_PLACES: usize = 10;

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let found = evidence.inspected().sshd.found();
    let of_all = |user: &str, judge: fn(&BTreeMap<String, String>) -> (bool, String)| {
        found.clone().and_then(|all| {
            let settings = all.get(user).filter(|settings| !settings.is_empty()).ok_or("sshd -T says nothing")?;
            Ok(judge(settings))
        })
    };
    let of = |user: &str| of_all(user, rated);
    vec![
        inspection("ssh.admin", format!("sshd's settings for {}", claims.admin), of(&claims.admin)),
        inspection("ssh.root", "sshd's settings for root", of("root")),
        inspection("ssh.places", "places for those who have not logged in yet", of_all(&claims.admin, places)),
        held(evidence),
        ssh_algorithms::offered(claims, evidence),
        doors(claims, evidence),
    ]
}

fn rated(settings: &BTreeMap<String, String>) -> (bool, String) {
    let is = |key: &str| settings.get(key).map_or("unset", String::as_str);
    let bad: Vec<String> =
        WANTED.iter().filter(|(key, value)| is(key) != *value).map(|(key, _)| format!("{key} {}", is(key))).collect();
    match bad.is_empty() {
        true => (true, WANTED.map(|(key, value)| format!("{key} {value}")).join(", ")),
        false => (false, bad.join(", ")),
    }
}

/// How many one address and all together may have, as sshd has it: a third part of all is left to
/// others whatever one does.
fn places(settings: &BTreeMap<String, String>) -> (bool, String) {
    let number = |key: &str| settings.get(key).and_then(|value| value.rsplit(':').next()?.parse::<u32>().ok());
    let (one, all) = (number("persourcemaxstartups"), number("maxstartups"));
    let told = |number: Option<u32>| number.map_or("no limit".to_owned(), |number| number.to_string());
    let sound = one.zip(all).is_some_and(|(one, all)| one * 3 <= all);
    (sound, format!("one address {}, all together {}", told(one), told(all)))
}

/// As the running daemon does it, whatever its file says by now: of one address it takes a few, and
/// another address still has a place.
fn held(evidence: &Evidence) -> Check {
    let found = evidence.inspected().knocks.found().and_then(|Knocks { tried, greeted, another }| {
        let detail = format!(
            "of {tried} of one address {greeted} had a place; then another address had {}",
            if *another { "one" } else { "none" }
        );
        match (*greeted, *another) {
            (0, false) => Err(Fault::new("sshd greets nobody on loopback")),
            (greeted, another) => Ok((another && greeted <= MOST_PLACES, detail)),
        }
    });
    inspection("ssh.held", "strangers that hold places of the running daemon", found)
}

/// The running daemon, asked by one who has no key: its refusal names what it would take.
fn doors(claims: &Claims, evidence: &Evidence) -> Check {
    let offered = |text: &str| {
        let (_, rest) = text.rsplit_once("Permission denied (")?;
        Some(rest.split(')').next()?.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let found = evidence.inspected().doors.found().and_then(|text| match offered(text) {
        Some(ways) => Ok((ways == ["publickey"], format!("it offers {}", ways.join(", ")))),
        None if text.starts_with("let in") => Ok((false, "it accepted a login without any credentials".to_owned())),
        None => Err(Fault::new(format!("it said `{text}`"))),
    });
    let mut check =
        inspection("ssh.doors", format!("a login as {} with no key, to the running daemon", claims.admin), found);
    let open = evidence.inspected().open_doors.found();
    let sees =
        open.clone().ok().and_then(|text| offered(text)).is_some_and(|ways| ways.iter().any(|way| way == "password"));
    check.control = Some(PositiveResult {
        what: "the same to a server started for this one connection, which accepts passwords".to_owned(),
        outcome: if sees { AttackOutcome::Allowed } else { AttackOutcome::Error },
        detail: open.map_or_else(|why| why.to_string(), Clone::clone),
    });
    if !sees && check.result == ControlStatus::Met {
        check.result = ControlStatus::Unobserved;
    }
    check
}
