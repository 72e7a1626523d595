//! The registry, and judgements on answers that a driver gave.

use super::*;
