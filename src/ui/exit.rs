//! Exit codes, everywhere.

use crate::run::RunError;

/// Converged, or proved.
pub const DONE: u8 = 0;
pub const ERROR: u8 = 1;
/// Something differs from the desired state.
pub const DRIFT: u8 = 2;
pub const UNOBSERVED: u8 = 3;
/// Rolled back.
pub const ROLLED_BACK: u8 = 4;
pub const USAGE: u8 = 64;

/// The one of several hosts, the first of these that any of them has:
///
/// 1. rolled back: the host was changed and is not unchanged; nothing is more urgent to look at;
/// 2. an error: that host's state is not known, so nothing can be reported of it;
/// 3. drift, or a control that is not met: known to be wrong;
/// 4. not observed: perhaps wrong;
/// 5. done.
///
/// What is none of them counts as an error.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: &u8| match *code {
        DONE => 0,
        UNOBSERVED => 1,
        DRIFT => 2,
        ROLLED_BACK => 4,
        _ => 3,
    };
    codes.into_iter().max_by_key(rank).unwrap_or(DONE)
}

/// The exit code of a command that ended early.
pub fn of_error(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<RunError>().map_or(ERROR, of_run)
}

/// The exit code of a run that ended early.
pub fn of_run(error: &RunError) -> u8 {
    match error {
        RunError::Unknown { .. } => UNOBSERVED,
        RunError::ReleaseRolledBack { .. } | RunError::RolledBack { .. } => ROLLED_BACK,
        RunError::NotConverged { .. } => DRIFT,
        RunError::Transport(_)
        | RunError::Host { .. }
        | RunError::Step { .. }
        | RunError::Lost { .. }
        | RunError::Locked { .. }
        | RunError::Away { .. }
        | RunError::AdminLogin { .. } => ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written out, so that the order is what the table says and not what the code does.
    #[test]
    fn of_two_hosts_the_worse_one_counts_whichever_comes_first() {
        let from_the_worst = [4, 1, 2, 3, 0];
        for (at, worse) in from_the_worst.into_iter().enumerate() {
            for other in from_the_worst[at..].iter().copied() {
                assert_eq!((worst([worse, other]), worst([other, worse])), (worse, worse), "{worse} and {other}");
            }
        }
        assert_eq!((worst([]), worst([0, 3, 2, 0])), (0, 2));
    }
}
