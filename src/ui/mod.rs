//! What people and programs see: progress on stderr, reports on stdout.

pub mod html;
pub mod progress;
pub mod proof;
pub mod report;
mod visible;

/// Exit codes, everywhere.
pub mod exit {
    /// Converged, or proved.
    pub const DONE: u8 = 0;
    pub const ERROR: u8 = 1;
    /// Something differs from what is wanted.
    pub const DRIFT: u8 = 2;
    pub const UNOBSERVED: u8 = 3;
    /// Taken back.
    pub const REVERTED: u8 = 4;
    pub const USAGE: u8 = 64;
}
