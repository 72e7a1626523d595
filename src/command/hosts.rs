//! From the command line and petasos.yaml to jobs: which hosts, and what they should be.

use crate::act::Text;
use crate::config::lock::{Lock, Release};
use crate::config::settings::PlatformName;
use crate::config::{Config, Settings, Target};
use crate::name::EnvName;
use crate::playbook::{Playbook, Renderer, Sources, Wanted};
use crate::release::steps;
use crate::run::Job;
use crate::shell::Ticket;
use anyhow::{Context, Result, anyhow, bail};
use semver::Version;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

/// Which hosts, and how to reach them.
#[derive(Debug, Clone, clap::Args)]
pub struct HostArgs {
    /// Names of petasos.yaml, or addresses such as `root@203.0.113.7`; all hosts of the file when left out
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
    /// The host's key, as its console or its provider tells it; it counts in place of the recorded one
    #[arg(long, value_name = "SHA256:…", value_parser = super::reach::fingerprint)]
    pub host_key: Option<String>,
    /// How many hosts are worked on at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub parallel: usize,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

/// The user's files.
#[derive(Debug, Clone, clap::Args)]
pub struct FileArgs {
    /// What is wanted; `playbooks/` and `templates/` beside it replace the built-in ones file by file
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
        Config::read(&self.config.display().to_string(), &text).map_err(|why| anyhow!(why))
    }

    fn sources(&self) -> Result<Sources> {
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

/// A host that was asked for.
pub struct Choice {
    /// As the user calls it.
    pub label: String,
    /// Its name in petasos.yaml, if it has one.
    pub name: Option<String>,
    pub target: Target,
    pub settings: Settings,
}

impl HostArgs {
    /// The hosts that the command line names, or all of the file.
    ///
    /// # Errors
    /// When a name is unknown, or there is none.
    pub fn choose(&self, config: &Config) -> Result<Vec<Choice>> {
        let words: Vec<String> = if self.hosts.is_empty() {
            config.names().into_iter().map(str::to_owned).collect()
        } else {
            self.hosts.clone()
        };
        if words.is_empty() {
            bail!(
                "no host: none is named, and `{}` has none\nhint: `petasos up root@203.0.113.7`, or `petasos init` for a file",
                self.files.config.display()
            );
        }
        words.into_iter().map(|word| choice(config, word)).collect()
    }

    /// The jobs for the hosts that were chosen.
    ///
    /// # Errors
    /// When a file is missing or not sound.
    pub fn jobs(&self, texts: bool) -> Result<Vec<(Job, Settings)>> {
        self.jobs_with(texts, |choice, _, _| Ok(choice.settings.clone()))
    }

    /// The same, with something else about each host.
    ///
    /// # Errors
    /// As for [`HostArgs::jobs`], and those of what is asked.
    pub fn jobs_with<T>(
        &self,
        texts: bool,
        about: impl Fn(&Choice, &Lock, &Sources) -> Result<T>,
    ) -> Result<Vec<(Job, T)>> {
        let config = self.files.read()?;
        let choices = self.choose(&config)?;
        self.check(choices.len())?;
        let lock = Lock::load(&self.files.lock)?;
        let sources = self.files.sources()?;
        let options = self.ssh_options();
        let job = |choice: Choice| {
            let login = self.login(&choice.label, choice.target.clone(), &options, &lock)?;
            let (known_port, record_port) = self.port(&choice.label, &lock);
            let wanted = wanted(&choice, known_port.unwrap_or(login.resolved.port), &lock, &sources)?;
            let about = about(&choice, &lock, &sources)?;
            let settings = choice.settings;
            let job = Job {
                name: choice.label,
                login,
                admin: settings.admin.user.clone(),
                ssh_port: settings.network.ssh_port.map(NonZeroU16::get),
                known_port,
                record_port,
                wanted,
                ticket: Ticket { run: run_name()?, holder: holder() },
                playbooks: sources.digest(),
                window: settings.guard.window,
                texts,
            };
            Ok((job, about))
        };
        choices.into_iter().map(job).collect()
    }
}

fn choice(config: &Config, word: String) -> Result<Choice> {
    let wrong = |why: String| anyhow!(why);
    let (name, target) = if word.contains('@') {
        let target = Target::try_from(word.clone()).map_err(wrong)?;
        (config.name_of(&target).map(str::to_owned), target)
    } else {
        let target = config.address(&word).map_err(wrong)?.clone();
        (Some(word.clone()), target)
    };
    let settings = config.settings(name.as_deref()).map_err(wrong)?;
    let label = name.clone().unwrap_or_else(|| target.host.clone());
    Ok(Choice { label, name, target, settings })
}

/// What a host should be: the playbooks, filled in. `port` is where its SSH is today.
///
/// # Errors
/// When no release is pinned, or a playbook or template is not sound.
pub fn wanted(choice: &Choice, port: u16, lock: &Lock, sources: &Sources) -> Result<Wanted> {
    let (version, release) = lock.release_of(choice.name.as_deref().unwrap_or_default())?;
    let mut vars = vars(choice, port, version, release)?;
    vars.insert("egress".into(), super::names::vars(&choice.settings, sources)?);
    let vars = Value::Object(vars);
    let renderer = Renderer::new(&sources.templates, &vars).map_err(|why| anyhow!("a template: {why}"))?;
    let mut playbooks = Vec::new();
    // `reference.yaml` documents the kinds; it is no part of a host.
    for (name, text) in sources.playbooks.iter().filter(|(name, _)| *name != "reference.yaml") {
        playbooks.push(Playbook::read(&format!("playbooks/{name}"), text, &renderer).map_err(|why| anyhow!(why))?);
    }
    let names = required_secrets(&choice.settings).into_iter().chain(provider_key(&choice.settings));
    let secrets =
        names.filter_map(|name| Some((name.clone(), Text::secret(std::env::var(name.as_str()).ok()?)))).collect();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
    let seed = seed.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(Wanted::new(playbooks, renderer, secrets, Text::secret(seed)))
}

/// What templates and playbooks may name.
fn vars(choice: &Choice, port: u16, version: &Version, release: &Release) -> Result<Map<String, Value>> {
    let settings = &choice.settings;
    let Value::Object(mut vars) = serde_json::to_value(settings)? else { bail!("settings are a map") };
    let platform_names = settings.agent.platforms.keys().map(|name| platform(*name).0);
    let extras = steps::extras_for(&settings.agent.provider, platform_names);
    let users = |name: PlatformName| {
        let users =
            settings.agent.platforms.get(&name).map(|platform| platform.allowed_users.clone()).unwrap_or_default();
        users.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let own = json!({
        "admin": { "user": settings.admin.user, "authorized_keys": keys(&settings.admin.authorized_keys)? },
        "login": choice.target.user,
        "users": {
            "telegram": users(PlatformName::Telegram),
            "discord": users(PlatformName::Discord),
            "slack": users(PlatformName::Slack),
        },
        "secrets": {
            "required": words(required_secrets(settings)),
            "optional": words(provider_key(settings)),
        },
        "api_port": 8642,
        "ssh_port": settings.network.ssh_port.map_or(port, NonZeroU16::get),
        // Empty where SSH stays where it is.
        "moved_port": settings.network.ssh_port.map(|port| port.to_string()).unwrap_or_default(),
        "inbound": settings.network.inbound.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        "release": {
            "version": version, "source": release.source, "tag": release.tag, "commit": release.commit, "tree": release.tree,
            "archive_sha256": release.archive_sha256, "uv_lock_sha256": release.uv_lock_sha256,
            "extras": extras, "dir": steps::dir(version, release),
        },
    });
    if let Value::Object(own) = own {
        vars.extend(own);
    }
    Ok(vars)
}

fn words(names: impl IntoIterator<Item = EnvName>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
}

/// A platform's own name, and the secrets without which it cannot log in.
pub(super) fn platform(name: PlatformName) -> (&'static str, &'static [&'static str]) {
    match name {
        PlatformName::Telegram => ("telegram", &["TELEGRAM_BOT_TOKEN"]),
        PlatformName::Discord => ("discord", &["DISCORD_BOT_TOKEN"]),
        PlatformName::Slack => ("slack", &["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
    }
}

fn required_secrets(settings: &Settings) -> Vec<EnvName> {
    let tokens = settings.agent.platforms.keys().flat_map(|name| platform(*name).1);
    let mut names: Vec<EnvName> = tokens.filter_map(|name| EnvName::new(*name).ok()).collect();
    names.extend(settings.agent.secrets.iter().cloned());
    names.sort();
    names.dedup();
    names
}

/// The provider's own key: used when it is there, reported when it is not.
pub fn provider_key(settings: &Settings) -> Option<EnvName> {
    let name = settings.agent.provider.to_ascii_uppercase().replace(['-', '.'], "_");
    EnvName::new(format!("{name}_API_KEY")).ok().filter(|name| !settings.agent.secrets.contains(name))
}

/// Keys as given, or the contents of the files that are named.
fn keys(given: &[String]) -> Result<String> {
    let mut keys = String::new();
    for word in given {
        if word.contains(' ') {
            keys.push_str(word);
        } else {
            let home = std::env::var("HOME").unwrap_or_default();
            let path = word.strip_prefix("~/").map_or_else(|| word.clone(), |rest| format!("{home}/{rest}"));
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("admin.authorized_keys: cannot read the public key `{path}`"))?;
            keys.push_str(text.trim());
        }
        keys.push('\n');
    }
    Ok(keys)
}

/// A word that no other run has; later runs sort after earlier ones.
fn run_name() -> Result<String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(format!("{}-{}", since.as_secs(), bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// Who runs this, where, for the lock on the host.
fn holder() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".into());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = if machine.trim().is_empty() { "an unnamed machine" } else { machine.trim() };
    crate::run::owner::described(&user, machine, std::process::id())
}
