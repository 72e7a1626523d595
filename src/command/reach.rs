//! How hosts are reached: ssh's options, whose host key is known, and who knows a sudo password.

use super::hosts::HostArgs;
use crate::act::Text;
use crate::config::Target;
use crate::config::lock::{HostFacts, Lock};
use crate::transport::{AskPassword, HostKey, Login, Resolved, SshOptions, resolve};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The environment variable that may hold a user's password for sudo.
const PASSWORD: &str = "PETASOS_SUDO_PASSWORD";

impl HostArgs {
    /// # Errors
    /// When a key is given for more than one host.
    pub(super) fn check(&self, hosts: usize) -> Result<()> {
        if self.host_key.is_some() && hosts > 1 {
            bail!("`--host-key` is one host's key, and {hosts} hosts are meant\nhint: name one host");
        }
        Ok(())
    }

    pub(super) fn ssh_options(&self) -> SshOptions {
        SshOptions {
            config: self.ssh_config.clone(),
            identity: self.identity.clone(),
            connect_timeout: None,
            password: Some(password()),
        }
    }

    /// A host's login: its key is the one of the command line, or the lock's; one that the lock has not is recorded there.
    pub(super) fn login(&self, label: &str, target: Target, options: &SshOptions, lock: &Lock) -> Result<Login> {
        let recorded = lock.hosts.get(label).and_then(|facts| facts.host_key.clone());
        let known = self.host_key.clone().or_else(|| recorded.clone());
        let (path, name) = (self.files.lock.clone(), label.to_owned());
        let write =
            move |fingerprint: &str| record(&path, &name, |facts| facts.host_key = Some(fingerprint.to_owned()));
        let record = (known.is_none() || known != recorded).then(|| Box::new(write) as Box<dyn Fn(&str) + Send + Sync>);
        let resolved: Resolved = resolve(&target, options).map_err(|why| anyhow!(why)).context(label.to_owned())?;
        let host_key = Arc::new(HostKey::new(known, record));
        Ok(Login { target, options: options.clone(), host_key, resolved: Arc::new(resolved) })
    }

    /// The port that a host was last reached at, if not at its address's own, and what writes down another.
    pub(super) fn port(&self, label: &str, lock: &Lock) -> (Option<u16>, Box<dyn Fn(u16) + Send + Sync>) {
        let (path, name) = (self.files.lock.clone(), label.to_owned());
        let known = lock.hosts.get(label).and_then(|facts| facts.ssh_port);
        (known, Box::new(move |port| record(&path, &name, |facts| facts.ssh_port = Some(port))))
    }
}

/// `SHA256:` and 32 bytes in base64, as `ssh-keygen -l` prints them.
pub fn fingerprint(text: &str) -> Result<String, String> {
    let sound = |word: &str| word.len() == 43 && word.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c));
    match text.strip_prefix("SHA256:") {
        Some(word) if sound(word) => Ok(text.to_owned()),
        _ => Err(
            "it is no fingerprint: write `SHA256:…` as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it"
                .into(),
        ),
    }
}

/// Writes what was learnt of a host to the lock file, which other hosts of the same run do too.
fn record(path: &Path, name: &str, learn: impl FnOnce(&mut HostFacts)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let write = || -> Result<()> {
        let mut lock = Lock::load(path)?;
        learn(lock.hosts.entry(name.to_owned()).or_default());
        Ok(lock.save(path)?)
    };
    if let Err(error) = write() {
        eprintln!("warning: {name}: its host key or SSH port is not recorded: {error:#}");
    }
}

/// From the environment, else from whoever sits at the terminal: asked once for each user of each host.
fn password() -> AskPassword {
    let typed: Mutex<BTreeMap<String, Option<Text>>> = Mutex::default();
    Arc::new(move |target: &Target| {
        if let Ok(password) = std::env::var(PASSWORD) {
            return Some(Text::secret(password));
        }
        // Held while somebody types: one question at a time.
        let mut typed = typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed.entry(target.to_string()).or_insert_with(|| ask(target)).clone()
    })
}

fn ask(target: &Target) -> Option<Text> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return None;
    }
    crate::ui::progress::aside(|| {
        eprint!("sudo password of {target}: ");
        terminal.read_secure_line().ok().map(Text::secret)
    })
}
