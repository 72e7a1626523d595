//! Petasos: a fresh Ubuntu or Debian VPS becomes a hardened host for the Hermes Agent.
pub mod act;
pub mod cli;
pub mod command;
pub mod config;
pub mod fact;
pub mod guard;
pub mod lab;
pub mod name;
pub mod plan;
pub mod playbook;
pub mod release;
pub mod resource;
pub mod run;
pub mod shell;
pub mod transport;
pub mod ui;
pub mod yaml;
