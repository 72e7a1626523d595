//! From a version or a tag to facts for petasos.lock: asks the release source by git.

pub mod git;
pub mod project;
mod pythons;
pub mod request;
pub mod resolve;
pub mod source;
pub mod verdict;
