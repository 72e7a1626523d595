//! What people and programs see: progress on stderr, reports on stdout.

pub mod exit;
pub mod html;
pub mod progress;
pub mod report;
pub mod verify_text;
mod visible;
