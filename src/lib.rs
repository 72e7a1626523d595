//! Petasos: a fresh Ubuntu or Debian VPS becomes a hardened host for the Hermes Agent.
pub mod cli;
pub mod command;
pub mod config;
pub mod lab;
pub mod release;
pub mod shell;
