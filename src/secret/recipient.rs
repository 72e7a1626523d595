//! Whom secrets are encrypted for: age's own keys, and the ssh keys that age can use.

use crate::fault::Fault;
use std::str::FromStr;

/// Whoever may decrypt; never nobody.
pub struct Recipients(Vec<Recipient>);

struct Recipient {
    /// The key without its comment: the same key is the same text.
    text: String,
    /// Whose it is, as far as the line says.
    comment: String,
    key: Box<dyn age::Recipient>,
}

impl Recipients {
    /// One for each line.
    ///
    /// # Errors
    /// The place of the first line that is none, and why; with no place, when there is no line.
    pub fn read(lines: &[&str]) -> Result<Self, (usize, Fault)> {
        let mut all: Vec<Recipient> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let recipient = Recipient::read(line.trim()).map_err(|fault| (at, fault))?;
            if all.iter().all(|known| known.text != recipient.text) {
                all.push(recipient);
            }
        }
        Ok(Self(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each as a line, in a fixed order.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.0.iter().map(|recipient| recipient.text.clone()).collect();
        lines.sort();
        lines
    }

    /// The same for people: which kind, how it ends, and whose.
    pub fn shown(&self) -> Vec<String> {
        let end = |text: &str| text.chars().skip(text.chars().count().saturating_sub(8)).collect::<String>();
        let shown = |one: &Recipient| match one.text.split_once(' ') {
            Some((kind, key)) => format!("{kind} …{} {}", end(key), one.comment).trim_end().to_owned(),
            None => one.text.clone(),
        };
        let mut lines: Vec<String> = self.0.iter().map(shown).collect();
        lines.sort();
        lines
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|recipient| &*recipient.key)
    }
}

/// Whether an entry is a key itself, and not the name of a file of them.
pub fn is_key(entry: &str) -> bool {
    entry.contains(' ') || entry.starts_with("age1") || is_private(entry)
}

fn is_private(line: &str) -> bool {
    line.to_ascii_uppercase().contains("AGE-SECRET-KEY-") || line.contains("PRIVATE KEY-----")
}

impl Recipient {
    fn read(line: &str) -> Result<Self, Fault> {
        if is_private(line) {
            return Err(Fault::new("a private key stands where a public one is expected").hint(
                "write the public half (`age-keygen -y FILE` prints it; that of an ssh key ends in `.pub`). If this \
                 file was committed, replace the key",
            ));
        }
        let kind = line.split_whitespace().next().unwrap_or_default();
        if kind.starts_with("age1") {
            let key = age::x25519::Recipient::from_str(line)
                .map_err(|why| Fault::new(format!("`{line}` is no age recipient: {why}")).hint(AGE))?;
            return Ok(Self { text: key.to_string(), comment: String::new(), key: Box::new(key) });
        }
        match kind {
            "ssh-ed25519" | "ssh-rsa" => {
                let key = age::ssh::Recipient::from_str(line).map_err(|why| unusable(line, &why))?;
                let comment = line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
                Ok(Self { text: key.to_string(), comment, key: Box::new(key) })
            }
            _ if kind.starts_with("sk-") || kind.starts_with("ecdsa-") || kind.starts_with("ssh-") => {
                Err(Fault::new(format!("`{}` can sign, but not decrypt", start(line))).hint(AGE))
            }
            _ => Err(Fault::new(format!("`{}` is no recipient", start(line)))
                .hint("write an `age1…`, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…` key, or a file of such lines")),
        }
    }
}

const AGE: &str = "add an age key for that operator: `age-keygen -o key.txt` makes one and prints its `age1…` line, \
                   which goes into `secrets.recipients`";

fn unusable(line: &str, why: &age::ssh::ParseRecipientKeyError) -> Fault {
    use age::ssh::ParseRecipientKeyError as Error;
    let start = start(line);
    let fault = match why {
        Error::RsaModulusTooSmall => Fault::new(format!("`{start}`: RSA keys of less than 2048 bits are too weak")),
        Error::RsaModulusTooLarge => Fault::new(format!("`{start}`: RSA keys of more than 4096 bits do not work here")),
        _ => {
            return Fault::new(format!("`{start}` is not whole")).hint("copy the line of the `.pub` file again");
        }
    };
    fault.hint(AGE)
}

/// As much of a key as tells which one it is.
fn start(line: &str) -> String {
    let start: String = line.chars().take(32).collect();
    if start.len() < line.len() { format!("{start}…") } else { start }
}
