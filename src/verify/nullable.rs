//! Fields of JSON that are null or something, and are there.

use serde::{Deserialize, Deserializer};

/// serde lets an `Option` be missing, too.
///
/// # Errors
/// When what is there is something else.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
