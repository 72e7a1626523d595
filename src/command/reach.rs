//! How hosts are reached: ssh's options, whose host key is known, and who knows a sudo password.

use crate::act::Text;
use crate::config::Target;
use crate::config::lock::{HostFacts, Lock};
use crate::name::Fingerprint;
use crate::transport::{AskPassword, HostKey, Login, Resolved, SshOptions, resolve};
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The environment variable that may hold a user's password for sudo.
const PASSWORD: &str = "PETASOS_SUDO_PASSWORD";

/// What is known of hosts before they are reached.
pub struct Known<'a> {
    pub lock: &'a Lock,
    /// Where the lock lies: what is learned of a host is written there.
    pub file: &'a Path,
    /// The key that the command line says a host has.
    pub given: Option<&'a Fingerprint>,
}

impl Known<'_> {
    /// A host's login: its key is the one of the command line, or the lock's; one that the lock has
    /// not is recorded there.
    ///
    /// # Errors
    /// When ssh does not accept its configuration.
    pub fn login(&self, label: &str, target: Target, options: &SshOptions) -> Result<Login> {
        let recorded = self.lock.hosts.get(label).and_then(|facts| facts.host_key.clone());
        let known = self.given.cloned().or_else(|| recorded.clone());
        let (path, name) = (self.file.to_owned(), label.to_owned());
        let write =
            move |fingerprint: &Fingerprint| record(&path, &name, |facts| facts.host_key = Some(fingerprint.clone()));
        let record =
            (known.is_none() || known != recorded).then(|| Box::new(write) as Box<dyn Fn(&Fingerprint) + Send + Sync>);
        let resolved: Resolved = resolve(&target, options).map_err(|why| anyhow!(why)).context(label.to_owned())?;
        let host_key = Arc::new(HostKey::new(known, record));
        Ok(Login { target, options: options.clone(), host_key, resolved: Arc::new(resolved) })
    }

    /// The port that a host was last reached at, if not at its address's own, and what writes down
    /// another.
    pub fn port(&self, label: &str) -> (Option<u16>, Box<dyn Fn(u16) + Send + Sync>) {
        let (path, name) = (self.file.to_owned(), label.to_owned());
        let known = self.lock.hosts.get(label).and_then(|facts| facts.ssh_port);
        (known, Box::new(move |port| record(&path, &name, |facts| facts.ssh_port = Some(port))))
    }
}

/// How `ssh` is called: `ssh -F`, `ssh -i`, and who knows a password for sudo.
pub fn ssh_options(config: Option<PathBuf>, identity: Option<PathBuf>) -> SshOptions {
    SshOptions { config, identity, connect_timeout: None, password: Some(password()) }
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
