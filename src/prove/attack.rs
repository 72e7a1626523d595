//! One thing that is tried from inside, and the positive control that shows that the probe can see success.

use super::evidence::{Evidence, Run};
use super::report::{Check, Outcome, Proof, Verdict};
use serde_json::{Value, json};

/// An attack, as the driver on the host gets it (`templates/prove/`).
#[derive(Debug, Clone)]
pub struct Attack {
    pub id: String,
    pub what: String,
    /// The driver's function, and its arguments.
    pub call: Value,
    pub control: Control,
}

/// How it is shown that the attack could succeed.
#[derive(Debug, Clone)]
pub enum Control {
    /// It is no attack: the agent needs this, and it must work.
    MustWork,
    /// The same, by root and outside the sandbox. What root does not find either is not there to be attacked.
    SameByRoot,
    /// Another call, by root.
    ByRoot(&'static str, Value),
    /// Another call, by the agent.
    ByAgent(&'static str, Value),
}

pub fn attack(id: &str, what: impl Into<String>, call: Value, control: Control) -> Attack {
    Attack { id: id.to_owned(), what: what.into(), call, control }
}

impl Attack {
    /// What the driver is told to do as the agent.
    pub fn spec(&self) -> Value {
        json!({ "id": self.id, "call": self.call })
    }

    /// What it is told to do as the control.
    pub fn proof_spec(&self) -> Option<Value> {
        let spec = |by: &str, call: &Value| json!({ "id": proof_id(&self.id), "by": by, "call": call });
        match &self.control {
            Control::MustWork => None,
            Control::SameByRoot => Some(spec("root", &self.call)),
            Control::ByRoot(_, call) => Some(spec("root", call)),
            Control::ByAgent(_, call) => Some(spec("agent", call)),
        }
    }

    /// The name that it says to a resolver or to the proxy, as their logs have it; empty for a connection that says none.
    pub fn name(&self) -> Option<String> {
        let said = match self.call.get(0)?.as_str()? {
            "dns" => self.call.get(4)?,
            "lookup" => self.call.get(1)?,
            "tls" => self.call.get(3)?,
            _ => return None,
        };
        Some(said.as_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase())
    }

    /// What came of it.
    pub fn check(&self, evidence: &Evidence) -> Check {
        let run = evidence.by_agent(&self.id);
        let (proof, what) = match &self.control {
            Control::MustWork => (None, ""),
            Control::SameByRoot => (Some(evidence.by_root(&proof_id(&self.id))), "the same, as root"),
            Control::ByRoot(what, _) => (Some(evidence.by_root(&proof_id(&self.id))), *what),
            Control::ByAgent(what, _) => (Some(evidence.by_agent(&proof_id(&self.id))), *what),
        };
        let expected = if proof.is_some() { Outcome::Refused } else { Outcome::Allowed };
        let same = matches!(self.control, Control::SameByRoot);
        let (outcome, result) = judged(&run, proof.as_ref(), same);
        Check {
            id: self.id.clone(),
            what: self.what.clone(),
            outcome,
            expected,
            result,
            detail: run.detail,
            seconds: run.seconds,
            control: proof.map(|run| Proof { what: what.to_owned(), outcome: run.outcome, detail: run.detail }),
        }
    }
}

/// No attack's own id ends like this.
fn proof_id(id: &str) -> String {
    format!("{id}+")
}

fn judged(run: &Run, proof: Option<&Run>, same: bool) -> (Outcome, Verdict) {
    let seen = |proof: &Run| match proof.outcome {
        Outcome::Allowed => (run.outcome, Verdict::Met),
        // Neither the agent nor root finds anything there.
        Outcome::Nothing if same => (Outcome::Nothing, Verdict::Met),
        // A probe that nobody saw succeed proves nothing.
        _ => (run.outcome, Verdict::Unobserved),
    };
    match (run.outcome, proof) {
        (Outcome::Allowed, None) => (Outcome::Allowed, Verdict::Met),
        (Outcome::Error, _) => (Outcome::Error, Verdict::Unobserved),
        (outcome, None) | (outcome @ (Outcome::Allowed | Outcome::Silent), Some(_)) => (outcome, Verdict::NotMet),
        (Outcome::Nothing, Some(proof)) => match proof.outcome {
            Outcome::Allowed | Outcome::Nothing => (Outcome::Nothing, Verdict::Met),
            _ => (Outcome::Nothing, Verdict::Unobserved),
        },
        (Outcome::Refused | Outcome::Holds | Outcome::Differs, Some(proof)) => seen(proof),
    }
}

/// What a look found: whether it is as it should be, and in which words; or why it could not be told.
pub fn look(id: &str, what: impl Into<String>, found: Result<(bool, String), String>) -> Check {
    let (outcome, result, detail) = match found {
        Ok((true, words)) => (Outcome::Holds, Verdict::Met, words),
        Ok((false, words)) => (Outcome::Differs, Verdict::NotMet, words),
        Err(why) => (Outcome::Error, Verdict::Unobserved, why),
    };
    Check {
        id: id.to_owned(),
        what: what.into(),
        outcome,
        expected: Outcome::Holds,
        result,
        detail,
        seconds: 0.0,
        control: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcome: Outcome) -> Run {
        Run { id: String::new(), outcome, detail: String::new(), seconds: 0.0 }
    }

    #[test]
    fn a_refusal_counts_only_where_success_could_be_seen() {
        use Outcome::{Allowed, Error, Nothing, Refused, Silent};
        let verdict = |outcome, proof: Outcome, same| judged(&run(outcome), Some(&run(proof)), same).1;
        assert_eq!(verdict(Refused, Allowed, true), Verdict::Met);
        for blind in [Refused, Silent, Error, Nothing] {
            assert_eq!(verdict(Refused, blind, false), Verdict::Unobserved, "{blind:?}");
        }
        assert_eq!(verdict(Refused, Nothing, true), Verdict::Met);
        for through in [Allowed, Silent] {
            for proof in [Allowed, Refused, Error] {
                assert_eq!(verdict(through, proof, true), Verdict::NotMet, "{through:?} {proof:?}");
            }
        }
        assert_eq!(verdict(Error, Allowed, true), Verdict::Unobserved);
    }

    #[test]
    fn what_must_work_is_not_met_when_it_does_not() {
        assert_eq!(judged(&run(Outcome::Allowed), None, false).1, Verdict::Met);
        for bad in [Outcome::Refused, Outcome::Silent, Outcome::Nothing] {
            assert_eq!(judged(&run(bad), None, false).1, Verdict::NotMet, "{bad:?}");
        }
        assert_eq!(judged(&run(Outcome::Error), None, false).1, Verdict::Unobserved);
    }
}
