//! audit.log: what the agent does is on record before it happens, where the agent cannot change it.

use super::answer::{Access, AuditLog, Chain};
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, PathCall};
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short, record};
use crate::audit::chain::{ChainState, Head, NOTHING, judge};
use crate::fault::Fault;

pub const CONTROL: Control = Control {
    id: "audit.log",
    group: "What is recorded",
    title: "Audit log",
    claim: "Every tool call, approval, refusal and model call is a line of a chained log before it happens. The agent's user can add lines, and neither read, change nor remove one.",
    attacks,
    inspections,
    short: never_short,
    limits: "the newest lines were walked along; `petasos audit verify` does all of them. Whoever is the agent's user can add false lines",
    how: Some("`petasos up`; for a chain that is broken, `petasos audit verify HOST` says where"),
};

fn attacks(_: &Claims) -> Vec<Attack> {
    vec![
        attack(
            "audit.change",
            "a change of the audit log",
            Call::AnyOf {
                name: PathCall::Change,
                paths: &["/var/log/hermes/audit.jsonl", "/var/log/hermes/audit-*.jsonl"],
            },
            By::SameByRoot,
        ),
        attack(
            "audit.writer",
            "the audit writer answers the agent, and takes no line in its own name",
            Call::Writer,
            By::MustWork,
        ),
    ]
}

fn inspections(_: &Claims, evidence: &Evidence) -> Vec<Check> {
    vec![
        record::in_force(evidence),
        record::promised(
            evidence,
            "audit.tried",
            "nothing runs that is not on record first, by its self-test",
            &["nothing runs without audit", "choke points in place"],
        ),
        inspection("audit.owner", "the log is the audit writer's", evidence.inspected().log.found().map(owner)),
        inspection(
            "audit.rights",
            "what the agent's user may do with the log, outside of its unit",
            evidence.inspected().log.found().and_then(rights),
        ),
        inspection(
            "audit.chain",
            "its newest lines are chained, and the journal has them so",
            evidence.inspected().chain.found().and_then(chain),
        ),
    ]
}

fn owner(log: &AuditLog) -> (bool, String) {
    let loose = |(path, access): (&String, &Option<Access>)| match access {
        // Nobody but the writer may write, and nobody else read but the group.
        Some(Access { owner, mode }) if owner == "petasos-audit" && (mode.ends_with("50") || mode.ends_with("40")) => {
            None
        }
        Some(Access { owner, mode }) => Some(format!("{path} is {owner} {mode}")),
        None => Some(format!("{path} is not there")),
    };
    let bad: Vec<String> = log.files.iter().filter_map(loose).collect();
    if bad.is_empty() { (true, "owned by petasos-audit, closed to others".to_owned()) } else { (false, bad.join("; ")) }
}

fn rights(log: &AuditLog) -> Result<(bool, String), Fault> {
    if log.root.len() < 5 {
        return Err(Fault::new("not even root may do all of that"));
    }
    Ok(match log.agent.is_empty() {
        true => (true, "nothing of what root may".to_owned()),
        false => (false, format!("it {}", log.agent.join(", "))),
    })
}

/// In seconds, with time for a writer that is busy.
const FRESH: u64 = 120;

/// Whether the log begins with these lines, as the journal has it.
fn is_all(chain: &Chain) -> bool {
    let begin = chain.journal.iter().any(|told| told.seq == 0 && told.told == NOTHING);
    begin && chain.walk.first == 1 && chain.walk.before == NOTHING && chain.journal.iter().all(|told| told.seq == 0)
}

fn chain(chain: &Chain) -> Result<(bool, String), Fault> {
    let head = |told: &super::answer::Told| Head { seq: told.seq, told: told.told.clone(), is: told.is.clone() };
    let judged = judge(&chain.walk, Some(&chain.journal.iter().map(head).collect::<Vec<_>>()));
    let lines = format!("lines {} to {}", judged.first, judged.last);
    match judged.state {
        ChainState::Intact => {
            let confirmed =
                judged.confirmed.map(|seq| format!(", the journal confirms line {seq}")).unwrap_or_default();
            Ok((true, format!("{lines}{confirmed}")))
        }
        ChainState::Broken => Ok((false, judged.findings.join("; "))),
        // The journal hears of lines once they are a minute old.
        ChainState::Unobserved if chain.age < FRESH && is_all(chain) => {
            Ok((true, format!("{lines}, {} s old; the journal has the begin", chain.age)))
        }
        ChainState::Unobserved => Err(Fault::new(format!("{lines}, none of which the journal has on record"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Told;
    use super::*;
    use crate::audit::chain::Walk;

    /// Ten lines of which the journal has `told`.
    fn of(told: &[(u64, &str)], age: u64) -> Chain {
        let walk = Walk { lines: 10, first: 1, before: NOTHING.into(), last: 10, head: "h".into(), ..Walk::default() };
        let is = |seq: u64| (seq > 0 && seq <= 10).then(|| "h".to_owned());
        let journal = told.iter().map(|(seq, told)| Told { seq: *seq, told: (*told).into(), is: is(*seq) }).collect();
        Chain { walk, journal, age }
    }

    #[test]
    fn a_chain_is_what_the_journal_has_of_it() {
        let met = |told: &[(u64, &str)], age| chain(&of(told, age)).map(|(met, _)| met);
        assert_eq!(met(&[(0, NOTHING), (8, "h")], 900), Ok(true));
        assert_eq!(met(&[(8, "other")], 900), Ok(false), "a line is another one");
        assert_eq!(met(&[(8, "h"), (12, "h")], 900), Ok(false), "lines are gone");
        assert_eq!(met(&[(0, NOTHING)], 30), Ok(true), "the journal has not heard of it yet");
        assert!(met(&[(0, NOTHING)], 900).is_err() && met(&[], 30).is_err());
    }

    #[test]
    fn a_log_that_anybody_may_write_is_not_the_writers() {
        let log = |owner: &str, mode: &str, agent: &[&str], root: usize| AuditLog {
            files: [("x".to_owned(), Some(Access { owner: owner.into(), mode: mode.into() }))].into(),
            agent: agent.iter().map(|&what| what.to_owned()).collect(),
            root: vec![String::new(); root],
        };
        assert!(owner(&log("petasos-audit", "0640", &[], 5)).0 && owner(&log("petasos-audit", "2750", &[], 5)).0);
        for (who, mode) in
            [("hermes", "0640"), ("petasos-audit", "0666"), ("petasos-audit", "0660"), ("petasos-audit", "2777")]
        {
            assert!(!owner(&log(who, mode, &[], 5)).0, "{who} {mode}");
        }
        assert_eq!(rights(&log("", "", &[], 5)).map(|(met, _)| met), Ok(true));
        assert_eq!(rights(&log("", "", &["reads"], 5)).map(|(met, _)| met), Ok(false));
        assert!(rights(&log("", "", &[], 4)).is_err());
    }
}
