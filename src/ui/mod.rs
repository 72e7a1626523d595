//! What people and programs see: progress on stderr, reports on stdout.

pub mod audit_text;
mod bars;
pub mod doctor_text;
pub mod exit;
pub mod html;
mod print;
pub mod progress;
pub mod report;
pub mod verify_text;
mod visible;

pub use print::{error, json, json_line, note, out, raw, secret, unless_closed, warning};
pub use visible::line;
