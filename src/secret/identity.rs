//! The operator's private keys: age's own, and OpenSSH's.

use super::recipient::Recipients;
use super::sealed::{self, Header, OpenError, Plain};
use crate::fault::Fault;
use age::secrecy::SecretString;
use age::{Identity, IdentityFile, ssh};

/// A key that was read.
pub enum Key {
    Open(OpenKey),
    Locked(Locked),
}

pub struct OpenKey {
    identity: Box<dyn Identity>,
    /// What a file is like that is for this key; none where only trying tells.
    fits: Option<Header>,
}

/// A key behind a passphrase.
pub struct Locked {
    key: LockedKey,
    fits: Option<Header>,
}

/// What was behind a passphrase.
pub struct OpenKeys(Vec<Box<dyn Identity>>);

impl OpenKeys {
    /// # Errors
    /// As for [`sealed::open`].
    pub fn open(&self, file: &[u8]) -> Result<Plain, OpenError> {
        let keys: Vec<&dyn Identity> = self.0.iter().map(|identity| &**identity).collect();
        sealed::open(file, &keys)
    }
}

enum LockedKey {
    Ssh(ssh::EncryptedKey),
    /// An identity file that age itself encrypted.
    Age(Vec<u8>),
}

impl Key {
    /// The keys of a file.
    ///
    /// # Errors
    /// When it has none that can decrypt; the message shows nothing of it.
    pub fn read(text: &[u8]) -> Result<Vec<Self>, Fault> {
        let none = || Fault::new("no private key that can decrypt").hint(EXPECTED);
        let begins = |mark: &str| text.trim_ascii_start().starts_with(mark.as_bytes());
        if begins("age-encryption.org/") || begins("-----BEGIN AGE ENCRYPTED FILE") {
            return Ok(vec![Self::Locked(Locked { key: LockedKey::Age(text.to_owned()), fits: None })]);
        }
        if begins("ssh-") || begins("ecdsa-") || begins("sk-") || begins("age1") {
            return Err(Fault::new("a public key, which cannot decrypt").hint(AGENT));
        }
        if !begins("-----BEGIN") {
            let file = IdentityFile::from_buffer(text).map_err(|_| none())?;
            let keys = file.into_identities().map_err(|_| none())?;
            if keys.is_empty() {
                return Err(none());
            }
            let open = |identity| Self::Open(OpenKey { identity, fits: None });
            return Ok(keys.into_iter().map(|key| open(key as Box<dyn Identity>)).collect());
        }
        let identity = ssh::Identity::from_buffer(text, None).map_err(|_| none())?;
        let fits = header_for(&identity);
        match identity {
            ssh::Identity::Unsupported(why) => Err(unsupported(&why)),
            ssh::Identity::Encrypted(key) => Ok(vec![Self::Locked(Locked { key: LockedKey::Ssh(key), fits })]),
            key @ ssh::Identity::Unencrypted(_) => Ok(vec![Self::Open(OpenKey { identity: Box::new(key), fits })]),
        }
    }

    /// Whether a file with this header may be for it.
    pub fn fits(&self, header: &Header) -> bool {
        let (Self::Open(OpenKey { fits, .. }) | Self::Locked(Locked { fits, .. })) = self;
        fits.as_ref().is_none_or(|own| header.shares(own))
    }
}

impl OpenKey {
    /// # Errors
    /// As for [`sealed::open`].
    pub fn open(&self, file: &[u8]) -> Result<Plain, OpenError> {
        sealed::open(file, &[&*self.identity])
    }
}

impl Locked {
    /// What is behind it; none with another passphrase.
    pub fn unlock(&self, passphrase: String) -> Option<OpenKeys> {
        if passphrase.is_empty() {
            return None;
        }
        let passphrase = SecretString::from(passphrase);
        match &self.key {
            LockedKey::Ssh(key) => {
                let key = ssh::Identity::from(key.decrypt(passphrase).ok()?);
                Some(OpenKeys(vec![Box::new(key)]))
            }
            LockedKey::Age(file) => {
                let identity = age::scrypt::Identity::new(passphrase);
                let plain = sealed::open(file, &[&identity]).ok()?;
                let keys = Key::read(plain.reveal().as_bytes()).ok()?;
                let open = |key| match key {
                    Key::Open(key) => Some(key.identity),
                    Key::Locked(_) => None,
                };
                Some(OpenKeys(keys.into_iter().filter_map(open).collect()))
            }
        }
    }
}

/// What the header of a file for this key says: age is asked, for one that is for it alone.
fn header_for(identity: &ssh::Identity) -> Option<Header> {
    let public = ssh::Recipient::try_from(identity.clone()).ok()?;
    let recipients = Recipients::read(&[&public.to_string()]).ok()?;
    let file = sealed::seal(&Plain::new(String::new()), &recipients).ok()?;
    Header::read(file.as_bytes()).ok()
}

const EXPECTED: &str = "name an OpenSSH private key (ed25519 or RSA), or a file that `age-keygen` wrote";

const AGENT: &str = "name the file of its private half: a key that only an ssh-agent holds can sign but not decrypt. \
                     Without that file, add an age key to `secrets.recipients`";

fn unsupported(why: &ssh::UnsupportedKey) -> Fault {
    match why {
        ssh::UnsupportedKey::EncryptedPem => {
            Fault::new("a private key in an old format with a passphrase").hint("`ssh-keygen -p -f FILE` converts it")
        }
        ssh::UnsupportedKey::EncryptedSsh(cipher) => {
            Fault::new(format!("a private key that is encrypted with `{cipher}`"))
                .hint("`ssh-keygen -p -Z aes256-ctr -f FILE` converts it")
        }
        ssh::UnsupportedKey::Hardware(kind) | ssh::UnsupportedKey::Type(kind) => {
            Fault::new(format!("a key of the kind `{kind}`, which can sign but not decrypt")).hint(EXPECTED)
        }
    }
}
