//! The agent's audit log: what its lines say, whether their chain holds, and what its refusals ask
//! for.

pub mod chain;
pub mod denials;
pub mod record;
pub mod rule;
pub mod words;

#[cfg(test)]
mod tests;
