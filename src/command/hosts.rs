//! From the command line and petasos.yaml to jobs: which hosts, and what they should be.

use super::files::{FileArgs, key_file};
use super::reach;
use super::secrets_file::{AgeArgs, SecretsFile};
use crate::act::Text;
use crate::config::lock::LockFile;
use crate::config::settings::Role;
use crate::config::{Config, KeyFault, Settings};
use crate::desired::{Choice, Operator, packs, secrets, vars};
use crate::fault::Fault;
use crate::name::{EnvName, Fingerprint};
use crate::playbook::{DesiredState, Sources};
use crate::run::{Job, Watch, owner};
use crate::transport::Login;
use crate::ui::progress;
use anyhow::{Error, Result, anyhow, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::path::PathBuf;

/// Which hosts, and how to reach them.
#[derive(Debug, Clone, clap::Args)]
pub struct HostArgs {
    /// Host names from petasos.yaml, or addresses such as `root@203.0.113.7` [default: all hosts of
    /// petasos.yaml]
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    #[command(flatten)]
    pub files: FileArgs,
    /// The ssh configuration to use in place of ~/.ssh/config (`ssh -F`)
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// The private key to log in with (`ssh -i`)
    #[arg(short, long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The host's key, as its console or its provider shows it; replaces the recorded one
    #[arg(long, value_name = "SHA256:…", value_parser = fingerprint)]
    pub host_key: Option<Fingerprint>,
    #[command(flatten)]
    pub age: AgeArgs,
    /// How many hosts to work on at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub parallel: usize,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a verb asks about hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// What they are.
    Host,
    /// What they should be too, with the values of secrets.
    Difference,
    /// And the old texts of changed files.
    Texts,
}

impl HostArgs {
    /// The hosts that the command line names, or all of the file; where only those of a role are
    /// asked for, all of that role.
    ///
    /// # Errors
    /// When a name is unknown or of another role, or there is none.
    pub fn choose(&self, config: &Config, role: Option<Role>) -> Result<Vec<Choice>> {
        let names: Vec<String> = if self.hosts.is_empty() {
            let roles = role.map_or_else(|| Role::ALL.to_vec(), |role| vec![role]);
            config.names().into_iter().filter(|name| roles.contains(&config.role(name))).map(str::to_owned).collect()
        } else {
            self.hosts.clone()
        };
        if names.is_empty() {
            let none = format!("no host is given, and `{}` lists none", self.files.config.display());
            bail!(Fault::new(none).hint("`petasos up root@203.0.113.7`, or `petasos init` for a file"));
        }
        // Named twice is named.
        let mut seen = BTreeSet::new();
        let names = names.iter().filter(|name| seen.insert(name.as_str()));
        names.map(|name| of_role(Choice::of(config, name)?, role)).collect()
    }

    /// Shows how these hosts fare, and records what they teach.
    pub fn watch(&self, names: &[String], quiet: bool) -> Watch {
        reach::recording(&self.files.lock, progress::watch(names, quiet))
    }

    /// The jobs for the hosts that were chosen.
    ///
    /// # Errors
    /// When a file is missing or not sound.
    pub fn jobs(&self, subject: Subject) -> Result<Vec<(Job, Settings)>> {
        self.jobs_with(subject, |choice, _| Ok(choice.settings.clone()))
    }

    /// The jobs for those with an agent.
    ///
    /// # Errors
    /// As for [`HostArgs::jobs`], and when a host has none.
    pub fn agents(&self, subject: Subject) -> Result<Vec<(Job, Settings)>> {
        self.agents_with(subject, |choice, _| Ok(choice.settings.clone()))
    }

    /// The same, with something else about each host.
    ///
    /// # Errors
    /// As for [`HostArgs::agents`], and those of what is asked.
    pub fn agents_with<T>(
        &self,
        subject: Subject,
        about: impl Fn(&Choice, &Read<'_>) -> Result<T>,
    ) -> Result<Vec<(Job, T)>> {
        self.jobs_of(Some(Role::Agent), subject, about)
    }

    /// The jobs for the hosts that were chosen, with something else about each host.
    ///
    /// # Errors
    /// As for [`HostArgs::jobs`], and those of what is asked.
    pub fn jobs_with<T>(
        &self,
        subject: Subject,
        about: impl Fn(&Choice, &Read<'_>) -> Result<T>,
    ) -> Result<Vec<(Job, T)>> {
        self.jobs_of(None, subject, about)
    }

    fn jobs_of<T>(
        &self,
        role: Option<Role>,
        subject: Subject,
        about: impl Fn(&Choice, &Read<'_>) -> Result<T>,
    ) -> Result<Vec<(Job, T)>> {
        let config = self.files.read()?;
        let choices = self.choose(&config, role)?;
        self.one_key(&choices)?;
        let (lock, sources) = (LockFile::load(&self.files.lock)?, self.files.sources()?);
        let secrets = self.secrets();
        let secrets = (subject != Subject::Host).then_some(&secrets);
        let read = Read { config: &config, lock: &lock, sources: &sources, secrets };
        let mut reached = Reached::new();
        let mut job = |choice: Choice| {
            let login = self.login(&read, &choice)?;
            once(&mut reached, &choice.label, &login).map_err(|error| placed(&config, None, error))?;
            let name = choice.name.clone();
            let about = || Ok((desired(&read, &choice)?, about(&choice, &read)?));
            let (desired, about) = about().map_err(|error| placed(&config, name.as_deref(), error))?;
            Ok((self.job(&read, choice, login, desired, subject == Subject::Texts)?, about))
        };
        choices.into_iter().map(&mut job).collect()
    }

    /// The file of encrypted secrets, not opened yet.
    pub(super) fn secrets(&self) -> SecretsFile {
        SecretsFile::beside(&self.files.config, &self.age, self.identity.as_deref())
    }

    /// # Errors
    /// When one key is given for several hosts.
    pub(super) fn one_key(&self, choices: &[Choice]) -> Result<()> {
        if self.host_key.is_some() && choices.len() > 1 {
            let hosts = choices.len();
            let fault = Fault::new(format!("`--host-key` is the key of one host, and {hosts} hosts are selected"));
            bail!(fault.hint("name one host"));
        }
        Ok(())
    }

    /// How a host is reached; asks ssh, and connects nowhere.
    ///
    /// # Errors
    /// When ssh does not accept its configuration.
    pub(super) fn login(&self, read: &Read<'_>, choice: &Choice) -> Result<Login> {
        let config = match &self.ssh_config {
            Some(given) => Some(given.clone()),
            None => self.files.ssh_config(read.config, choice)?,
        };
        let options = reach::ssh_options(config, self.identity.clone());
        let known = reach::Known { lock: read.lock, given: self.host_key.as_ref() };
        known.login(&choice.label, choice.target.clone(), &options)
    }

    /// # Errors
    /// When nothing tells who runs this.
    pub(super) fn job(
        &self,
        read: &Read<'_>,
        choice: Choice,
        login: Login,
        desired: DesiredState,
        texts: bool,
    ) -> Result<Job> {
        let last = reach::Known { lock: read.lock, given: self.host_key.as_ref() }.last(&choice.label);
        let settings = choice.settings;
        Ok(Job {
            name: choice.label,
            login,
            admin: settings.admin.user.clone(),
            ssh_port: settings.network.ssh_port.map(NonZeroU16::get),
            last,
            desired,
            packages: choice.packages,
            run_id: owner::this_run()?,
            playbooks: read.sources.digest(),
            confirm_timeout_secs: settings.guard.confirm_timeout_secs,
            texts,
        })
    }
}

/// # Errors
/// When the host is of another role than is asked for.
fn of_role(choice: Choice, role: Option<Role>) -> Result<Choice> {
    if role.is_none_or(|role| role == choice.settings.role) {
        return Ok(choice);
    }
    let fault = match choice.settings.role {
        Role::Vault => Fault::new(format!("`{}` is a vault: it runs no agent", choice.label)),
        Role::Agent => Fault::new(format!("`{}` is no vault", choice.label)),
    };
    bail!(fault.hint("name another host; `role` in petasos.yaml says which is what"))
}

/// The user's files, read.
pub struct Read<'a> {
    pub config: &'a Config,
    pub lock: &'a LockFile,
    pub sources: &'a Sources,
    /// None where nobody asks for a secret's value.
    pub secrets: Option<&'a SecretsFile>,
}

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Read<'_> {
    /// What the file of secrets has, if the agent of this host needs something that the environment
    /// lacks: nobody is asked for a passphrase in vain.
    ///
    /// # Errors
    /// When it cannot be decrypted.
    pub fn stored(&self, choice: &Choice) -> Result<impl Fn(&EnvName) -> Option<Text>> {
        let agent = choice.settings.role == Role::Agent;
        let needs = agent.then(|| packs::needs(&choice.settings, self.sources)).transpose()?;
        let lacks = secrets::lacks_any(&choice.settings, needs.as_ref(), &variable);
        let values = self.secrets.filter(|_| lacks).map_or(Ok(None), SecretsFile::values)?;
        let host = choice.name.clone();
        Ok(move |name: &EnvName| values?.get(host.as_deref(), name).cloned())
    }
}

/// What a host should be.
///
/// # Errors
/// When a file is missing or not sound.
pub(super) fn desired(read: &Read<'_>, choice: &Choice) -> Result<DesiredState> {
    let stored = read.stored(choice)?;
    let seed = Text::secret(random()?);
    let operator = Operator { variable: &variable, stored: &stored, file: &key_file, seed };
    vars::desired_state(choice, read.config, read.lock, read.sources, &operator)
}

/// The same error; where it is about a key of petasos.yaml, with line and caret.
pub(super) fn placed(config: &Config, host: Option<&str>, error: Error) -> Error {
    match error.downcast::<KeyFault>() {
        Ok(wrong) => config.point(host, wrong).into(),
        Err(error) => error,
    }
}

/// The hosts so far, by where they are dialled.
pub(super) type Reached = BTreeMap<(String, u16), String>;

/// Two names for one host would be two runs on it at once, and the second finds the first at work.
pub(super) fn once(reached: &mut Reached, label: &str, login: &Login) -> Result<()> {
    let (address, port) = (login.resolved.address.clone(), login.resolved.port);
    // The same address behind two jump hosts may be two hosts.
    if login.resolved.through_another {
        return Ok(());
    }
    let here = format!("{address}, port {port}");
    let Some(other) = reached.insert((address, port), label.to_owned()) else { return Ok(()) };
    let fault = Fault::new(format!("`{other}` and `{label}` are the same host: {here}"))
        .hint("remove one of them from petasos.yaml, or name one on the command line");
    bail!(KeyFault::of(&["hosts", label, "address"], fault))
}

pub(super) fn fingerprint(text: &str) -> Result<Fingerprint, Fault> {
    Fingerprint::new(text)
}

/// 32 random bytes in hexadecimal.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
