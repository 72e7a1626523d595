//! One thin file per verb: its arguments, and what it asks of the rest.

pub mod audit;
pub mod backup;
pub mod changes;
pub mod completions;
pub mod demo;
pub mod denials;
pub mod doctor;
mod each;
pub mod egress;
mod explain;
pub mod facts;
mod files;
pub mod history;
mod hosts;
pub mod incident;
pub mod init;
pub mod lab;
mod lab_review;
pub mod man;
pub mod pin;
pub mod plan;
pub mod policy;
mod private_keys;
mod reach;
pub mod render;
pub mod secret;
mod secrets_file;
mod since;
pub mod undo;
pub mod up;
pub mod verify;

pub use explain::fault;
