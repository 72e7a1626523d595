//! Numbers with a unit, as petasos.yaml has them.

use crate::fault::Fault;
use crate::name::byte_count;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;

/// A number without a unit as text, or one with its unit; and what else a reader of YAML makes of a
/// word, so that the error is about the value.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a number is expected here, or one with its unit (such as `512M` or `90s`)")]
enum Written {
    Number(u64),
    Negative(i64),
    Fraction(f64),
    Flag(bool),
    Text(String),
}

impl Written {
    /// The value as an error names it.
    fn named(&self) -> String {
        match self {
            // YAML does not keep which of the words it was.
            Self::Flag(_) => "a boolean (`on`, `off`, `yes`, `no`)".into(),
            Self::Number(_) | Self::Negative(_) | Self::Fraction(_) | Self::Text(_) => format!("`{self}`"),
        }
    }
}

impl std::fmt::Display for Written {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Negative(number) => write!(out, "{number}"),
            Self::Fraction(number) => write!(out, "{number}"),
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// A value as it is written, whether YAML takes it for a number or for a word.
///
/// # Errors
/// When it is neither.
pub(super) fn written<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Written::deserialize(from).map(|written| written.to_string())
}

/// A number of things that there must be.
///
/// # Errors
/// When it is none, or zero.
pub(super) fn some<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    NonZeroU32::deserialize(from).map(NonZeroU32::get)
}

/// A name of somebody else's: any text but an empty one.
///
/// # Errors
/// When it is empty, or has white space around it or control characters in it.
pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        let fault = Fault::new(format!("`{}` is no name", text.escape_debug()));
        return Err(D::Error::custom(fault.hint("write it without white space around it, or remove the key")));
    }
    Ok(text)
}

/// The same, where the key may be left empty.
///
/// # Errors
/// As for [`name`].
pub(super) fn name_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Name(#[serde(deserialize_with = "name")] String);
    Ok(Option::<Name>::deserialize(from)?.map(|Name(name)| name))
}

/// A time: `90`, `90s`, `3m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "u32")]
pub struct Seconds(pub NonZeroU32);

impl TryFrom<Written> for Seconds {
    type Error = Fault;

    fn try_from(written: Written) -> Result<Self, Fault> {
        let text = written.to_string();
        let wrong =
            || Fault::new(format!("{} is not a time", written.named())).hint("write seconds, or `90s`, `3m`, `1h`");
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let factor = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
        let seconds = seconds.ok_or_else(wrong)?;
        NonZeroU32::new(seconds)
            .map(Self)
            .ok_or_else(|| Fault::new("a time of zero leaves none").hint("write seconds, or `90s`, `3m`, `1h`"))
    }
}

impl From<Seconds> for u32 {
    fn from(seconds: Seconds) -> u32 {
        seconds.0.get()
    }
}

/// An amount of memory or of disk, as systemd has it: `512M`, `1G`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Size(String);

impl TryFrom<Written> for Size {
    type Error = Fault;

    fn try_from(written: Written) -> Result<Self, Fault> {
        let text = written.to_string();
        match byte_count(&text) {
            Some(1..) => Ok(Self(text)),
            Some(0) => Err(Fault::new("a size of zero leaves no room").hint("write it with its unit, such as `512M`")),
            None => {
                let wrong = Fault::new(format!("{} is not a size", written.named()));
                Err(wrong.hint("write it with its unit: `512M`, `1G`"))
            }
        }
    }
}

impl Size {
    /// # Errors
    /// It is smaller; `why` says what has too little, and is given the size.
    pub fn at_least(&self, least: &str, why: impl FnOnce(&str) -> String) -> Result<(), Fault> {
        if Some(self.bytes()) >= byte_count(least) {
            return Ok(());
        }
        Err(Fault::new(why(&self.0)).hint(format!("give it {least} or more")))
    }

    /// As far as that can be counted.
    pub fn bytes(&self) -> u64 {
        byte_count(&self.0).unwrap_or(u64::MAX)
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_unit_counts_and_zero_does_not() {
        let seconds = |value: Value| serde_json::from_value::<Seconds>(value).map(u32::from).ok();
        assert_eq!(seconds(json!(60)), Some(60));
        assert_eq!(["60", "90s", "3m", "1h"].map(|text| seconds(json!(text))), [60, 90, 180, 3600].map(Some));
        for bad in [json!(0), json!("0s"), json!("3d"), json!("s"), json!(""), json!("-1s"), json!("99999999h")] {
            assert_eq!(seconds(bad.clone()), None, "{bad}");
        }
        let size = |value: Value| serde_json::from_value::<Size>(value).map(String::from).ok();
        assert_eq!(size(json!("512M")).as_deref(), Some("512M"));
        for bad in [json!("0M"), json!(512), json!("1GB"), json!("M"), json!("1G\nX=1"), json!("-1G")] {
            assert_eq!(size(bad.clone()), None, "{bad}");
        }
    }
}
