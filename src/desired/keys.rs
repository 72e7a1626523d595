//! The administrator's public keys: each line is one, or an error says why it is none.

use crate::fault::Fault;
use crate::name::is_public_key;
use anyhow::{Context, Result, bail};

/// Keys as given, or the contents of the files that are named.
///
/// # Errors
/// A file cannot be read, or something that was given is no key that opens a login.
pub fn all(given: &[String], file: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut keys = String::new();
    for named in given {
        let (what, text) = if named.contains(' ') {
            (String::new(), named.clone())
        } else {
            let text = file(named).with_context(|| {
                Fault::new(format!("admin.authorized_keys: cannot read the public key `{named}`"))
                    .hint("name a file on this machine, or write the key itself")
            })?;
            (format!(" in `{named}`"), text)
        };
        if text.contains("PRIVATE KEY-----") {
            bail!(
                Fault::new(format!("admin.authorized_keys: a private key{what}"))
                    .hint("name the file of its public half, which ends in `.pub`; the private one stays where it is")
            );
        }
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines() {
            check(line, &what)?;
            keys.push_str(line);
            keys.push('\n');
        }
        if lines().next().is_none() {
            bail!(Fault::new(format!("admin.authorized_keys: no key{what}")).hint("remove it, or name another file"));
        }
    }
    Ok(keys)
}

fn check(line: &str, place: &str) -> Result<()> {
    if is_public_key(line) {
        return Ok(());
    }
    // A word in the middle by which a key begins.
    let with_options = line.split_whitespace().skip(1).any(|word| is_public_key(&format!("{word} …")));
    let start: String = line.chars().take(24).collect();
    bail!(if with_options {
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

    fn of(given: &str, file: &str) -> Result<String> {
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
            ("sssh-ed25519 AAAA me", "", "no public key: `sssh-ed25519 AAAA me"),
            ("a.pub", "# none\n", "no key in `a.pub`"),
            ("a.pub", "AAAAC3Nz\n", "no public key in `a.pub`"),
        ] {
            let error = format!("{:#}", of(given, file).unwrap_err());
            assert!(error.contains(why) && error.contains("\nhint: "), "{error}");
        }
    }
}
