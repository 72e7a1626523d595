//! Releases of the agent: resolve, verify, pin; and the scripts that install and switch them.
pub mod environment;
pub mod git;
pub mod pin;
pub mod pinned;
pub mod project;
pub mod quote;
pub mod steps;
pub mod target;
