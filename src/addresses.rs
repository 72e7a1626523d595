//! The ports and addresses on which the parts of a host agree: the agent, its filter, its resolver,
//! its proxy. Each is defined here alone; playbooks and templates get it as a variable.

use std::ops::RangeInclusive;

/// Where the agent's API listens, on loopback.
pub const API_PORT: u16 = 8642;
/// The agent's API, its dashboard, its webhooks: never for others.
pub const AGENT_PORTS: [u16; 3] = [API_PORT, 9119, 8644];

/// What our resolver answers for every allowed name: networks for documentation (RFC 5737) and for
/// nothing (RFC 6666), where nobody is.
pub const SINK_NET: &str = "192.0.2.0/24";
pub const SINK_NET6: &str = "100::/64";

/// An address of each of the two networks. The first stands for HTTPS to any allowed name, those
/// after it for single ports of single hosts.
pub fn sink(number: usize) -> (String, String) {
    (
        format!("{}{number}", SINK_NET.trim_end_matches("0/24")),
        format!("{}{number:x}", SINK_NET6.trim_end_matches("/64")),
    )
}

/// Whom the agent asks for names: an address of loopback that nobody else has or asks.
pub const RESOLVER_ADDR: &str = "127.0.2.53";

/// Where our resolver listens on loopback, then the proxy for HTTPS, then those for single ports.
/// The agent cannot take one while its owner is down.
pub const HELPER_PORTS: RangeInclusive<u16> = 10053..=10255;
pub const RESOLVER_PORT: u16 = *HELPER_PORTS.start();
pub const PROXY_PORT: u16 = RESOLVER_PORT + 1;
/// So many single ports have a proxy.
pub const MOST_SINGLE_PORTS: u16 = 200;
const _: () = assert!(PROXY_PORT + MOST_SINGLE_PORTS <= *HELPER_PORTS.end());

/// The bit of a connection's mark that says: the agent asked for it, on loopback. And all other
/// bits.
pub const CT_MARK: &str = "0x01000000";
pub const CT_UNMASK: &str = "0xfeffffff";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    #[test]
    fn each_number_has_its_address() {
        assert_eq!(sink(1), ("192.0.2.1".into(), "100::1".into()));
        assert_eq!(sink(201), ("192.0.2.201".into(), "100::c9".into()));
    }

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Digests have any digits.
            if path.is_dir() {
                files(&path, found);
            } else if !path.ends_with("reviewed.yaml") {
                found.push(path);
            }
        }
    }

    /// Tests are left out: what they expect is to be written down twice.
    fn code(path: &Path) -> String {
        let text = std::fs::read_to_string(path).unwrap();
        if path.ends_with("tests.rs") {
            String::new()
        } else {
            text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned()
        }
    }

    #[test]
    fn no_other_file_has_such_a_number() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        for folder in ["src", "templates", "playbooks"] {
            files(&root.join(folder), &mut sources);
        }
        assert!(sources.len() > 100, "{} files were read", sources.len());
        for (number, expected) in [
            ("8642", 1),
            ("9119", 1),
            ("8644", 1),
            ("192.0.2.", 1),
            ("100::", 1),
            ("10053", 1),
            ("10255", 1),
            ("127.0.2.53", 1),
            ("01000000", 1),
        ] {
            let lines = sources.iter().flat_map(|path| {
                let code = code(path);
                let lines =
                    code.lines().filter(|line| line.contains(number)).map(|line| (path.clone(), line.to_owned()));
                lines.collect::<Vec<_>>()
            });
            let lines: Vec<_> = lines.collect();
            assert!(
                lines.len() == expected && lines.iter().all(|(path, _)| path.ends_with("src/addresses.rs")),
                "{number}: {lines:#?}"
            );
        }
    }
}
