//! From whatever ended a command to the error that is shown: one message, one hint.

use crate::config::KeyFault;
use crate::config::lock::LockError;
use crate::fault::Fault;
use crate::pin::request::RequestError;
use crate::pin::resolve::PinError;
use crate::run::RunError;
use std::error::Error;

/// The message of an error and its causes, and the hint of the outermost that has one.
pub fn fault(error: &anyhow::Error) -> Fault {
    let mut all = Fault::new("");
    // A cause that is the context of another one has lost its type in the chain.
    let context = error.downcast_ref::<Fault>();
    for cause in error.chain() {
        let text = cause.to_string();
        let cause = context.filter(|context| context.to_string() == text).cloned().unwrap_or_else(|| one(cause));
        // Some include their cause's message themselves.
        if all.message.is_empty() {
            all.message = cause.message;
        } else if !all.message.ends_with(&cause.message) {
            all.message = format!("{}: {}", all.message, cause.message);
        }
        all.hint = all.hint.or(cause.hint);
    }
    all
}

fn one(cause: &(dyn Error + 'static)) -> Fault {
    fn known<E: Error + 'static>(cause: &(dyn Error + 'static), fault: fn(&E) -> Fault) -> Option<Fault> {
        cause.downcast_ref::<E>().map(fault)
    }
    known::<Fault>(cause, Fault::clone)
        .or_else(|| known::<KeyFault>(cause, |wrong| wrong.fault.clone()))
        .or_else(|| known::<RunError>(cause, RunError::fault))
        .or_else(|| known::<LockError>(cause, LockError::fault))
        .or_else(|| known::<PinError>(cause, PinError::fault))
        .or_else(|| known::<RequestError>(cause, RequestError::fault))
        .unwrap_or_else(|| Fault::new(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn the_hint_comes_last_whatever_the_causes_say() {
        let error = Err::<(), _>(Fault::new("no such file").hint("look")).context("cannot read `x`").unwrap_err();
        assert_eq!(fault(&error), Fault::new("cannot read `x`: no such file").hint("look"));
        let io = std::io::Error::other("the disk is full");
        let error = Err::<(), _>(io).context(Fault::new("cannot write `x`").hint("make room")).unwrap_err();
        assert_eq!(fault(&error), Fault::new("cannot write `x`: the disk is full").hint("make room"));
        assert_eq!(fault(&anyhow!("a: b").context("c")), Fault::new("c: a: b"));
        let lock = LockError::Missing("petasos.lock".into());
        assert_eq!(fault(&lock.into()).hint.as_deref(), Some("`petasos pin VERSION` resolves a release and writes it"));
    }
}
