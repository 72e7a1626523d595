//! A release of the agent, as data: what petasos.lock says of it, and the scripts that install it
//! on a host and switch to it. Pure.

pub mod environment;
pub mod pinned;
pub mod python;
pub mod quote;
pub mod reviewed;
pub mod steps;
