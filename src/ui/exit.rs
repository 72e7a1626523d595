//! Exit codes, everywhere.

use crate::run::RunError;

/// Converged, or proved.
pub const DONE: u8 = 0;
pub const ERROR: u8 = 1;
/// Something differs from what is wanted.
pub const DRIFT: u8 = 2;
pub const UNOBSERVED: u8 = 3;
/// Rolled back.
pub const ROLLED_BACK: u8 = 4;
pub const USAGE: u8 = 64;

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
