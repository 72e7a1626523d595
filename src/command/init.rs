//! `petasos init`.

use crate::fault::Fault;
use crate::playbook::Sources;
use crate::ui;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLE: &str = include_str!("init/petasos.yaml");

#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Where to write
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Write the built-in playbooks and templates too, for you to change
    #[arg(long)]
    pub eject: bool,
    /// Overwrite existing files
    #[arg(long)]
    pub force: bool,
}

/// # Errors
/// When a file is there already, or cannot be written.
pub fn run(args: &InitArgs) -> Result<ExitCode> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    let config = args.folder.join("petasos.yaml");
    // Ejecting into a folder that has its petasos.yaml leaves that alone.
    if !(args.eject && config.exists()) {
        files.push((config, EXAMPLE.to_owned()));
    }
    if args.eject {
        let sources = Sources::embedded();
        let below = |folder: &str, texts: std::collections::BTreeMap<String, String>| {
            let base = args.folder.join(folder);
            texts.into_iter().map(move |(name, text)| (base.join(name), text)).collect::<Vec<_>>()
        };
        files.extend(below("playbooks", sources.playbooks));
        files.extend(below("templates", sources.templates));
    }
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists() && !args.force) {
        bail!(Fault::new(format!("`{}` exists already", there.display())).hint("`--force` overwrites it"));
    }
    for (path, text) in &files {
        write(path, text)?;
        ui::note(&format!("wrote {}", path.display()));
    }
    ui::note("next: `petasos pin VERSION`, then `petasos up`");
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, text).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::EXAMPLE;
    use crate::config::Config;

    #[test]
    fn the_example_is_sound_as_it_is_and_with_every_key_taken_up() {
        Config::read("petasos.yaml", EXAMPLE).expect("as it is");
        let code = |line: &str| line.starts_with('#') && (!line.starts_with("# ") || line.starts_with("#  "));
        let taken_up: String = EXAMPLE
            .lines()
            .map(|line| if code(line) { line.replacen('#', "", 1) } else { line.to_owned() } + "\n")
            .collect();
        let config = Config::read("petasos.yaml", &taken_up).unwrap_or_else(|why| panic!("{why}\n{taken_up}"));
        assert_eq!(config.names(), ["box", "production", "staging"]);
        let settings = config.settings(Some("production")).expect("sound");
        assert_eq!(settings.agent.limits.memory, "4G");
        assert_eq!(settings.agent.platforms.len(), 1);
        assert_eq!(settings.agent.secrets.len(), 1);
        assert_eq!(settings.network.ssh_port.map(u16::from), Some(2222));
        assert!(!settings.network.egress.enforce);
    }
}
