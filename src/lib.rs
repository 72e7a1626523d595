//! Petasos: a fresh Ubuntu or Debian VPS becomes a hardened host for the Hermes Agent.
#![cfg_attr(not(test), warn(unused_crate_dependencies))]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::get_unwrap, clippy::panic, clippy::unreachable)]
#![warn(clippy::print_stdout, clippy::print_stderr)]
#![warn(clippy::indexing_slicing, clippy::string_slice, clippy::exit, clippy::verbose_file_reads)]
pub mod act;
pub mod addresses;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod cli;
pub mod command;
pub mod config;
pub mod desired;
pub mod fact;
pub mod fault;
pub mod guard;
pub mod incident;
pub mod lab;
pub mod name;
pub mod pin;
pub mod places;
pub mod plan;
pub mod playbook;
pub mod release;
pub mod resource;
pub mod review;
pub mod run;
pub mod secret;
pub mod shell;
pub mod starters;
pub mod transport;
pub mod ui;
pub mod verify;
pub mod wording;
pub mod yaml;
