//! petasos.yaml, petasos.lock and secrets: parsed once, at the edge, into checked types.

pub mod egress;
pub mod lock;
pub mod settings;
pub mod target;

pub use settings::{Config, Settings};
pub use target::Target;
