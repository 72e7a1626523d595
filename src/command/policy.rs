//! `petasos policy`: what the policy makes of a command, before anybody has run it.

use super::each::each;
use super::files::FileArgs;
use super::hosts::{HostArgs, Subject, fingerprint};
use super::secrets_file::AgeArgs;
use crate::config::Config;
use crate::config::lock::LockFile;
use crate::desired::{Choice, policy};
use crate::fault::Fault;
use crate::name::Fingerprint;
use crate::run::policy::{ARGV, Explained, PACKAGE, Request, Verdict, answer, package, program};
use crate::ui::{self, exit};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use tokio::io::AsyncWriteExt;

/// What the agent's tools may do
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    verb: PolicyVerb,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyVerb {
    /// Show what would become of a command, and by which rule; nothing runs
    Test(Box<TestArgs>),
}

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "petasos policy test [OPTIONS] HOST COMMAND\n       petasos policy test [OPTIONS] --local [HOST] COMMAND"
)]
struct TestArgs {
    /// The host whose own policy is asked (with --local, whose settings count), and the command as
    /// the agent would give it to the tool
    #[arg(value_name = "HOST COMMAND", num_args = 1..=2, required = true)]
    words: Vec<String>,
    /// Ask the policy that petasos.yaml would make, with the python3 of this machine
    #[arg(long)]
    local: bool,
    /// The tool that is called; what it takes in place of a command is JSON, such as `{"path":
    /// "/etc/shadow"}`
    #[arg(long, value_name = "NAME", default_value = "terminal")]
    tool: String,
    #[command(flatten)]
    files: FileArgs,
    /// The ssh configuration to use in place of ~/.ssh/config (`ssh -F`)
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// The private key to log in with (`ssh -i`)
    #[arg(short, long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The host's key, as its console or its provider shows it; replaces the recorded one
    #[arg(long, value_name = "SHA256:…", value_parser = fingerprint)]
    host_key: Option<Fingerprint>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// When a file is not sound, or the policy cannot be asked.
pub async fn run(args: &PolicyArgs) -> Result<ExitCode> {
    let PolicyVerb::Test(args) = &args.verb;
    let (host, command) = match args.words.as_slice() {
        [command] if args.local => (None, command),
        [host, command] => (Some(host.as_str()), command),
        _ => {
            let fault = Fault::new("`policy test` needs a host and a command");
            ui::error(&fault.hint("`petasos policy test HOST COMMAND`, or `--local` in place of a host"));
            return Ok(ExitCode::from(exit::USAGE));
        }
    };
    let request = Request { tool: args.tool.clone(), args: arguments(&args.tool, command)?, policy: None };
    let explained = match host {
        host if args.local => locally(args, host, request).await?,
        host => on_the_host(args, host, request).await?,
    };
    if args.json {
        ui::json(&explained)?;
    } else {
        ui::out(&text(command, &explained))?;
    }
    Ok(ExitCode::from(match explained.verdict {
        Verdict::Allow => exit::DONE,
        Verdict::Refuse | Verdict::Ask => exit::DRIFT,
    }))
}

/// What the tool is called with.
fn arguments(tool: &str, command: &str) -> Result<Value> {
    match tool {
        "terminal" => Ok(json!({ "command": command })),
        "execute_code" => Ok(json!({ "code": command })),
        tool => match serde_json::from_str(command) {
            Ok(Value::Object(object)) => Ok(Value::Object(object)),
            Ok(_) | Err(_) => {
                let fault = Fault::new(format!("what `{tool}` is called with is no JSON object"));
                bail!(fault.hint(r#"write it so: '{"path": "notes.md"}'"#))
            }
        },
    }
}

async fn on_the_host(args: &TestArgs, host: Option<&str>, request: Request) -> Result<Explained> {
    let hosts = HostArgs {
        hosts: host.map(str::to_owned).into_iter().collect(),
        files: args.files.clone(),
        ssh_config: args.ssh_config.clone(),
        identity: args.identity.clone(),
        host_key: args.host_key.clone(),
        age: AgeArgs::default(),
        parallel: 1,
        json: args.json,
    };
    let jobs = hosts.agents(Subject::Host)?;
    let ask = move |job: std::sync::Arc<crate::run::Job>, _, watch| {
        let request = request.clone();
        async move { job.test_policy(&request, &watch).await }
    };
    let done = each(jobs, &hosts, ask).await;
    let one = done.into_iter().next().ok_or_else(|| anyhow!("no host was asked"))?;
    Ok(one.result?)
}

async fn locally(args: &TestArgs, host: Option<&str>, mut request: Request) -> Result<Explained> {
    let config = args.files.read()?;
    let choice = host.map(|host| Choice::of(&config, host)).transpose()?;
    let name = choice.as_ref().and_then(|choice| choice.name.as_deref());
    if choice.is_none() {
        ui::note(&whose(&args.files.config.display().to_string(), &config));
    }
    let settings = config.settings(name)?;
    let lock = LockFile::load(&args.files.lock)?;
    let (version, release) = lock.release_of(name.unwrap_or_default())?;
    request.policy = Some(policy::policy(&settings, &args.files.sources()?, version, release)?);
    let folder = tempfile::tempdir().context("no folder for the policy's files")?;
    let package_folder = folder.path().join(PACKAGE);
    std::fs::create_dir(&package_folder)?;
    for (name, text) in package() {
        std::fs::write(package_folder.join(name), text)?;
    }
    python(folder.path(), &request).await
}

/// Whose settings count where no host is named.
fn whose(file: &str, config: &Config) -> String {
    let differ: Vec<&str> =
        config.names().into_iter().filter(|name| config.stated(Some(name), &["agent"]) > 0).collect();
    let all = format!("note: this is by the settings at the top level of {file}");
    match differ.as_slice() {
        [] => all,
        [first, ..] => format!(
            "{all}; hosts with settings of their own: {} (`petasos policy test --local {first} COMMAND`)",
            differ.join(", ")
        ),
    }
}

async fn python(folder: &Path, request: &Request) -> Result<Explained> {
    let [name, rest @ ..] = ARGV;
    let mut command = tokio::process::Command::new(name);
    command.args(rest).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            Fault::new("this machine has no `python3`, in which the policy is written")
                .hint("install it, or ask a host: `petasos policy test HOST COMMAND`")
        ),
        _ => anyhow!(error).context("cannot run `python3`"),
    })?;
    let text = program(&folder.to_string_lossy(), request)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ended early says why.
        let _ = stdin.write_all(text.as_bytes()).await;
    }
    let output = child.wait_with_output().await.context("cannot run `python3`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(Fault::new(said.trim().to_owned()).at("the policy"));
    }
    Ok(answer(&output.stdout)?)
}

fn text(command: &str, explained: &Explained) -> String {
    let Explained { verdict, rule, reason, mode, runs, would_allow, .. } = explained;
    let verdict = match verdict {
        Verdict::Allow if mode == "allowlist" => "allowed",
        // What the agent itself finds dangerous still waits for somebody.
        Verdict::Allow => "left to the agent's own approvals",
        Verdict::Refuse => "refused",
        Verdict::Ask => "a person is asked",
    };
    let mut text = format!("{verdict}: {command}\n  rule: {rule}\n  why:  {reason}\n");
    if let Some(runs) = runs.as_ref().filter(|runs| *runs != command) {
        text += &format!("  runs: {runs}\n");
    }
    text + &proposal(would_allow)
}

/// What to write into petasos.yaml.
fn proposal(would_allow: &[String]) -> String {
    if would_allow.is_empty() {
        return String::new();
    }
    let mut text =
        "\n# To allow it, merge this into petasos.yaml, then run `petasos up`:\nagent:\n  approvals:\n".to_owned();
    let entries = would_allow.iter().filter_map(|entry| entry.split_once(": ")).collect::<Vec<_>>();
    text.extend(
        entries.iter().filter(|(key, _)| *key == "compound").map(|(_, value)| format!("    compound: {value}\n")),
    );
    for list in ["allow", "tools"] {
        let values =
            entries.iter().filter(|(key, _)| *key == list).map(|(_, value)| format!("      - {}\n", json!(value)));
        let values: String = values.collect();
        if !values.is_empty() {
            text += &format!("    {list}:{}\n{values}", note(list));
        }
    }
    text
}

/// What whoever adds to a list must know.
fn note(list: &str) -> &'static str {
    if list == "tools" { " # a list of your own replaces the built-in one: name all that it is to use" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(verdict: Verdict, mode: &str, would_allow: &[&str]) -> Explained {
        Explained {
            verdict,
            rule: "unlisted".into(),
            reason: "no rule allows it".into(),
            mode: mode.into(),
            tool: "terminal".into(),
            argv: Vec::new(),
            runs: None,
            would_allow: would_allow.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn what_would_allow_it_is_ready_to_paste() {
        let refused = explained(Verdict::Refuse, "allowlist", &["compound: each", "allow: git log 'a b'", "allow: ls"]);
        assert_eq!(
            text("git log 'a b'; ls", &refused),
            "refused: git log 'a b'; ls\n  rule: unlisted\n  why:  no rule allows it\n\n\
             # To allow it, merge this into petasos.yaml, then run `petasos up`:\nagent:\n  approvals:\n    compound: each\n    allow:\n      \
             - \"git log 'a b'\"\n      - \"ls\"\n"
        );
    }

    #[test]
    fn without_an_allow_list_nothing_is_called_allowed() {
        assert!(
            text("ls", &explained(Verdict::Allow, "manual", &[])).starts_with("left to the agent's own approvals: ls")
        );
        assert!(text("ls", &explained(Verdict::Allow, "allowlist", &[])).starts_with("allowed: ls"));
    }
}
