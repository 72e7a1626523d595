//! The controls that a hardened host has, and the attacks that prove them.

pub mod report;
