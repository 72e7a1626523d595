//! What keeps the agent from using its host up: what the kernel, systemd and journald hold it to,
//! as they say themselves.

use super::Claims;
use super::answer::UnitLimits;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use crate::fault::Fault;

/// The agent may have no more than a part of what the kernel has for all.
const PART_OF_RECORDS: u64 = 16;

/// Memory and processes of the agent's unit, as it runs.
pub fn of_unit(claims: &Claims, evidence: &Evidence) -> Check {
    let found = evidence.inspected().limits.found().map(|found| judged(claims, found));
    inspection("user.limits", "memory and processes of the running agent have an end", found)
}

fn judged(claims: &Claims, found: &UnitLimits) -> (bool, String) {
    let UnitLimits { memory, tasks, kernel_memory, kernel_tasks } = found;
    let (most_memory, most_tasks) = (claims.memory.unwrap_or(u64::MAX), u64::from(claims.tasks));
    // A word such as `infinity` or `max` is no number.
    let within = |text: &str, most: u64| text.parse().is_ok_and(|number: u64| number <= most);
    let by_kernel = |text: &Option<String>, most| text.as_deref().is_none_or(|text| within(text, most));
    let sound = within(memory, most_memory)
        && within(tasks, most_tasks)
        && by_kernel(kernel_memory, most_memory)
        && by_kernel(kernel_tasks, most_tasks);
    let kernel = |text: &Option<String>| text.clone().unwrap_or("nothing".to_owned());
    let detail = format!(
        "systemd says {memory} bytes and {tasks} processes; the kernel's group {} and {}",
        kernel(kernel_memory),
        kernel(kernel_tasks),
    );
    (sound, detail)
}

/// The records of connections that the kernel keeps for the agent.
pub fn records(evidence: &Evidence) -> Check {
    let found = evidence.inspected().records.found().map(|found| {
        let all = found.room.map_or(String::new(), |room| format!(", of {room} for all"));
        match found.most {
            None => (false, "the filter's first rule for the agent is no limit on them".to_owned()),
            Some(most) => {
                let sound = found.room.is_none_or(|room| most * PART_OF_RECORDS <= room);
                (sound, format!("at most {most}{all}"))
            }
        }
    });
    inspection("egress.records", "the agent's connections do not use up the kernel's records of them", found)
}

/// What the units that the agent has to do with may write to the journal.
pub fn of_log(evidence: &Evidence) -> Check {
    let found = evidence.inspected().log_limits.found().and_then(|found| {
        if found.is_empty() {
            return Err(Fault::new("no unit was asked about"));
        }
        let free = |(_, (lines, time)): &(&String, &(u64, u64))| {
            *lines == 0 || *time == 0 || per_second(*lines, *time) > MOST_LINES
        };
        let bad: Vec<&str> = found.iter().filter(free).map(|(unit, _)| unit.as_str()).collect();
        let told =
            |(unit, (lines, time)): (&String, &(u64, u64))| format!("{unit} {lines} lines in {} s", time / 1_000_000);
        Ok(match bad.as_slice() {
            [] => (true, found.iter().map(told).collect::<Vec<_>>().join(", ")),
            bad => (false, format!("{} has no limit of its own", bad.join(", "))),
        })
    });
    inspection("patched.washing", "what the agent has written to the journal cannot wash the rest out", found)
}

/// In a second; the agent's own unit has the largest share.
const MOST_LINES: u64 = 200;

fn per_second(lines: u64, microseconds: u64) -> u64 {
    lines.saturating_mul(1_000_000) / microseconds.max(1)
}
