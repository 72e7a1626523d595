//! petasos.yaml and petasos.lock: parsed once, at the edge, into checked types.
pub mod lock;
