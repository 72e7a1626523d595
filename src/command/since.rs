//! How far to look back: `90m`, `24h`, `7d`.

use crate::fault::Fault;

/// The text, if it is a number and a unit.
///
/// # Errors
/// When it is not.
pub fn checked(text: &str) -> Result<String, Fault> {
    seconds(text).map(|_| text.to_owned())
}

/// How many seconds that is.
///
/// # Errors
/// When it is no number and unit.
pub fn seconds(text: &str) -> Result<u64, Fault> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86400)];
    let parts = units.iter().find_map(|(unit, size)| text.strip_suffix(*unit).map(|number| (number, *size)));
    let (number, size) = parts.unwrap_or(("", 0));
    if number.is_empty() || number.len() > 6 || !number.chars().all(|c| c.is_ascii_digit()) {
        return Err("write a number and a unit, such as 90m, 24h or 7d".into());
    }
    Ok(number.parse::<u64>().unwrap_or(0) * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit() {
        assert_eq!((seconds("24h"), seconds("90s"), seconds("2d")), (Ok(86400), Ok(90), Ok(172_800)));
        for bad in ["", "h", "24", "1 h", "-1h", "1h; id", "yesterday"] {
            assert!(seconds(bad).is_err() && checked(bad).is_err(), "{bad}");
        }
    }
}
