//! Which backups are kept. They are counted by when they arrived: what a host says of itself, it
//! may say to have others forgotten.

use super::Snapshot;
use crate::calendar::calendar;
use crate::config::backup::Keep;
use std::collections::{BTreeMap, BTreeSet};

/// Made and arrived further apart than this, a backup is not what it says; in seconds. A long one
/// takes hours.
const APART: i64 = 6 * 3600;
/// The last days' are kept whatever the rest says; in seconds.
const RECENT: i64 = 2 * 86_400;
/// Those that every night makes.
pub const NIGHTLY: &str = "nightly";

/// Why one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Newest,
    Recent,
    Day,
    Week,
    Month,
    /// It says another time than that of its arrival: for people to look at.
    Odd,
    /// No nightly one, such as that of an incident.
    Other,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "the newest",
            Self::Recent => "of the last two days",
            Self::Day => "the day's first",
            Self::Week => "the week's first",
            Self::Month => "the month's first",
            Self::Odd => "dated otherwise than it arrived",
            Self::Other => "no nightly one, such as evidence",
        }
    }
}

/// Why each is kept, in their order; none for one that goes. `now`: in seconds since the epoch.
pub fn kept(snapshots: &[Snapshot], keep: Keep, now: i64) -> Vec<Option<Why>> {
    let mut due: Vec<(i64, usize)> = snapshots
        .iter()
        .enumerate()
        .filter(|(_, one)| set_apart(one).is_none())
        .map(|(at, one)| (one.arrived, at))
        .collect();
    due.sort_unstable();
    // The first that says why a backup is kept.
    let mut whys: BTreeMap<usize, Why> = BTreeMap::new();
    let mut keeps = |at: usize, why: Why| {
        whys.entry(at).or_insert(why);
    };
    due.last().into_iter().for_each(|(_, at)| keeps(*at, Why::Newest));
    due.iter().filter(|(arrived, _)| now - arrived < RECENT).for_each(|(_, at)| keeps(*at, Why::Recent));
    let periods = [
        (Why::Day, keep.daily, day as Period),
        (Why::Week, keep.weekly, week as Period),
        (Why::Month, keep.monthly, month as Period),
    ];
    for (why, count, period) in periods {
        // The first that arrived in each: one that comes later takes no other's place.
        let mut firsts: BTreeMap<String, (i64, usize)> = BTreeMap::new();
        for (arrived, at) in &due {
            firsts.entry(period(*arrived)).or_insert((*arrived, *at));
        }
        let firsts: BTreeSet<(i64, usize)> = firsts.into_values().collect();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        firsts.into_iter().rev().take(count).for_each(|(_, at)| keeps(at, why));
    }
    snapshots.iter().enumerate().map(|(at, one)| set_apart(one).or_else(|| whys.get(&at).copied())).collect()
}

type Period = fn(i64) -> String;

/// Why one is kept without being counted.
fn set_apart(snapshot: &Snapshot) -> Option<Why> {
    if !snapshot.tags.iter().any(|tag| tag == NIGHTLY) {
        Some(Why::Other)
    } else if snapshot.arrived.abs_diff(snapshot.made) > APART.unsigned_abs() {
        Some(Why::Odd)
    } else {
        None
    }
}

/// By UTC, as all of these.
fn day(seconds: i64) -> String {
    seconds.div_euclid(86_400).to_string()
}

/// From Monday on: the epoch was a Thursday.
fn week(seconds: i64) -> String {
    (seconds.div_euclid(86_400) + 3).div_euclid(7).to_string()
}

fn month(seconds: i64) -> String {
    calendar(seconds.max(0).unsigned_abs()).chars().take(7).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;
    /// 2026-11-29 12:00 UTC, a Sunday.
    const NOW: i64 = 1_795_953_600;
    const KEEP: Keep = Keep { daily: 7, weekly: 5, monthly: 12 };

    fn nightly(id: usize, made: i64, arrived: i64) -> Snapshot {
        let (id, host, tags) = (format!("{id:064x}"), "web".to_owned(), vec![NIGHTLY.to_owned()]);
        Snapshot { id, made, arrived, host, tags, bytes: None }
    }

    /// One a night for so many nights, the newest last.
    fn nights(count: usize) -> Vec<Snapshot> {
        let arrived = |at: usize| NOW - 9 * 3600 - DAY * i64::try_from(count - 1 - at).unwrap();
        (0..count).map(|at| nightly(at, arrived(at) - 60, arrived(at))).collect()
    }

    #[test]
    fn a_year_of_nights_leaves_days_weeks_and_months() {
        let whys = kept(&nights(365), KEEP, NOW);
        let count = |why| whys.iter().filter(|kept| **kept == Some(why)).count();
        // The newest and that of the night before are days' first, too.
        assert_eq!((count(Why::Newest), count(Why::Recent), count(Why::Day)), (1, 1, 5));
        // Some weeks and months begin with one that is kept already.
        assert!(whys.iter().flatten().count() >= 7 + 4 + 10, "{whys:?}");
        assert!(whys.iter().flatten().count() <= 7 + 5 + 12, "{whys:?}");
    }

    #[test]
    fn false_dates_take_no_real_one_s_place() {
        let mut all = nights(14);
        let real = all.len();
        // What a host planted an hour ago: one for each of the real days, and one of next year.
        all.extend((0..14).map(|at| nightly(100 + at, NOW - DAY * i64::try_from(at + 1).unwrap(), NOW - 3600)));
        all.push(nightly(200, NOW + 300 * DAY, NOW - 3600));
        let whys = kept(&all, KEEP, NOW);
        let alone = kept(&nights(14), KEEP, NOW);
        assert_eq!(whys[..real], alone[..]);
        assert!(whys[real..].iter().all(|why| *why == Some(Why::Odd)), "{whys:?}");
    }

    #[test]
    fn many_of_one_night_are_one() {
        let mut all = nights(10);
        let flood = (0..1000).map(|at| nightly(1000 + at, NOW - 3 * DAY, NOW - 3 * DAY));
        all.extend(flood);
        let whys = kept(&all, KEEP, NOW);
        assert_eq!(whys[..10], kept(&nights(10), KEEP, NOW)[..]);
        assert!(whys[10..].iter().all(Option::is_none));
    }

    #[test]
    fn without_times_of_arrival_nothing_goes() {
        // All copied to another disk just now.
        let all: Vec<Snapshot> = nights(60).into_iter().map(|one| Snapshot { arrived: NOW - 60, ..one }).collect();
        assert_eq!(kept(&all, KEEP, NOW).iter().filter(|why| why.is_none()).count(), 0);
    }

    #[test]
    fn what_is_no_nightly_one_stays() {
        let incident = Snapshot { tags: vec!["incident".into()], ..nightly(1, NOW - 900 * DAY, NOW - 900 * DAY) };
        assert_eq!(kept(&[incident], Keep { daily: 1, weekly: 0, monthly: 0 }, NOW), [Some(Why::Other)]);
    }

    proptest! {
        /// Whatever is added later, a real one that would be kept is kept.
        #[test]
        fn what_comes_later_drives_nothing_out(planted in prop::collection::vec((-400i64..400, 0i64..DAY), 0..40)) {
            let real = nights(100);
            let before = kept(&real, KEEP, NOW);
            let mut all = real.clone();
            // It arrives today, whatever it says.
            all.extend(planted.iter().enumerate().map(|(at, (days, ago))| nightly(1000 + at, NOW + days * DAY, NOW - ago / 4)));
            let after = kept(&all, KEEP, NOW);
            for (at, why) in before.iter().enumerate() {
                prop_assert!(why.is_none() || after[at].is_some(), "{at}: {why:?}");
            }
        }
    }
}
