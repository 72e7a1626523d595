//! Secrets that may be committed: values in a file that is encrypted with age to the operators'
//! keys. What is here reads and writes texts; who opens files and asks for passphrases is
//! `command`.

mod identity;
mod recipient;
mod sealed;
mod values;

pub use identity::{Key, Locked, OpenKeys};
pub use recipient::{Recipients, is_key};
pub use sealed::{Header, OpenError, Plain, open, seal};
pub use values::{FORMAT, Values};

/// The file, beside petasos.yaml.
pub const FILE: &str = "secrets.yaml.age";

#[cfg(test)]
mod tests;
