//! The private keys of this machine that may decrypt the file of secrets, and their passphrases.

use super::files::at_home;
use crate::fault::Fault;
use crate::secret::{Header, Key, Locked, OpenError, OpenKeys, Plain};
use crate::ui;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Names the file of a private key, where `--age-identity` does not.
const VARIABLE: &str = "PETASOS_AGE_IDENTITY";

/// Files of private keys.
pub struct PrivateKeys {
    files: Vec<PathBuf>,
    /// Whether the user means this one for secrets, so that it must be right.
    named: bool,
}

impl PrivateKeys {
    /// `age` and, without it, the environment name one; else it is the one to log in with, and
    /// OpenSSH's own.
    pub fn of(age: Option<&Path>, ssh: Option<&Path>) -> Self {
        let variable = || std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        if let Some(named) = age.map(Path::to_owned).or_else(variable) {
            return Self { files: vec![at_home(&named.to_string_lossy())], named: true };
        }
        let own = ["~/.ssh/id_ed25519", "~/.ssh/id_rsa"].map(at_home);
        let mut files: Vec<PathBuf> = ssh.map(Path::to_owned).into_iter().collect();
        files.extend(own.into_iter().filter(|file| Some(file.as_path()) != ssh));
        Self { files, named: false }
    }

    /// Decrypts the file of this name. Keys behind a passphrase come last, and only those for which
    /// the file is.
    ///
    /// # Errors
    /// When it is damaged, or for other keys; says which were tried.
    pub fn open(&self, sealed: &[u8], name: &str) -> Result<Plain, Fault> {
        let header = Header::read(sealed).map_err(|why| unopened(&why, name))?;
        let mut tried = Vec::new();
        let mut locked = Vec::new();
        for file in &self.files {
            let shown = file.display();
            let keys = match self.read(file) {
                Ok(keys) => keys,
                Err(fault) if self.named => return Err(fault.at(format_args!("`{shown}`"))),
                Err(fault) => {
                    tried.push(format!("`{shown}` ({})", fault.message));
                    continue;
                }
            };
            let mut fits = false;
            for key in keys.into_iter().filter(|key| key.fits(&header)) {
                match key {
                    Key::Open(key) => match key.open(sealed) {
                        Err(OpenError::OtherKeys) => {}
                        other => return other.map_err(|why| unopened(&why, name)),
                    },
                    Key::Locked(key) => {
                        fits = true;
                        locked.push((file, key));
                    }
                }
            }
            if !fits {
                tried.push(format!("`{shown}` (another key)"));
            }
        }
        for (file, key) in locked {
            match unlocked(file, &key, name)?.open(sealed) {
                Err(OpenError::OtherKeys) => tried.push(format!("`{}` (another key)", file.display())),
                other => return other.map_err(|why| unopened(&why, name)),
            }
        }
        let message = format!("`{name}` is encrypted for {}; tried: {}", header.shown(), tried.join(", "));
        Err(Fault::new(message).hint(
            "`--age-identity FILE` names your private key; a key that only an ssh-agent holds cannot decrypt. If \
             yours is not among them, somebody whose key is adds it to `secrets.recipients` and runs `petasos secret \
             rekey`",
        ))
    }

    /// Whether one of them opens the file, or may with its passphrase. Nobody is asked.
    pub fn may_open(&self, sealed: &[u8]) -> bool {
        let Ok(header) = Header::read(sealed) else { return false };
        let keys = self.files.iter().filter_map(|file| self.read(file).ok()).flatten();
        keys.filter(|key| key.fits(&header)).any(|key| match key {
            Key::Open(key) => key.open(sealed).is_ok(),
            Key::Locked(_) => true,
        })
    }

    /// The first that is there and OpenSSH's, to sign with.
    pub fn ssh(&self) -> Option<PathBuf> {
        let is_ssh =
            |file: &&PathBuf| std::fs::read_to_string(file).is_ok_and(|text| text.contains("PRIVATE KEY-----"));
        self.files.iter().find(is_ssh).cloned()
    }

    fn read(&self, file: &Path) -> Result<Vec<Key>, Fault> {
        let bytes = std::fs::read(file).map_err(|error| match error.kind() {
            ErrorKind::NotFound if !self.named => Fault::new("not there"),
            _ => Fault::new(error.to_string()).hint("name the file of a private key, of age or of OpenSSH"),
        })?;
        Key::read(&bytes)
    }
}

/// Asks for its passphrase, as often as ssh does.
fn unlocked(file: &Path, key: &Locked, name: &str) -> Result<OpenKeys, Fault> {
    let shown = file.display();
    for _ in 0..3 {
        let Some(passphrase) = ui::secret(&format!("passphrase of {shown}, to decrypt {name}: ")) else {
            let fault = Fault::new(format!("`{shown}` has a passphrase, and there is no terminal to ask for it at"));
            return Err(fault.hint(
                "name a key without one by `--age-identity` or PETASOS_AGE_IDENTITY: `age-keygen -o key.txt` makes \
                 it, and its `age1…` line goes into `secrets.recipients`",
            ));
        };
        if let Some(keys) = key.unlock(passphrase) {
            return Ok(keys);
        }
    }
    Err(Fault::new(format!("that is not the passphrase of `{shown}`"))
        .hint("`ssh-keygen -yf FILE` tells whether ssh takes it"))
}

fn unopened(why: &OpenError, name: &str) -> Fault {
    match why {
        OpenError::OtherKeys => Fault::new(format!("`{name}` is encrypted for other keys")),
        OpenError::Damaged(why) => Fault::new(format!("`{name}` is damaged: {why}"))
            .hint("restore it from version control; if lines of it were merged, take one side"),
    }
}
