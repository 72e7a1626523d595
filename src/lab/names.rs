//! The names and addresses of the lab's internet, read from `templates/lab/internet/names`.
use std::net::Ipv4Addr;

const NAMES: &str = include_str!("../../templates/lab/internet/names");

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub address: Ipv4Addr,
    pub names: Vec<String>,
}

pub fn places() -> Vec<Place> {
    parse(NAMES)
}

fn parse(text: &str) -> Vec<Place> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = words.next()?.parse().ok()?;
            Some(Place { address, names: words.map(str::to_owned).collect() })
        })
        .collect()
}

/// A hosts file for the resolver.
pub fn hosts_file(places: &[Place]) -> String {
    places
        .iter()
        .filter(|place| !place.names.is_empty())
        .map(|place| format!("{} {}\n", place.address, place.names.join(" ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_shipped_file_is_a_place() {
        let lines = NAMES.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(places().len(), lines);
    }
}
