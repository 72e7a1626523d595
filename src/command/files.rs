//! The user's files: petasos.yaml, petasos.lock, playbooks and templates of their own, public keys.

use crate::config::Config;
use crate::playbook::Sources;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The user's files.
#[derive(Debug, Clone, clap::Args)]
pub struct FileArgs {
    /// The desired state; files in `playbooks/` and `templates/` beside it replace the built-in
    /// ones
    #[arg(short, long, value_name = "FILE", default_value = "petasos.yaml")]
    pub config: PathBuf,
    /// The pinned releases
    #[arg(long, value_name = "FILE", default_value = "petasos.lock")]
    pub lock: PathBuf,
}

impl FileArgs {
    /// # Errors
    /// When the file is there but is not sound.
    pub fn read(&self) -> Result<Config> {
        let text = match std::fs::read_to_string(&self.config) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", self.config.display())),
        };
        Ok(Config::read(&self.config.display().to_string(), &text)?)
    }

    /// The built-in playbooks and templates, with the user's own in their place.
    ///
    /// # Errors
    /// When one of the user's cannot be read.
    pub fn sources(&self) -> Result<Sources> {
        let base = self.config.parent().unwrap_or(Path::new(""));
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
    let home = std::env::var("HOME").unwrap_or_default();
    let path = name.strip_prefix("~/").map_or_else(|| name.to_owned(), |rest| format!("{home}/{rest}"));
    Ok(std::fs::read_to_string(path)?)
}
