//! `petasos secret`: the values of secrets, in a file that may be committed.

mod input;

use super::explain;
use super::files::FileArgs;
use super::hosts::variable;
use super::secrets_file::{AgeArgs, SecretsFile, recipients};
use crate::act::Text;
use crate::config::Config;
use crate::fault::Fault;
use crate::name::EnvName;
use crate::secret::{Recipients, Values};
use crate::ui;
use anyhow::{Result, bail};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keep the values of secrets in secrets.yaml.age, encrypted for those who run petasos
#[derive(Debug, clap::Args)]
pub struct SecretArgs {
    #[command(subcommand)]
    verb: SecretVerb,
}

#[derive(Debug, clap::Subcommand)]
enum SecretVerb {
    /// Store one value: typed unseen, or read from standard input
    Set(SetArgs),
    /// Store the values of a file of NAME=value lines
    Import(ImportArgs),
    /// List the names; never a value
    List(ListArgs),
    /// Remove one value
    Rm(RmArgs),
    /// Encrypt the file again, for those whom petasos.yaml names now
    Rekey(CommonArgs),
}

#[derive(Debug, clap::Args)]
struct CommonArgs {
    /// The desired state; secrets.yaml.age is beside it
    #[arg(short, long, value_name = "FILE", default_value = "petasos.yaml")]
    config: PathBuf,
    #[command(flatten)]
    age: AgeArgs,
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// The environment variable whose value it is, such as OPENROUTER_API_KEY
    #[arg(value_name = "NAME")]
    name: String,
    // A value does not belong here: it is taken so that it can be refused without being shown.
    #[arg(hide = true, allow_hyphen_values = true)]
    value: Vec<String>,
    /// For this host of petasos.yaml alone; its value wins over the one for all hosts
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// For this host of petasos.yaml alone
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, clap::Args)]
struct RmArgs {
    /// The environment variable whose value it is
    #[arg(value_name = "NAME")]
    name: String,
    /// The value that this host has of its own
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[command(flatten)]
    common: CommonArgs,
}

/// # Errors
/// When the file cannot be decrypted or written, or a value cannot be one of a secret.
pub fn run(args: &SecretArgs) -> Result<ExitCode> {
    match &args.verb {
        SecretVerb::Set(args) => set(args),
        SecretVerb::Import(args) => import(args),
        SecretVerb::List(args) => list(args),
        SecretVerb::Rm(args) => remove(args),
        SecretVerb::Rekey(args) => rekey(args),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn set(args: &SetArgs) -> Result<()> {
    let name = input::name(&args.name, &args.value)?;
    let desk = Desk::of(&args.common)?;
    let host = desk.host(args.host.as_deref())?;
    // Before anybody types: whether there is somebody to encrypt for, and whether the file opens.
    let (recipients, mut values) = desk.to_write()?;
    let value = input::value(&name)?;
    let replaced = values.set(host, &name, Text::secret(value))?;
    desk.write(values, &recipients)?;
    let (done, whose) = (if replaced { "replaced" } else { "stored" }, of(host));
    ui::note(&format!("{done} `{name}`{whose} in {}", desk.file.shown()));
    if variable(name.as_str()).is_some_and(|value| !value.is_empty()) {
        ui::note(&format!("`{name}` is set in this environment too, which wins"));
    }
    Ok(())
}

fn import(args: &ImportArgs) -> Result<()> {
    let desk = Desk::of(&args.common)?;
    let host = desk.host(args.host.as_deref())?;
    let pairs = input::pairs(&args.file)?;
    let (recipients, mut values) = desk.to_write()?;
    let mut replaced = 0;
    for (name, value) in &pairs {
        replaced += usize::from(values.set(host, name, value.clone())?);
    }
    desk.write(values, &recipients)?;
    let names: Vec<String> = pairs.keys().map(|name| format!("`{name}`")).collect();
    let more = if replaced == 0 { String::new() } else { format!(" ({replaced} of them replaced)") };
    ui::note(&format!("stored {}{} in {}{more}", names.join(", "), of(host), desk.file.shown()));
    Ok(())
}

/// A stored value, without it.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a EnvName,
    /// None for all hosts.
    host: Option<&'a str>,
    /// Whether the environment has another, which wins.
    in_environment: bool,
}

fn list(args: &ListArgs) -> Result<()> {
    let desk = Desk::of(&args.common)?;
    let values = desk.file.values()?;
    let names = values.map(Values::names).unwrap_or_default();
    let set = |name: &EnvName| variable(name.as_str()).is_some_and(|value| !value.is_empty());
    let rows: Vec<Row<'_>> =
        names.into_iter().map(|(name, host)| Row { name, host, in_environment: set(name) }).collect();
    if args.json {
        ui::json(&rows)?;
    } else {
        let width = rows.iter().map(|row| row.name.as_str().len()).max().unwrap_or_default();
        let hosts = rows.iter().map(|row| row.host.unwrap_or(ALL).len()).max().unwrap_or_default();
        let known = desk.config.names();
        for row in &rows {
            let (name, host) = (row.name.as_str(), row.host.unwrap_or(ALL));
            let unknown = row.host.is_some_and(|host| !known.contains(&host));
            let remark = match (unknown, row.in_environment) {
                (true, _) => "petasos.yaml has no such host",
                (false, true) => "set in this environment, which wins",
                (false, false) => "",
            };
            ui::out(&format!("{}\n", format!("{name:width$}  {host:hosts$}  {remark}").trim_end()))?;
        }
    }
    match values {
        None => ui::note(&format!("there is no {}: `petasos secret set NAME` makes it", desk.file.shown())),
        Some(values) => match recipients(&desk.files, &desk.config) {
            Ok((now, _)) if values.recipients == now.lines() => {}
            Ok(_) => ui::warning(
                "petasos.yaml names other recipients than those that the file is encrypted for: `petasos secret \
                 rekey`",
            ),
            // The next `set` ends with it.
            Err(error) => ui::warning(&explain::fault(&error).to_string()),
        },
    }
    Ok(())
}

fn remove(args: &RmArgs) -> Result<()> {
    let name = input::name(&args.name, &[])?;
    let desk = Desk::of(&args.common)?;
    let (recipients, mut values) = desk.to_write()?;
    // A host that petasos.yaml no longer has may still have values.
    let host = args.host.as_deref();
    if !values.remove(host, &name) {
        let missing = Fault::new(format!("there is no `{name}`{} in {}", of(host), desk.file.shown()));
        bail!(missing.hint("`petasos secret list` shows what there is"));
    }
    desk.write(values, &recipients)?;
    ui::note(&format!("removed `{name}`{} from {}; hosts keep the value that they have", of(host), desk.file.shown()));
    Ok(())
}

fn rekey(args: &CommonArgs) -> Result<()> {
    let desk = Desk::of(args)?;
    if !desk.file.is_there() {
        let missing = Fault::new(format!("there is no {}", desk.file.shown()));
        bail!(missing.hint("`petasos secret set NAME` makes it"));
    }
    let (recipients, values) = desk.to_write()?;
    let before = values.recipients.clone();
    desk.write(values, &recipients)?;
    let now = recipients.lines();
    ui::note(&format!("encrypted {} for:", desk.file.shown()));
    recipients.shown().iter().for_each(|line| ui::note(&format!("  {line}")));
    if before.iter().any(|line| !now.contains(line)) {
        ui::note(
            "who was dropped can still decrypt older copies, such as those in version control: replace the values \
             themselves, at whoever issued them",
        );
    }
    Ok(())
}

const ALL: &str = "all hosts";

fn of(host: Option<&str>) -> String {
    host.map_or_else(String::new, |host| format!(" of `{host}`"))
}

/// petasos.yaml and the file beside it.
struct Desk {
    files: FileArgs,
    config: Config,
    file: SecretsFile,
}

impl Desk {
    fn of(args: &CommonArgs) -> Result<Self> {
        let files = FileArgs { config: args.config.clone(), lock: PathBuf::new() };
        let config = files.read()?;
        let file = SecretsFile::beside(&args.config, &args.age, None);
        Ok(Self { files, config, file })
    }

    /// # Errors
    /// When petasos.yaml has no such host.
    fn host<'a>(&self, host: Option<&'a str>) -> Result<Option<&'a str>> {
        if let Some(name) = host {
            self.config.address(name)?;
        }
        Ok(host)
    }

    /// Whom to encrypt for, and what is in the file so far.
    fn to_write(&self) -> Result<(Recipients, Values)> {
        let (recipients, left) = recipients(&self.files, &self.config)?;
        for key in left {
            let kind = key.split(' ').next().unwrap_or_default();
            ui::warning(&format!(
                "admin.authorized_keys has a key of the kind `{kind}`, which cannot decrypt: it is left out"
            ));
        }
        Ok((recipients, self.file.open()?.unwrap_or_default()))
    }

    fn write(&self, values: Values, recipients: &Recipients) -> Result<()> {
        if !self.file.write(values, recipients)? {
            ui::warning(&format!(
                "no private key that is here can decrypt {}: name yours with `--age-identity`",
                self.file.shown()
            ));
        }
        Ok(())
    }
}
