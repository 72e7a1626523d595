//! The keys that open an administrator's login: those that are given, or those that the host has.

use super::Change;
use super::authorized_keys::{options, plain_keys, published};
use super::user::Spec;
use crate::act::Act;
use crate::fact::{Facts, Seen, seen};
use crate::fault::Fault;
use crate::name::AbsPath;

impl Spec {
    /// A key a line.
    ///
    /// # Errors
    /// There is none, or one that everybody has.
    pub(super) fn keys(&self, facts: &Facts) -> Result<String, Fault> {
        let keys = self.given_or_found(facts)?;
        if !keys.lines().any(published) {
            return Ok(keys);
        }
        let fault = Fault::new(format!(
            "a key of `{}` is the one that Vagrant publishes: everybody can log in with it",
            self.name
        ));
        Err(fault.hint(
            "name a key of your own under `admin.authorized_keys`; Vagrant makes one at `vagrant up`, unless `config.ssh.insert_key` is false",
        ))
    }

    fn given_or_found(&self, facts: &Facts) -> Result<String, Fault> {
        let given = plain_keys(&self.authorized_keys);
        if !given.is_empty() {
            return Ok(given);
        }
        let own = self.keys_file()?;
        let mut restricted = Vec::new();
        for path in [&own].into_iter().chain(&self.authorized_keys_from) {
            if let Some(text) = seen(&facts.texts, path)?.is() {
                let keys = plain_keys(text);
                if !keys.is_empty() {
                    return Ok(keys);
                }
                restricted.extend(options(text).map(|options| format!("`{options}` in `{path}`")));
            }
        }
        if !restricted.is_empty() {
            let what = format!("no key for `{}`: none is given, and those on the host have options", self.name);
            return Err(Fault::new(format!("{what}, which would not carry over: {}", restricted.join(", "))).hint(
                "name the public key under `admin.authorized_keys`: there it opens the administrator's login from anywhere",
            ));
        }
        let places: Vec<String> = self.authorized_keys_from.iter().map(|path| format!("`{path}`")).collect();
        let places = places.join(", ");
        Err(Fault::new(format!("no key for `{}`: none is given, and {places} on the host has none", self.name))
            .hint("name a public key under `admin.authorized_keys`"))
    }

    /// Where sshd looks for keys too, by its default.
    pub(super) fn second_keys_file(&self) -> Result<AbsPath, Fault> {
        self.ssh_dir()?.join("authorized_keys2")
    }

    /// Those keys are the only ones, where some are given.
    pub(super) fn second_keys(&self, facts: &Facts) -> Result<Option<Change>, Fault> {
        let path = self.second_keys_file()?;
        let is_there = matches!(facts.paths.get(&path), Some(Seen::Is(_)));
        let given = self.wants_keys() && !plain_keys(&self.authorized_keys).is_empty();
        let change = || Change::new("further keys", path.as_str(), "none", vec![Act::Remove(path.clone())]);
        Ok((is_there && given).then(change))
    }
}
