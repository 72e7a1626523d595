//! os.patched: the host keeps itself patched, and its kernel is set up to resist.

use super::answer::Upgrades;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, limits, never_short, no_attacks};
use crate::config::settings::Role;

pub const CONTROL: Control = Control {
    id: "os.patched",
    group: "The host",
    title: "Patched and hardened",
    claim: "Security updates install themselves, the clock is synchronised, the kernel's network settings are hardened, and logs survive a reboot and the agent.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "",
    how: Some("`petasos up`"),
};

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let upgrades = || evidence.inspected().upgrades.found();
    let mut checks = vec![
        inspection("patched.settings", "apt's own settings", upgrades().map(settings)),
        inspection("patched.timers", "the timers that fetch and install", upgrades().map(timers)),
        inspection("patched.clock", "the clock is synchronised", upgrades().map(clock)),
        inspection(
            "patched.journal",
            "logs survive a reboot",
            upgrades().map(|found| (found.journal, "/var/log/journal".to_owned())),
        ),
    ];
    checks.extend((claims.role == Role::Agent).then(|| limits::of_log(evidence)));
    checks
}

fn settings(found: &Upgrades) -> (bool, String) {
    let on = |key: &str| found.settings.get(key).is_some_and(|value| value == "1");
    let sound =
        on("Update-Package-Lists") && on("Unattended-Upgrade") && found.installed == "installed" && found.origins > 0;
    let is = |yes: bool| if yes { "on" } else { "off" };
    let reboot = if found.reboot { "; a reboot is due" } else { "" };
    let detail = format!(
        "lists {}, upgrades {}, from {} origins, unattended-upgrades {}{reboot}",
        is(on("Update-Package-Lists")),
        is(on("Unattended-Upgrade")),
        found.origins,
        if found.installed.is_empty() { "not installed" } else { &found.installed },
    );
    (sound, detail)
}

fn timers(found: &Upgrades) -> (bool, String) {
    let sound = found.timers.len() == 2 && found.timers.values().all(|state| state == "active enabled");
    (sound, found.timers.iter().map(|(unit, state)| format!("{unit} {state}")).collect::<Vec<_>>().join(", "))
}

fn clock(found: &Upgrades) -> (bool, String) {
    match found.container {
        true => (true, "a container has the clock of its machine".to_owned()),
        false => match found.clock.split_once(' ') {
            Some((unit, state)) => (state == "active", format!("{unit} is {state}")),
            None => (false, "nobody keeps it".to_owned()),
        },
    }
}
