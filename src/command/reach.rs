//! How hosts are reached: ssh's options, whose host key is known, and who knows a sudo password.

use super::explain;
use crate::act::Text;
use crate::config::Target;
use crate::config::lesson::Lesson;
use crate::config::lock::{HostFacts, LockFile};
use crate::name::Fingerprint;
use crate::run::{Event, LastLogin, Watch};
use crate::transport::{AskPassword, HostKey, Login, Resolved, SshOptions, resolve};
use crate::ui;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The environment variable that may hold a user's password for sudo.
const PASSWORD: &str = "PETASOS_SUDO_PASSWORD";

/// What is known of hosts before they are reached.
pub struct Known<'a> {
    pub lock: &'a LockFile,
    /// The key that the command line says a host has.
    pub given: Option<&'a Fingerprint>,
}

impl Known<'_> {
    /// A host's login: its key is the one of the command line, or the lock's.
    ///
    /// # Errors
    /// When ssh does not accept its configuration.
    pub fn login(&self, label: &str, target: Target, options: &SshOptions) -> Result<Login> {
        let recorded = self.lock.hosts.get(label).and_then(|facts| facts.host_key.clone());
        let known = self.given.cloned().or_else(|| recorded.clone());
        let recorded = known.is_some() && known == recorded;
        let resolved: Resolved = resolve(&target, options).context(label.to_owned())?;
        let host_key = Arc::new(HostKey::new(known, recorded));
        Ok(Login { target, options: options.clone(), host_key, resolved: Arc::new(resolved) })
    }

    /// How a host was last reached.
    pub fn last(&self, label: &str) -> LastLogin {
        let last = |facts: &HostFacts| LastLogin { user: facts.user.clone(), port: facts.ssh_port };
        self.lock.hosts.get(label).map(last).unwrap_or_default()
    }
}

/// How `ssh` is called: `ssh -F`, `ssh -i`, and who knows a password for sudo.
pub fn ssh_options(config: Option<PathBuf>, identity: Option<PathBuf>) -> SshOptions {
    SshOptions { config, identity, connect_timeout: None, password: Some(password()), keeps_nothing: false }
}

/// Passes all events on; what hosts taught is written to the lock file, as soon as it is known.
pub fn recording(file: &Path, watch: Watch) -> Watch {
    // Several hosts of one run write it.
    let file = Mutex::new(file.to_owned());
    Arc::new(move |host, event| {
        let recorded = match &event {
            Event::HostKey(key) => record(&file, host, |facts| facts.host_key = Some(key.clone())),
            Event::Reached(last) => {
                record(&file, host, |facts| (facts.user, facts.ssh_port) = (last.user.clone(), last.port))
            }
            Event::Learned(what, text) => learn(&file, host, *what, text),
            Event::Connecting
            | Event::Observing { .. }
            | Event::Planned { .. }
            | Event::Step { .. }
            | Event::AdminLogin { .. }
            | Event::Rechecking
            | Event::Attacking
            | Event::Progress { .. }
            | Event::Note(_) => true,
        };
        match event {
            Event::HostKey(key) if !recorded => watch(host, Event::Note(format!("first contact: host key {key}"))),
            event => watch(host, event),
        }
    })
}

/// Keeps what a host says of itself.
fn learn(file: &Mutex<PathBuf>, host: &str, what: Lesson, text: &str) -> bool {
    let mut sound = Ok(());
    let written = record(file, host, |facts| sound = what.keep(text, facts));
    if let Err(why) = &sound {
        ui::warning(&format!("{host}: a key of its own could not be recorded: {}", ui::line(&why.message)));
    }
    written && sound.is_ok()
}

/// Whether it was written, or stood there already.
fn record(file: &Mutex<PathBuf>, name: &str, learn: impl FnOnce(&mut HostFacts)) -> bool {
    let file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let write = || -> Result<()> {
        let mut lock = LockFile::load(&file)?;
        let before = lock.clone();
        learn(lock.hosts.entry(name.to_owned()).or_default());
        if lock == before {
            return Ok(());
        }
        Ok(lock.save(&file)?)
    };
    let written = write();
    if let Err(error) = &written {
        let why = explain::fault(error);
        ui::warning(&format!("{name}: its host key, or how it was reached, could not be recorded: {why}"));
    }
    written.is_ok()
}

/// From the environment, else from whoever sits at the terminal: asked once for each user of each
/// host.
fn password() -> AskPassword {
    let typed: Mutex<BTreeMap<String, Option<Text>>> = Mutex::default();
    Arc::new(move |target: &Target| {
        if let Ok(password) = std::env::var(PASSWORD) {
            return Some(Text::secret(password));
        }
        // Held while somebody types: one question at a time.
        let mut typed = typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed
            .entry(target.to_string())
            .or_insert_with(|| ui::secret(&format!("sudo password of {target}: ")).map(Text::secret))
            .clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Account;

    #[test]
    fn what_a_host_teaches_is_kept_and_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("petasos.lock");
        LockFile::default().save(&file).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = heard.clone();
        let watch = recording(&file, Arc::new(move |host, event| all.lock().unwrap().push((host.to_owned(), event))));
        let key = Fingerprint::new(format!("SHA256:{}", "a".repeat(43))).unwrap();
        let last = LastLogin { user: Account::new("ops").ok(), port: Some(2222) };
        let events = [Event::Connecting, Event::HostKey(key.clone()), Event::Reached(last)];
        events.iter().for_each(|event| watch("web", event.clone()));
        let facts = &LockFile::load(&file).unwrap().hosts["web"];
        assert_eq!((facts.host_key.as_ref(), facts.ssh_port), (Some(&key), Some(2222)));
        assert_eq!(*heard.lock().unwrap(), events.map(|event| ("web".to_owned(), event)));
    }
}
