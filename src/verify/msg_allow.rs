//! msg.allow: nobody but those who are listed talks to the agent.

use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, PathCall};
use super::evidence::Evidence;
use super::fs_strict::replaced;
use super::report::Check;
use super::{Claims, Control, data, never_short, settings};

pub const CONTROL: Control = Control {
    id: "msg.allow",
    group: "What the agent may do",
    title: "Listed users only",
    claim: "On each messaging platform only listed users are answered; a stranger gets no answer and no pairing code, and the agent admits nobody itself.",
    attacks,
    inspections,
    short: never_short,
    limits: "proved for the settings in force; no message was sent",
    how: Some("`agent.platforms.<platform>.allowed_users`, then `petasos up`"),
};

const LISTS: [&str; 2] = ["/home/hermes/.hermes/platforms", "/home/hermes/.hermes/pairing"];

/// As the agent's user: who is written there is admitted at once, without a restart.
fn attacks(_: &Claims) -> Vec<Attack> {
    let paths =
        &["/home/hermes/.hermes/platforms/pairing", "/home/hermes/.hermes/platforms", "/home/hermes/.hermes/pairing"];
    let admit = Call::AnyOf { name: PathCall::Create, paths };
    vec![
        attack("msg.admit", "a file that admits a stranger", admit, By::SameByRoot),
        replaced("msg.place", "lists of its own in the place of those that admit a stranger", &LISTS),
    ]
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let strangers = settings::of(evidence).map(|found| {
        let all = if found.allow_all.is_empty() {
            "nothing allows all".to_owned()
        } else {
            format!("{} allows all", found.allow_all.join(", "))
        };
        (
            found.strangers.is("ignore") && found.allow_all.is_empty(),
            format!("a stranger's message: {}; {all}", found.strangers),
        )
    });
    let users = settings::of(evidence).map(|found| {
        let count = |name: &String| found.users.get(name).copied().unwrap_or_default();
        // A platform without a list answers nobody: safe, but surely not what was meant.
        let empty: Vec<&str> = claims.platforms.iter().filter(|name| count(name) == 0).map(String::as_str).collect();
        match (claims.platforms.is_empty(), empty.is_empty()) {
            (true, _) => (true, "no messaging platform is on".to_owned()),
            (_, true) => (
                true,
                claims.platforms.iter().map(|name| format!("{name}: {}", count(name))).collect::<Vec<_>>().join(", "),
            ),
            (_, false) => (false, format!("nobody is listed on {}", empty.join(", "))),
        }
    });
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        inspection("msg.strangers", "strangers", strangers),
        data::planted(evidence, "msg.codes", "nobody is admitted by a file of the agent's", |name| {
            data::PEOPLE.contains(&name)
        }),
        inspection("msg.users", "the lists of users", users),
    ]
}
