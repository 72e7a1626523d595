//! One thing that is tried from inside, and the positive control that shows that the probe can see
//! success.

use super::answer::AttackRun;
use super::call::Call;
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use super::spec::{Actor, Attempt, Proof};
use crate::fault::Fault;

#[derive(Debug, Clone)]
pub struct Attack {
    pub id: String,
    pub what: String,
    pub call: Call,
    pub control: PositiveControl,
}

/// How it is shown that the attack could succeed.
#[derive(Debug, Clone)]
pub enum PositiveControl {
    /// It is no attack: the agent needs this, and it must work.
    MustWork,
    /// The same, by root and outside the sandbox. What root does not find either is not there to be
    /// attacked.
    SameByRoot,
    /// Another call, by root.
    ByRoot(&'static str, Call),
    /// Another call, by the agent.
    ByAgent(&'static str, Call),
}

pub fn attack(id: &str, what: impl Into<String>, call: Call, control: PositiveControl) -> Attack {
    Attack { id: id.to_owned(), what: what.into(), call, control }
}

impl Attack {
    /// What the driver is to do as the agent.
    pub fn attempt(&self) -> Attempt {
        Attempt { id: self.id.clone(), call: self.call.clone() }
    }

    /// What it is to do as the positive control.
    pub fn proof(&self) -> Option<Proof> {
        let proof = |by, call: &Call| Some(Proof { id: proof_id(&self.id), by, call: call.clone() });
        match &self.control {
            PositiveControl::MustWork => None,
            PositiveControl::SameByRoot => proof(Actor::Root, &self.call),
            PositiveControl::ByRoot(_, call) => proof(Actor::Root, call),
            PositiveControl::ByAgent(_, call) => proof(Actor::Agent, call),
        }
    }

    /// The name that it shows to a resolver or to the proxy, as their logs have it; empty for a
    /// connection without one.
    pub fn name(&self) -> Option<String> {
        self.call.host_name().map(|name| name.trim_end_matches('.').to_ascii_lowercase())
    }

    /// What came of it.
    pub fn check(&self, evidence: &Evidence) -> Check {
        let run = evidence.by_agent(&self.id);
        let (proof, what) = match &self.control {
            PositiveControl::MustWork => (None, ""),
            PositiveControl::SameByRoot => (Some(evidence.by_root(&proof_id(&self.id))), "the same, as root"),
            PositiveControl::ByRoot(what, _) => (Some(evidence.by_root(&proof_id(&self.id))), *what),
            PositiveControl::ByAgent(what, _) => (Some(evidence.by_agent(&proof_id(&self.id))), *what),
        };
        let expected = if proof.is_some() { AttackOutcome::Refused } else { AttackOutcome::Allowed };
        let same = matches!(self.control, PositiveControl::SameByRoot);
        let (outcome, result) = judged(&run, proof.as_ref(), same);
        Check {
            id: self.id.clone(),
            what: self.what.clone(),
            outcome,
            expected,
            result,
            detail: run.detail,
            seconds: run.seconds,
            control: proof.map(|run| PositiveResult {
                what: what.to_owned(),
                outcome: run.outcome,
                detail: run.detail,
            }),
        }
    }
}

/// No attack's own id ends like this.
fn proof_id(id: &str) -> String {
    format!("{id}+")
}

fn judged(run: &AttackRun, proof: Option<&AttackRun>, same: bool) -> (AttackOutcome, ControlStatus) {
    let seen = |proof: &AttackRun| match proof.outcome {
        AttackOutcome::Allowed => (run.outcome, ControlStatus::Met),
        // Neither the agent nor root finds anything there.
        AttackOutcome::Nothing if same => (AttackOutcome::Nothing, ControlStatus::Met),
        // A probe that nobody saw succeed proves nothing.
        _ => (run.outcome, ControlStatus::Unobserved),
    };
    match (run.outcome, proof) {
        (AttackOutcome::Allowed, None) => (AttackOutcome::Allowed, ControlStatus::Met),
        (AttackOutcome::Error, _) => (AttackOutcome::Error, ControlStatus::Unobserved),
        (outcome, None) | (outcome @ (AttackOutcome::Allowed | AttackOutcome::Silent), Some(_)) => {
            (outcome, ControlStatus::NotMet)
        }
        (AttackOutcome::Nothing, Some(proof)) => match proof.outcome {
            AttackOutcome::Allowed | AttackOutcome::Nothing => (AttackOutcome::Nothing, ControlStatus::Met),
            _ => (AttackOutcome::Nothing, ControlStatus::Unobserved),
        },
        (AttackOutcome::Refused | AttackOutcome::Holds | AttackOutcome::Differs, Some(proof)) => seen(proof),
    }
}

/// The result of an inspection: whether it passes, with a detail; or why it could not be observed.
pub fn inspection(id: &str, what: impl Into<String>, found: Result<(bool, String), Fault>) -> Check {
    let (outcome, result, detail) = match found {
        Ok((true, detail)) => (AttackOutcome::Holds, ControlStatus::Met, detail),
        Ok((false, detail)) => (AttackOutcome::Differs, ControlStatus::NotMet, detail),
        Err(why) => (AttackOutcome::Error, ControlStatus::Unobserved, why.to_string()),
    };
    Check {
        id: id.to_owned(),
        what: what.into(),
        outcome,
        expected: AttackOutcome::Holds,
        result,
        detail,
        seconds: 0.0,
        control: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcome: AttackOutcome) -> AttackRun {
        AttackRun { id: String::new(), outcome, detail: String::new(), seconds: 0.0 }
    }

    #[test]
    fn a_refusal_counts_only_where_success_could_be_seen() {
        use AttackOutcome::{Allowed, Error, Nothing, Refused, Silent};
        let verdict = |outcome, proof: AttackOutcome, same| judged(&run(outcome), Some(&run(proof)), same).1;
        assert_eq!(verdict(Refused, Allowed, true), ControlStatus::Met);
        for blind in [Refused, Silent, Error, Nothing] {
            assert_eq!(verdict(Refused, blind, false), ControlStatus::Unobserved, "{blind:?}");
        }
        assert_eq!(verdict(Refused, Nothing, true), ControlStatus::Met);
        for through in [Allowed, Silent] {
            for proof in [Allowed, Refused, Error] {
                assert_eq!(verdict(through, proof, true), ControlStatus::NotMet, "{through:?} {proof:?}");
            }
        }
        assert_eq!(verdict(Error, Allowed, true), ControlStatus::Unobserved);
    }

    #[test]
    fn what_must_work_is_not_met_when_it_does_not() {
        assert_eq!(judged(&run(AttackOutcome::Allowed), None, false).1, ControlStatus::Met);
        for bad in [AttackOutcome::Refused, AttackOutcome::Silent, AttackOutcome::Nothing] {
            assert_eq!(judged(&run(bad), None, false).1, ControlStatus::NotMet, "{bad:?}");
        }
        assert_eq!(judged(&run(AttackOutcome::Error), None, false).1, ControlStatus::Unobserved);
    }
}
