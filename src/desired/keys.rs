//! The administrator's public keys: each line is one, or an error says why it is none.

use crate::config::KeyFault;
use crate::fault::Fault;
use crate::name::is_public_key;
use anyhow::Result;

/// Keys as given, or the contents of the files that are named.
///
/// # Errors
/// A file cannot be read, or something that was given is no key that opens a login.
pub fn all(given: &[String], file: &dyn Fn(&str) -> Result<String>) -> Result<String, KeyFault> {
    let here = |at| move |fault| KeyFault::of(&["admin", "authorized_keys"], fault).entry(at);
    given.iter().enumerate().map(|(at, named)| one(named, file).map_err(here(at))).collect()
}

/// Those of one entry, a line each.
fn one(named: &str, file: &dyn Fn(&str) -> Result<String>) -> Result<String, Fault> {
    let (what, text) = if named.contains(' ') {
        (String::new(), named.to_owned())
    } else {
        let text = file(named).map_err(|error| {
            Fault::new(format!("admin.authorized_keys: cannot read the public key `{named}`: {error}"))
                .hint("name a file on this machine, or write the key itself")
        })?;
        (format!(" in `{named}`"), text)
    };
    if text.contains("PRIVATE KEY-----") {
        return Err(Fault::new(format!("admin.authorized_keys: a private key{what}"))
            .hint("name the file of its public half, which ends in `.pub`; the private one stays where it is"));
    }
    let mut keys = String::new();
    for line in key_lines(&text) {
        check(line, &what)?;
        keys.push_str(line);
        keys.push('\n');
    }
    if keys.is_empty() {
        let fault = Fault::new(format!("admin.authorized_keys: no key{what}"));
        return Err(fault.hint("remove it, or name another file"));
    }
    Ok(keys)
}

/// The lines of a file of keys, without comments.
pub fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What OpenSSH calls its kinds of keys; behind an `@` comes whose they are.
const KINDS: [&str; 7] = [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256",
    "sk-ssh-ed25519",
    "ssh-ed25519",
    "ssh-rsa",
];

fn check(line: &str, place: &str) -> Result<(), Fault> {
    let mut words = line.split_whitespace();
    let kind = words.next().map(|kind| kind.split('@').next().unwrap_or(kind));
    // Every key begins with the length of its kind's name.
    let whole = words.next().is_some_and(|key| key.starts_with("AAAA"));
    if is_public_key(line) && whole && kind.is_some_and(|kind| KINDS.contains(&kind)) {
        return Ok(());
    }
    // A word in the middle by which a key begins.
    let with_options = line.split_whitespace().skip(1).any(|word| is_public_key(&format!("{word} …")));
    let start: String = line.chars().take(24).collect();
    Err(if with_options {
        Fault::new(format!("admin.authorized_keys: options before a key{place}: `{start}…`"))
            .hint("give the key without its options (`from=`, `command=` and the like): they are not carried over")
    } else {
        Fault::new(format!("admin.authorized_keys: no public key{place}: `{start}…`"))
            .hint("write a line such as `ssh-ed25519 AAAA… name`, or the path of a file with such lines")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &str, file: &str) -> Result<String, KeyFault> {
        all(&[given.to_owned()], &|_| Ok(file.to_owned()))
    }

    #[test]
    fn each_line_is_a_key() {
        const KEY: &str = "ssh-ed25519 AAAAC3Nz me";
        assert_eq!(of(KEY, "").unwrap(), format!("{KEY}\n"));
        assert_eq!(of("a.pub", &format!("# mine\n{KEY}\r\n\n{KEY}")).unwrap(), format!("{KEY}\n{KEY}\n"));
        for (given, file, why) in [
            ("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "a private key in `id_ed25519`"),
            ("a.pub", "from=\"192.0.2.1\" ssh-ed25519 AAAA me", "options before a key in `a.pub`"),
            ("command=\"a b\" ssh-rsa AAAA", "", "options before a key: `command="),
            ("ssh-rsaa AAAA me", "", "no public key: `ssh-rsaa AAAA me"),
            ("ssh-ed25519 me@laptop", "", "no public key: `ssh-ed25519 me@laptop"),
            ("sssh-ed25519 AAAA me", "", "no public key: `sssh-ed25519 AAAA me"),
            ("a.pub", "# none\n", "no key in `a.pub`"),
            ("a.pub", "AAAAC3Nz\n", "no public key in `a.pub`"),
        ] {
            let error = of(given, file).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("\nhint: "), "{error}");
        }
    }
}
