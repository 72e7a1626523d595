//! Seconds since the epoch as people read them.

/// `2026-11-22 14:17 UTC`, by the Gregorian calendar.
pub fn calendar(seconds: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut days, minutes) = (seconds / 86_400, seconds % 86_400 / 60);
    let mut year = 1970;
    // A clock can say anything; four digits of a year are enough to see that it is wrong.
    while year < 9999 && days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length || month == 12 {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02} {:02}:{:02} UTC", days + 1, minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The oracle is date(1).
    #[test]
    fn the_calendar_is_that_of_date() {
        for seconds in [0, 951_782_399, 951_782_400, 1_709_164_800, 1_795_357_151, 4_107_542_400, 16_725_225_599] {
            let out = Command::new("date").args(["-u", "-d", &format!("@{seconds}"), "+%F %H:%M UTC"]).output();
            let out = String::from_utf8(out.expect("date is on every machine").stdout).expect("UTF-8");
            assert_eq!(calendar(seconds), out.trim(), "{seconds}");
        }
        assert!(calendar(u64::MAX).starts_with("9999-12-"));
    }
}
