//! petasos.yaml, petasos.lock and secrets: parsed once, at the edge, into checked types.

pub mod alarm;
pub mod approvals;
pub mod atomic;
pub mod backup;
pub mod base_url;
mod contradictions;
pub mod egress;
mod file;
mod key_fault;
pub mod lesson;
pub mod lock;
mod names;
pub mod network;
mod overlay;
pub mod packages;
pub mod packs;
pub mod pattern;
pub mod platform;
pub mod quantity;
pub mod rate;
pub mod redact;
pub mod rules;
pub mod sandbox;
pub mod settings;
pub mod store;
mod switch;
pub mod target;
pub mod tools;

pub use file::Config;
pub use key_fault::KeyFault;
pub use settings::Settings;
pub use target::Target;

#[cfg(test)]
mod tests;
