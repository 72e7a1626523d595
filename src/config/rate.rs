//! How many in which time: `30/hour`.

use super::switch;
use crate::fault::Fault;
use crate::wording;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

const UNITS: [(&str, u32); 4] = [("minute", 60), ("hour", 3600), ("day", 86_400), ("month", 2_592_000)];

/// As far as the audit writer counts: `HIGHEST` of its `counters`.
const MOST: u32 = 100_000;

/// At most so many in any stretch of so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    pub count: NonZeroU32,
    pub seconds: u32,
}

impl Rate {
    pub const fn an_hour(count: NonZeroU32) -> Self {
        Self { count, seconds: 3600 }
    }
}

/// What a user gets in an hour where nothing is said.
pub const USUAL: Rate = Rate::an_hour(NonZeroU32::MIN.saturating_add(29));

impl TryFrom<String> for Rate {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let form = "write `30/hour`; units are minute, hour, day and month; `off` sets no limit";
        let wrong = || Fault::new(format!("`{text}` is not a rate")).hint(form);
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let number = count.trim().parse::<u32>().map_err(|_| wrong())?;
        let unit = unit.trim();
        let Some((_, seconds)) = UNITS.into_iter().find(|(name, _)| *name == unit) else {
            let near = wording::nearest(unit, UNITS.into_iter().map(|(name, _)| name));
            let near = near.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
            return Err(Fault::new(format!("`{unit}` is not a unit of rates")).hint(format!("{near}{form}")));
        };
        let count = NonZeroU32::new(number).ok_or_else(|| {
            Fault::new(format!("a rate of {text} lets nobody in"))
                .hint("`off` sets no limit; to let nobody in, remove the platform")
        })?;
        if number > MOST {
            let fault = Fault::new(format!("a rate counts to {MOST}, and not to {number}"));
            return Err(fault.hint("write a smaller number for a shorter time; `off` sets no limit"));
        }
        Ok(Self { count, seconds })
    }
}

/// `agent.rate_limits`: those that are no platform's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// Requests to the agent's own API, whose key never leaves the host.
    #[serde(default, deserialize_with = "switch::read")]
    pub api: Option<Rate>,
    /// What comes in by one route of the webhooks.
    #[serde(default = "usual", deserialize_with = "switch::read")]
    pub webhook_route: Option<Rate>,
    /// Calls of the model, whoever is behind them: a budget.
    #[serde(default, deserialize_with = "switch::read")]
    pub model_calls: Option<Rate>,
}

pub fn usual() -> Option<Rate> {
    Some(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        let read = |text: &str| Rate::try_from(text.to_owned()).map(|rate| (rate.count.get(), rate.seconds));
        assert_eq!(read("30/hour"), Ok((30, 3600)));
        assert_eq!(read("5000/month"), Ok((5000, 2_592_000)));
        assert_eq!((USUAL.count.get(), USUAL.seconds), (30, 3600));
        for (bad, part) in [
            ("0/hour", "lets nobody in"),
            ("30/hours", "did you mean `hour`?"),
            ("30/fortnight", "units are"),
            ("30", "is not a rate"),
            ("-1/hour", "is not a rate"),
            ("", "is not a rate"),
        ] {
            assert!(read(bad).is_err_and(|why| why.to_string().contains(part)), "{bad}");
        }
    }
}
