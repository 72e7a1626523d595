//! Releases of the agent: resolve, verify, pin; and the scripts that install and switch them.
pub mod git;
pub mod pin;
pub mod pinned;
pub mod steps;
pub mod target;
