//! msg.allow: nobody but those who are listed talks to the agent.

use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short, no_attacks, settings};

pub const CONTROL: Control = Control {
    id: "msg.allow",
    group: "What the agent may do",
    title: "Listed users only",
    claim: "On each messaging platform only listed users are answered; a stranger gets no answer and no pairing code.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved for the settings in force; no message was sent",
    how: Some("`agent.platforms.<platform>.allowed_users`, then `petasos up`"),
};

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
        inspection("msg.users", "the lists of users", users),
    ]
}
