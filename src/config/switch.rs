//! Values that may be switched off: `off`, or what they are when they are on.

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads `off` (which some readers of YAML take for false) as none.
///
/// # Errors
/// What is wrong with the value, where it is not `off`.
pub fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Switch(PhantomData))
}

const ON: &str =
    "a boolean (`on`, `yes`, `true`) says nothing here: it is on with a value of its own, so write that, or `off`";

struct Switch<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Switch<T> {
    type Value = Option<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("`off` or a value")
    }
    fn visit_bool<E: Error>(self, on: bool) -> Result<Option<T>, E> {
        if on { Err(E::custom(ON)) } else { Ok(None) }
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        if text == "off" { Ok(None) } else { T::deserialize(StrDeserializer::new(text)).map(Some) }
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_string())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}
