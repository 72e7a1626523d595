//! Where the agent's data is backed up to, when, and for how long it is kept.

use super::alarm::Alarm;
use super::quantity::Size;
use super::store::Store;
use super::switch;
use crate::fault::Fault;
use crate::name::{EnvName, PublicKey};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The section `backup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// A host of petasos.yaml with `role: vault`; or else `repository`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// A place that Petasos has no login at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Store>,
    /// The host key that shows itself there, where it takes a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<PublicKey>,
    /// Where the host reaches the vault, if that is another address than the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When it begins, by the host's clock; each host some minutes later, of its own.
    #[serde(default = "at_night", deserialize_with = "time_of_day")]
    pub at: String,
    #[serde(default)]
    pub keep: Keep,
    /// What the host's backups may take of a vault; none where nothing limits them.
    #[serde(default = "some_nights", deserialize_with = "switch::read")]
    pub limit: Option<Size>,
    /// Who is told when one fails.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "switch::read")]
    pub alarm: Option<Alarm>,
}

impl Backup {
    /// As people name where it goes.
    pub fn shown(&self) -> &str {
        self.vault.as_deref().or(self.repository.as_ref().map(Store::as_str)).unwrap_or_default()
    }

    /// The secrets that it takes to go there, and to tell people that it did not.
    pub fn secrets(&self) -> impl Iterator<Item = &EnvName> {
        let alarm = self.alarm.iter().flat_map(Alarm::secrets);
        self.repository.iter().flat_map(Store::secrets).chain(alarm)
    }
}

/// How many of the days, weeks and months that have a backup keep one: the first that arrived in
/// each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    #[serde(default = "seven")]
    pub daily: u32,
    #[serde(default = "five")]
    pub weekly: u32,
    #[serde(default = "twelve")]
    pub monthly: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { daily: seven(), weekly: five(), monthly: twelve() }
    }
}

impl Keep {
    /// Whether it keeps any.
    pub fn any(self) -> bool {
        self.daily > 0 || self.weekly > 0 || self.monthly > 0
    }
}

fn some_nights() -> Option<Size> {
    serde_json::from_value("20G".into()).ok()
}
fn at_night() -> String {
    "03:00".into()
}
fn seven() -> u32 {
    7
}
fn five() -> u32 {
    5
}
fn twelve() -> u32 {
    12
}

/// `HH:MM`.
fn time_of_day<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    /// Some readers of YAML take `03:00` for a number to the base of sixty.
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a time of day is expected here (such as `\"03:00\"`)")]
    enum Written {
        Number(i64),
        Text(String),
    }
    let text = match Written::deserialize(from)? {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    };
    let part = |part: &str, most: u8| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u8>().is_ok_and(|n| n <= most)
    };
    match text.split_once(':') {
        Some((hour, minute)) if part(hour, 23) && part(minute, 59) => Ok(text),
        _ => {
            let fault = Fault::new(format!("`{}` is no time of day", text.escape_debug()));
            Err(D::Error::custom(fault.hint("write hour and minute, in quotes: `\"03:00\"`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Backup, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_vault_is_enough() {
        let backup = read("vault: box").unwrap();
        assert_eq!((backup.at.as_str(), backup.keep), ("03:00", Keep { daily: 7, weekly: 5, monthly: 12 }));
        assert_eq!(read("{ vault: box, at: '23:59', keep: { daily: 0 } }").unwrap().keep.daily, 0);
    }

    #[test]
    fn a_time_of_day_has_an_hour_and_a_minute() {
        for wrong in ["24:00", "3:00", "03:60", "03", "03:00:00", "+3:00", "nightly", "10800"] {
            let error = read(&format!("{{ vault: box, at: '{wrong}' }}")).unwrap_err();
            assert!(error.contains(&format!("`{wrong}` is no time of day")), "{error}");
        }
        assert!(read("{ vault: box, at: 10800 }").unwrap_err().contains("is no time of day"));
    }
}
