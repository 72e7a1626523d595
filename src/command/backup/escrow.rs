//! The second key to a host's backups: `keys/HOST.age` beside petasos.yaml, encrypted for the
//! operators. The first one never leaves the host, and goes down with it.

use crate::act::Text;
use crate::command::files::FileArgs;
use crate::command::hosts::HostArgs;
use crate::command::private_keys::PrivateKeys;
use crate::command::secrets_file::recipients;
use crate::config::atomic;
use crate::fault::Fault;
use crate::run::backup::Repository;
use crate::secret::{Plain, seal};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is in the file.
pub struct Escrow {
    /// The id of the repository that it opens.
    pub repository: String,
    pub password: Text,
    /// Where it is below `backup.repository`; none of one on a vault.
    pub place: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    repository: String,
    password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// Where a host's is.
pub fn file(files: &FileArgs, host: &str) -> PathBuf {
    files.folder().join("keys").join(format!("{host}.age"))
}

impl Escrow {
    /// # Errors
    /// When there is none, or it cannot be decrypted.
    pub fn open(args: &HostArgs, host: &str) -> Result<Self, Fault> {
        Self::open_file(args, host, &file(&args.files, host))
    }

    /// The same of a file that is named.
    ///
    /// # Errors
    /// As for [`Escrow::open`].
    pub fn open_file(args: &HostArgs, host: &str, path: &Path) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let sealed = std::fs::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Fault::new(format!("there is no `{shown}`: no key to the backups of `{host}` is here"))
                    .hint(format!("`petasos backup key {host}` makes one, as long as the host is there"))
            }
            _ => Fault::new(format!("cannot read `{shown}`: {error}")),
        })?;
        let keys = PrivateKeys::of(args.age.age_identity.as_deref(), args.identity.as_deref());
        let plain = keys.open(&sealed, &shown)?;
        // What it cannot make out it does not show: that may be the password.
        let Written { repository, password, place } = serde_json::from_str(plain.reveal()).map_err(|_| {
            Fault::new(format!("`{shown}` holds no key to backups"))
                .hint(format!("`petasos backup key {host}` writes one"))
        })?;
        Ok(Self { repository, password: Text::secret(password), place })
    }

    /// The repository that it opens.
    pub fn of(&self, host: &str) -> Repository {
        Repository { host: host.to_owned(), id: self.repository.clone(), password: self.password.clone() }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When nobody is named who may decrypt it, or it cannot be written.
    pub fn write(&self, args: &HostArgs, host: &str) -> Result<PathBuf> {
        let (recipients, _) = recipients(&args.files, &args.files.read()?)?;
        let Self { repository, password, place } = self;
        let written =
            Written { repository: repository.clone(), password: password.reveal().to_owned(), place: place.clone() };
        let text = serde_json::to_string(&written)?;
        let sealed = seal(&Plain::new(text), &recipients)?;
        let path = file(&args.files, host);
        let written = std::fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| atomic::write(&path, sealed.as_bytes(), 0o600));
        written.map_err(|error| Fault::new(format!("cannot write `{}`: {error}", path.display())))?;
        Ok(path)
    }
}
