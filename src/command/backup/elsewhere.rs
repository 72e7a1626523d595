//! Backups that are where Petasos has no login: what it asks the host for, and what is left to
//! people.

use super::escrow::Escrow;
use super::vault::Kept;
use crate::backup::Snapshot;
use crate::command::hosts::HostArgs;
use crate::config::lock::LockFile;
use crate::config::store::{Login, Store, Way};
use crate::desired::Choice;
use crate::desired::backup::{place, store};
use crate::fault::Fault;
use crate::name::PublicKey;
use crate::run::restore::RestoreKey;
use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// Where a restore finds its backups, and by which key it comes in.
pub struct Source {
    pub key: RestoreKey,
    /// As restic names it; empty where the key says it, or where it is the host's own.
    pub repository: String,
    /// As people name the other side.
    pub at: String,
    /// Where a key is let in for one folder, and for which.
    door: Option<(Login, String)>,
}

impl Source {
    /// Whether it is the repository that the host has now.
    pub fn is_own(&self) -> bool {
        self.door.is_none() && self.repository.is_empty()
    }

    /// The line that lets a key in; none where it takes none.
    pub fn line(&self, public: &str) -> Option<String> {
        let (login, place) = self.door.as_ref()?;
        let key = public.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        // These words are going to be somebody's file of keys.
        let key = PublicKey::new(key).ok()?;
        Some(store::admit(login, place, &format!("{key} petasos-restore")))
    }
}

/// Where below `backup.repository` each host's backups are.
///
/// # Errors
/// When petasos.lock cannot be read, or does not know a host's key.
pub fn places(args: &HostArgs, choices: &[Choice]) -> Result<BTreeMap<String, String>> {
    let lock = LockFile::load(&args.files.lock)?;
    let mut places = BTreeMap::new();
    for choice in choices {
        if choice.settings.backup.as_ref().is_none_or(|backup| backup.repository.is_none()) {
            continue;
        }
        let host = &choice.label;
        let Some(key) = lock.hosts.get(host).and_then(|facts| facts.backup_key.as_ref()) else {
            let fault =
                Fault::new(format!("petasos.lock does not know the key of `{host}` yet: its backups are nowhere"));
            bail!(fault.hint(format!("`petasos up {host}`")));
        };
        places.insert(host.clone(), place(host, key));
    }
    Ok(places)
}

/// What is to be in which file of keys, so that a host is let in; none where it takes no such line.
///
/// # Errors
/// When a file cannot be read.
pub fn line_for(args: &HostArgs, host: &str) -> Result<Option<(String, String)>> {
    let (config, lock) = (args.files.read()?, LockFile::load(&args.files.lock)?);
    let settings = config.settings(Some(host).filter(|host| config.names().contains(host)))?;
    let Some(store) = settings.backup.and_then(|backup| backup.repository) else { return Ok(None) };
    let own = lock.hosts.get(host).and_then(|facts| facts.backup_key.as_ref());
    let found =
        store.login().zip(own).and_then(|(login, own)| Some((store::at(login), store::line(&store, host, own)?)));
    Ok(found)
}

/// Where the backups are that a key opens, for a host that gets one.
///
/// # Errors
/// When the key opens none that could be there.
pub fn source(args: &HostArgs, from: &Kept, escrow: &Escrow, to: &Choice, admitted: bool) -> Result<Source> {
    let (Some(store), Some(theirs)) = (&from.backup.repository, &escrow.place) else {
        let fault = Fault::new(format!("the key of `{}` opens no backups at {}", from.host, from.backup.shown()));
        bail!(fault.hint(format!("`petasos backup key {}` makes one, as long as the host is there", from.host)));
    };
    let own = places(args, std::slice::from_ref(to))?.remove(&to.label);
    let same = own.as_ref() == Some(theirs);
    let at = |login: &Login| format!("{}@{}", login.user, login.host);
    Ok(match (&store.way, same) {
        (_, true) => own_key(store, String::new()),
        (Way::Ssh(login), false) => Source {
            key: if admitted { RestoreKey::Kept } else { RestoreKey::New },
            repository: String::new(),
            at: at(login),
            door: Some((login.clone(), theirs.clone())),
        },
        (Way::Sftp(_) | Way::S3(_), false) => own_key(store, store::repository(store, theirs)),
    })
}

fn own_key(store: &Store, repository: String) -> Source {
    Source { key: RestoreKey::Own, repository, at: store.as_str().to_owned(), door: None }
}

/// What an operator does with a login of their own, where none of Petasos's may take anything away.
pub fn forget_by_hand(kept: &Kept, place: &str, goes: &[Snapshot]) -> String {
    let host = &kept.host;
    // These words are going to be pasted into a shell.
    let plain = |id: &&str| id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids: Vec<&str> = goes.iter().map(|one| one.id.as_str()).filter(plain).collect();
    let whole = kept.backup.repository.as_ref().map(|store| match &store.way {
        Way::Ssh(login) | Way::Sftp(login) => {
            let Login { user, host, port, path } = login;
            // An absolute path has two slashes there.
            format!("sftp://{user}@{host}:{port}/{path}/{place}")
        }
        Way::S3(_) => store::repository(store, place),
    });
    format!(
        "  Petasos has no login there that may take them away, and when each was made is the host's own word: look at the list, then with a login of your own\n    restic -r {} forget --prune {}\n  the password is in keys/{host}.age\n",
        whole.unwrap_or_default(),
        ids.join(" "),
    )
}
