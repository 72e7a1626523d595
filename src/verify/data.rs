//! What of the agent's data decides for the agent: it is covered, nothing lies beneath, and no
//! login leads elsewhere.

use super::Claims;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;

/// Who may talk to the agent.
pub const PEOPLE: [&str; 2] = ["pairing", "platforms"];

/// Whether some places are covered, and empty.
pub fn planted(evidence: &Evidence, id: &str, what: &str, is_one: impl Fn(&str) -> bool) -> Check {
    let found = evidence.inspected().data.found().map(|data| {
        let of = |names: &[String]| names.iter().filter(|name| is_one(name)).cloned().collect::<Vec<_>>();
        match (of(&data.uncovered), of(&data.planted)) {
            (open, _) if !open.is_empty() => (false, format!("open to the agent: {}", open.join(", "))),
            (_, planted) if !planted.is_empty() => (
                false,
                format!(
                    "planted in /home/hermes/.hermes: {}; the next start of the agent puts it aside",
                    planted.join(", ")
                ),
            ),
            _ => (true, "covered by root's, with nothing beneath".to_owned()),
        }
    });
    inspection(id, what, found)
}

/// Whether the agent's data has an end, where petasos.yaml gives it one.
pub fn disk(claims: &Claims, evidence: &Evidence) -> Option<Check> {
    let most = claims.disk?;
    let found = evidence.inspected().room.found().map(|room| match room {
        None => (false, "it is a part of the host's own file system".to_owned()),
        Some(bytes) => (*bytes <= most, format!("{} MiB; at most {} are declared", bytes >> 20, most >> 20)),
    });
    Some(inspection("fs.disk", "the agent's data is a file system of its own, of the declared size", found))
}

/// Whether the agent's logins lead to its provider.
pub fn logins(evidence: &Evidence) -> Check {
    let found = evidence.inspected().data.found().map(|data| match data.elsewhere.as_slice() {
        [] => (true, "no login leads elsewhere".to_owned()),
        others => (false, format!("in auth.json: {}", others.join(", "))),
    });
    inspection("egress.logins", "the agent's logins lead to its provider alone", found)
}
