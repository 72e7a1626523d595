//! petasos.yaml, petasos.lock and secrets: parsed once, at the edge, into checked types.

pub mod base_url;
pub mod egress;
mod file;
pub mod lock;
pub mod packs;
pub mod settings;
pub mod target;

pub use file::Config;
pub use settings::Settings;
pub use target::Target;
