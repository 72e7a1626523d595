//! The user's files: petasos.yaml, petasos.lock, playbooks and templates of their own, public keys.

use crate::config::{Config, KeyFault};
use crate::desired::Choice;
use crate::fault::Fault;
use crate::playbook::Sources;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PETASOS_YAML: &str = "petasos.yaml";

/// The user's files.
#[derive(Debug, Clone, clap::Args)]
pub struct FileArgs {
    /// The desired state; files in `playbooks/` and `templates/` beside it replace the built-in
    /// ones
    #[arg(short, long, value_name = "FILE", default_value = PETASOS_YAML)]
    pub config: PathBuf,
    /// The pinned releases
    #[arg(long, value_name = "FILE", default_value = "petasos.lock")]
    pub lock: PathBuf,
}

impl FileArgs {
    /// # Errors
    /// When the file is there but is not sound.
    pub fn read(&self) -> Result<Config> {
        let text = match std::fs::read(&self.config) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.may_be_missing()?;
                Vec::new()
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", self.config.display())),
        };
        Ok(Config::read_bytes(&self.config.display().to_string(), &text)?)
    }

    /// Without a file, a host has the defaults: not where one was named, or has nearly the right
    /// name.
    fn may_be_missing(&self) -> Result<()> {
        let named = self.config.display();
        if self.config != Path::new(PETASOS_YAML) {
            bail!(Fault::new(format!("there is no file `{named}`")).hint("name the file that describes your hosts"));
        }
        if let Some(other) = ["petasos.yml", "Petasos.yaml"].into_iter().find(|name| Path::new(name).exists()) {
            let fault = Fault::new(format!("there is no `{named}` here, but `{other}`"));
            bail!(fault.hint(format!("`mv {other} {named}`, or `--config {other}`")));
        }
        Ok(())
    }

    /// Where petasos.yaml is, and what it names is looked for.
    pub fn folder(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }

    /// The ssh configuration that petasos.yaml names for a host: `~/` is the user's home, any other
    /// path starts where petasos.yaml is.
    ///
    /// # Errors
    /// When it is no file.
    pub fn ssh_config(&self, config: &Config, choice: &Choice) -> Result<Option<PathBuf>> {
        let Some(named) = &choice.settings.ssh.config else { return Ok(None) };
        let path = self.folder().join(at_home(named));
        if !path.is_file() {
            let fault = Fault::new(format!("ssh.config: there is no file `{}`", path.display()))
                .hint("name an ssh configuration, by its path from where petasos.yaml is, or remove the key");
            bail!(config.point(choice.name.as_deref(), KeyFault::of(&["ssh", "config"], fault)));
        }
        Ok(Some(path))
    }

    /// The built-in playbooks and templates, with the user's own in their place.
    ///
    /// # Errors
    /// When one of the user's cannot be read.
    pub fn sources(&self) -> Result<Sources> {
        let base = self.folder();
        let playbooks = texts(&base.join("playbooks"), "", |name| name.ends_with(".yaml"))?;
        let templates = texts(&base.join("templates"), "", crate::playbook::is_template)?;
        Ok(Sources::embedded().overridden(playbooks, templates))
    }
}

/// The texts below a folder that a user may have, by name relative to it.
fn texts(folder: &Path, prefix: &str, wanted: fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(texts);
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            texts.extend(self::texts(&entry.path(), &format!("{name}/"), wanted)?);
        } else if wanted(&name) {
            let path = entry.path();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            texts.insert(name, text);
        }
    }
    Ok(texts)
}

/// The text of a public key's file; `~/` is the user's home.
///
/// # Errors
/// When it cannot be read.
pub fn key_file(name: &str) -> Result<String> {
    Ok(std::fs::read_to_string(at_home(name))?)
}

/// A path in which `~/` is the user's home.
pub(super) fn at_home(name: &str) -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    name.strip_prefix("~/").map_or_else(|| PathBuf::from(name), |rest| PathBuf::from(home).join(rest))
}
