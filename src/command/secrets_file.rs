//! The file of encrypted secrets beside petasos.yaml: who may read it, who opens it here, and that
//! it is opened once.

use super::files::{FileArgs, at_home, key_file};
use super::private_keys::PrivateKeys;
use crate::config::{Config, KeyFault, atomic};
use crate::desired::keys::{self, key_lines};
use crate::fault::Fault;
use crate::secret::{FILE, Recipients, Values, is_key, seal};
use anyhow::{Error, Result};
use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// With which key the file of secrets is decrypted.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AgeArgs {
    /// The private key that decrypts secrets.yaml.age, of age or of OpenSSH [default:
    /// PETASOS_AGE_IDENTITY, else ~/.ssh/id_ed25519 and ~/.ssh/id_rsa]
    #[arg(long, value_name = "FILE")]
    pub age_identity: Option<PathBuf>,
}

pub struct SecretsFile {
    path: PathBuf,
    keys: PrivateKeys,
    opened: OnceCell<Result<Option<Values>, Fault>>,
}

impl SecretsFile {
    /// The file that belongs to this petasos.yaml; `ssh` is the key to log in with.
    pub fn beside(config: &Path, age: &AgeArgs, ssh: Option<&Path>) -> Self {
        let path = config.parent().unwrap_or(Path::new("")).join(FILE);
        Self { path, keys: PrivateKeys::of(age.age_identity.as_deref(), ssh), opened: OnceCell::new() }
    }

    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// What is in it; none where there is no file. It is decrypted at the first call.
    ///
    /// # Errors
    /// When it cannot be read or decrypted.
    pub fn values(&self) -> Result<Option<&Values>> {
        match self.opened.get_or_init(|| self.open()) {
            Ok(values) => Ok(values.as_ref()),
            Err(fault) => Err(fault.clone().into()),
        }
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// As for [`SecretsFile::values`].
    pub fn open(&self) -> Result<Option<Values>, Fault> {
        let sealed = match std::fs::read(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::new(format!("cannot read `{}`: {error}", self.shown()))),
        };
        let plain = self.keys.open(&sealed, &self.shown())?;
        Values::read(&plain).map(Some).map_err(|fault| fault.at(format_args!("`{}`", self.shown())))
    }

    /// Encrypts it for these recipients, in place of the file so far. Whether a key that is here
    /// opens it.
    ///
    /// # Errors
    /// When it cannot be written; the file is then as it was.
    pub fn write(&self, mut values: Values, recipients: &Recipients) -> Result<bool> {
        values.recipients = recipients.lines();
        let sealed = seal(&values.plain()?, recipients)?;
        atomic::write(&self.path, sealed.as_bytes(), 0o600)
            .map_err(|error| Fault::new(format!("cannot write `{}`: {error}", self.shown())))?;
        Ok(self.keys.may_open(sealed.as_bytes()))
    }
}

/// For whom the file is encrypted, as petasos.yaml has it; and the administrators' keys that are
/// left out, because nothing can be encrypted for them.
///
/// # Errors
/// When there is nobody, or somebody who could not decrypt.
pub fn recipients(files: &FileArgs, config: &Config) -> Result<(Recipients, Vec<String>)> {
    let named = &config.secrets.recipients;
    if named.is_empty() {
        return of_administrators(config);
    }
    let mut lines = Vec::new();
    for (at, entry) in named.iter().enumerate() {
        let placed = |fault: Fault| Error::from(config.point(None, of_entry(at, fault)));
        if is_key(entry) {
            // Read at once: an entry that is a private key is shown nowhere, not even in its line.
            Recipients::read(&[entry.as_str()]).map_err(|(_, fault)| fault.at("secrets.recipients"))?;
            lines.push(entry.clone());
            continue;
        }
        let path = files.folder().join(at_home(entry));
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let hint = "name a file of public keys, by its path from where petasos.yaml is, or write the key itself";
            placed(Fault::new(format!("cannot read `{}`: {error}", path.display())).hint(hint))
        })?;
        let own: Vec<&str> = key_lines(&text).collect();
        if own.is_empty() {
            return Err(placed(Fault::new(format!("no key in `{}`", path.display())).hint("remove the entry")));
        }
        Recipients::read(&own).map_err(|(_, fault)| placed(fault.at(path.display())))?;
        lines.extend(own.into_iter().map(str::to_owned));
    }
    let all = Recipients::read(&lines.iter().map(String::as_str).collect::<Vec<_>>()).map_err(|(_, fault)| fault)?;
    Ok((all, Vec::new()))
}

fn of_entry(at: usize, fault: Fault) -> KeyFault {
    KeyFault::of(&["secrets", "recipients"], fault).entry(at)
}

/// Those of the administrators that age can use.
fn of_administrators(config: &Config) -> Result<(Recipients, Vec<String>)> {
    let given = config.settings(None)?.admin.authorized_keys;
    let text = keys::all(&given, &key_file).map_err(|wrong| config.point(None, wrong))?;
    let usable = |line: &&str| ["ssh-ed25519 ", "ssh-rsa "].iter().any(|kind| line.starts_with(kind));
    let (usable, left): (Vec<&str>, Vec<&str>) = text.lines().partition(usable);
    let read = |lines: &[&str]| Recipients::read(lines).map_err(|(_, fault)| fault.at("admin.authorized_keys"));
    let recipients = read(&usable)?;
    if recipients.is_empty() {
        // What is wrong with the first of the others.
        read(&left)?;
        let nobody = Fault::new("nobody is named who may decrypt the secrets");
        return Err(nobody
            .hint(
                "write your public key into petasos.yaml: `secrets: { recipients: [~/.ssh/id_ed25519.pub] }`, or an \
                 `age1…` key",
            )
            .into());
    }
    Ok((recipients, left.into_iter().map(str::to_owned).collect()))
}
