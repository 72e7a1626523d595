//! The names and addresses of the lab's internet, read from `remote/lab/internet/names`.
use super::net;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const NAMES: &str = include_str!("../../remote/lab/internet/names");

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub address: Ipv4Addr,
    pub six: Ipv6Addr,
    pub names: Vec<String>,
}

impl Place {
    pub fn addresses(&self) -> [IpAddr; 2] {
        [self.address.into(), self.six.into()]
    }
}

pub fn places() -> Vec<Place> {
    parse(NAMES)
}

fn parse(text: &str) -> Vec<Place> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().peekable();
            let address = words.next()?.parse().ok()?;
            let own = words.next_if(|word| word.contains(':'));
            let six = own.map_or(Some(six(address)), |word| word.parse().ok())?;
            Some(Place { address, six, names: words.map(str::to_owned).collect() })
        })
        .collect()
}

/// The address of version 6 of a place that names none: its address of version 4 in a network for
/// documentation.
fn six(address: Ipv4Addr) -> Ipv6Addr {
    let network = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 0);
    Ipv6Addr::from(u128::from(network) | u128::from(u32::from(address)))
}

/// A hosts file for the resolver.
pub fn hosts_file(places: &[Place]) -> String {
    places
        .iter()
        .filter(|place| !place.names.is_empty())
        .flat_map(|place| place.addresses().map(|address| (address, place.names.join(" "))))
        .filter(|(address, _)| address.is_ipv4() || net::has_six())
        .map(|(address, names)| format!("{address} {names}\n"))
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

    #[test]
    fn every_place_has_an_address_of_each_version() {
        let found = parse("8.8.8.8 2001:4860:4860::8888 dns.google\n203.0.113.25 sink.lab.test\n");
        let shown: Vec<String> = found.iter().map(|place| place.six.to_string()).collect();
        assert_eq!(shown, ["2001:4860:4860::8888", "2001:db8:4::cb00:7119"]);
        assert_eq!(
            found.iter().flat_map(|place| place.names.clone()).collect::<Vec<_>>(),
            ["dns.google", "sink.lab.test"]
        );
    }

    #[test]
    fn the_sinks_listen_on_both_addresses_of_their_place() {
        let run = include_str!("../../remote/lab/internet/run.sh");
        let sink = places().into_iter().find(|place| place.names == ["sink.lab.test"]).expect("a place");
        assert!(sink.addresses().iter().all(|address| run.contains(&format!(" {address} "))), "{run}");
    }
}
