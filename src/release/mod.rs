//! Releases of the agent: resolve, verify, pin.
