//! The lines of an authorized_keys(5) text.

use super::digest;
use crate::name::is_public_key;

/// The lines of an authorized_keys(5) text that are keys without options: an option such as
/// `command=` would not carry over.
pub fn plain_keys(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| is_public_key(line)).fold(String::new(), |keys, line| keys + line + "\n")
}

/// The options of the lines of such a text that have some before a key.
pub fn options(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| {
        let (at, _) = line.match_indices(' ').find(|(at, _)| is_public_key(line.get(at + 1..).unwrap_or_default()))?;
        line.get(..at).map(str::to_owned)
    })
}

/// Digests of the two keys that Vagrant's boxes come with (`keys/vagrant.pub.*` in its source), as
/// they stand in such a line.
const PUBLISHED: [&str; 2] = [
    "430aa56263d2dd8ee6256385a472a70496150a9c4e83e9cc9077b122fdbcf628",
    "f259e5edf634a4025455047db5d31a9954d476c383a6c00e4250e6639794d9d6",
];

/// Whether everybody has the private half of a line's key.
pub fn published(line: &str) -> bool {
    line.split_whitespace().nth(1).is_some_and(|key| PUBLISHED.contains(&digest(key).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_what_stands_before_a_key() {
        let text = "# ssh-ed25519 no\nssh-ed25519 AAAA me\nfrom=\"192.0.2.1, x\",no-pty ssh-ed25519 AAAA me\n";
        assert_eq!(plain_keys(text), "ssh-ed25519 AAAA me\n");
        assert_eq!(options(text).collect::<Vec<_>>(), ["from=\"192.0.2.1, x\",no-pty"]);
    }

    #[test]
    fn vagrants_key_is_known_by_itself() {
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y";
        assert!(published(&format!("ssh-ed25519 {key} somebody")));
        assert!(!published(&format!("ssh-ed25519 {key}x somebody")));
    }
}
