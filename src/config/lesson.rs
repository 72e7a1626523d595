//! What petasos.lock keeps of what a host says of itself, so that other hosts can be told of it.

use super::lock::HostFacts;
use crate::fault::Fault;
use crate::name::PublicKey;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lesson {
    /// The host's own SSH key.
    SshKey,
    /// The key that its backups come in by.
    BackupKey,
    /// Of a vault: whose backups it lets in, a line each as sshd reads it.
    Admits,
}

impl Lesson {
    /// Keeps it. A host may be hostile: what is not what it should be is not kept.
    ///
    /// # Errors
    /// When a key is none.
    pub fn keep(self, text: &str, facts: &mut HostFacts) -> Result<(), Fault> {
        match self {
            Self::SshKey => facts.ssh_key = Some(key(text)?),
            Self::BackupKey => facts.backup_key = Some(key(text)?),
            Self::Admits => facts.admits = admits(text),
        }
        Ok(())
    }
}

/// The key of a `.pub` file, without its comment.
fn key(text: &str) -> Result<PublicKey, Fault> {
    PublicKey::new(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The hosts that a vault's file of keys lets in: `… ssh-ed25519 AAAA… NAME`.
fn admits(text: &str) -> BTreeMap<String, PublicKey> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().rev();
        let (name, key, kind) = (words.next()?, words.next()?, words.next()?);
        Some((name.to_owned(), PublicKey::new(format!("{kind} {key}")).ok()?))
    };
    text.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUPpHTI4uC6jALbNWYEbrWKCLHeKZrS0K9v2jMPxgcZ";

    #[test]
    fn a_key_is_kept_without_its_comment() {
        let mut facts = HostFacts::default();
        Lesson::BackupKey.keep(&format!("{KEY} petasos-backup\n"), &mut facts).unwrap();
        assert_eq!(facts.backup_key.map(|key| key.to_string()).as_deref(), Some(KEY));
    }

    #[test]
    fn what_is_no_key_is_not_kept() {
        let mut facts = HostFacts::default();
        for text in [
            "",
            "no",
            "ssh-rsa AAAA",
            "ssh-ed25519 AAAA",
            KEY.strip_suffix(KEY.chars().last().unwrap()).unwrap(),
            "command=\"id\" ssh-ed25519 A",
        ] {
            assert!(Lesson::SshKey.keep(text, &mut facts).is_err(), "{text}");
        }
        assert_eq!(facts, HostFacts::default());
    }

    #[test]
    fn who_is_let_in_is_read_from_the_lines_of_sshd() {
        let mut facts = HostFacts::default();
        let text = format!("# {KEY} nobody\nrestrict,command=\"/bin/x --stdio /srv/web\" {KEY} web\nbroken {KEY}\n");
        Lesson::Admits.keep(&text, &mut facts).unwrap();
        assert_eq!(facts.admits.keys().collect::<Vec<_>>(), ["web"]);
    }
}
