//! The file as it is committed: in age's format, in ASCII armor.

use super::Recipients;
use crate::fault::Fault;
use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, Decryptor, Encryptor};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};

/// What was in the file; overwritten in memory once nobody needs it.
pub struct Plain(SecretString);

impl Plain {
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// # Errors
/// When age does not accept it.
pub fn seal(plain: &Plain, recipients: &Recipients) -> Result<String, Fault> {
    let failed = |why: &dyn std::fmt::Display| Fault::new(format!("cannot encrypt: {why}"));
    let encryptor = Encryptor::with_recipients(recipients.keys()).map_err(|why| failed(&why))?;
    let write = || -> io::Result<Vec<u8>> {
        let mut sealed = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(plain.reveal().as_bytes())?;
        writer.finish()?.finish()?;
        Ok(sealed)
    };
    let sealed = write().map_err(|why| failed(&why))?;
    String::from_utf8(sealed).map_err(|why| failed(&why))
}

/// Why a file does not open.
#[derive(Debug)]
pub enum OpenError {
    /// Whole, as far as anybody without its key can tell, but for other keys.
    OtherKeys,
    /// Not what age wrote, or no longer.
    Damaged(String),
}

/// # Errors
/// Why it does not open.
pub fn open(sealed: &[u8], keys: &[&dyn age::Identity]) -> Result<Plain, OpenError> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(|why| explain(&why))?;
    let mut reader = decryptor.decrypt(keys.iter().copied()).map_err(|why| explain(&why))?;
    let mut text = String::new();
    match reader.read_to_string(&mut text) {
        Ok(_) => Ok(Plain::new(text)),
        Err(why) => {
            // What came before the fault is secret too.
            drop(Plain::new(text));
            Err(OpenError::Damaged(reason(&why)))
        }
    }
}

fn explain(why: &DecryptError) -> OpenError {
    match why {
        DecryptError::NoMatchingKeys => OpenError::OtherKeys,
        DecryptError::InvalidMac | DecryptError::InvalidHeader | DecryptError::UnknownFormat => {
            OpenError::Damaged("its header is not as age wrote it".to_owned())
        }
        DecryptError::Io(why) => OpenError::Damaged(reason(why)),
        // An enumeration that age may extend: a key's part of the header was changed, mostly.
        _ => OpenError::Damaged("a part of it is not as age wrote it".to_owned()),
    }
}

/// age's own words are made for its own program.
fn reason(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::UnexpectedEof => "its end is missing".to_owned(),
        _ => "its contents are not as age wrote them".to_owned(),
    }
}

/// Whom a file was encrypted for, as far as its header tells everybody.
#[derive(Debug, Default)]
pub struct Header {
    /// The kind of a key, and for ssh keys the tag that tells it from others.
    stanzas: BTreeSet<(String, String)>,
    kinds: Vec<String>,
}

impl Header {
    /// # Errors
    /// When it is no file of age's.
    pub fn read(sealed: &[u8]) -> Result<Self, OpenError> {
        let mut binary = Vec::new();
        // The whole file: damage to the armor shows before anybody is asked for a passphrase.
        ArmoredReader::new(sealed).read_to_end(&mut binary).map_err(|why| OpenError::Damaged(reason(&why)))?;
        // Whether it is well-formed is age's to say.
        Decryptor::new_buffered(binary.as_slice()).map_err(|why| explain(&why))?;
        let mut header = Self::default();
        for line in binary.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"---")) {
            let line = String::from_utf8_lossy(line);
            let Some(stanza) = line.strip_prefix("-> ") else { continue };
            let mut words = stanza.split(' ');
            let (kind, tag) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            // age puts in one of no kind, so that readers learn to skip what they do not know.
            if kind.ends_with("-grease") {
                continue;
            }
            let own = kind.starts_with("ssh-");
            header.stanzas.insert((kind.to_owned(), if own { tag.to_owned() } else { String::new() }));
            header.kinds.push(if kind == "X25519" { "age".to_owned() } else { kind.to_owned() });
        }
        header.kinds.sort();
        Ok(header)
    }

    /// Whether a file with this header can be for the key of another, which was encrypted for that
    /// key alone.
    pub(super) fn shares(&self, other: &Self) -> bool {
        self.stanzas.intersection(&other.stanzas).next().is_some()
    }

    /// The keys' kinds, for people.
    pub fn shown(&self) -> String {
        let count = self.kinds.len();
        format!("{count} {} ({})", if count == 1 { "key" } else { "keys" }, self.kinds.join(", "))
    }
}
