//! `petasos backup runbook`: what to do when a host is gone, for somebody who never did it.

use super::escrow;
use super::vault::backed_up;
use crate::command::hosts::HostArgs;
use crate::command::secrets_file::SecretsFile;
use crate::config::alarm::Alarm;
use crate::desired::{Choice, packs, secrets};
use crate::name::EnvName;
use crate::ui;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, Serialize)]
struct Runbook {
    needs: Vec<Need>,
    steps: Vec<Step>,
}

/// Something that has to be at hand.
#[derive(Debug, Serialize)]
struct Need {
    what: String,
    /// Whether it is here now.
    here: bool,
}

#[derive(Debug, Serialize)]
struct Step {
    /// The words of a command; none where people do something by hand.
    command: Vec<String>,
    what: String,
    /// As it was measured with a small host.
    takes: &'static str,
}

/// # Errors
/// When a file is not sound, or a host has no backup.
pub fn run(args: &HostArgs) -> Result<ExitCode> {
    let mut all = BTreeMap::new();
    for choice in backed_up(args)? {
        let runbook = Runbook { needs: needs(args, &choice)?, steps: steps(&choice.label) };
        if args.json {
            all.insert(choice.label, runbook);
        } else {
            ui::out(&text(&choice, &runbook))?;
        }
    }
    if args.json {
        ui::json(&all)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn needs(args: &HostArgs, choice: &Choice) -> Result<Vec<Need>> {
    let files = &args.files;
    let file = |path: &std::path::Path| Need { what: path.display().to_string(), here: path.exists() };
    let key = escrow::file(files, &choice.label);
    let key_file = key.display();
    let mut needs = vec![
        file(&files.config),
        file(&files.lock),
        Need { what: format!("{key_file}, and a private key that it is encrypted for"), here: key.exists() },
    ];
    let kept = SecretsFile::beside(&files.config, &args.age, args.identity.as_deref());
    let of_agent = packs::needs(&choice.settings, &files.sources()?)?;
    let keys = packs::provider_keys(&choice.settings, &of_agent);
    let told = choice.settings.alarm().into_iter().flat_map(Alarm::secrets);
    let required = secrets::required(&choice.settings, &of_agent).into_iter().chain(told);
    let mut wanted: Vec<&str> = required.map(EnvName::as_str).collect();
    let one_of = keys.iter().map(EnvName::as_str).collect::<Vec<_>>().join(" or ");
    wanted.extend(Some(one_of.as_str()).filter(|names| !names.is_empty()));
    if !wanted.is_empty() {
        let what = format!("{}, or in the environment: {}", kept.shown(), wanted.join(", "));
        needs.push(Need { what, here: kept.is_there() });
    }
    Ok(needs)
}

fn steps(host: &str) -> Vec<Step> {
    let by_hand = |what: String, takes| Step { command: Vec::new(), what, takes };
    let step = |words: &[&str], what: &str, takes| Step {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        what: what.to_owned(),
        takes,
    };
    vec![
        by_hand(format!("get a fresh machine, and put its address into petasos.yaml: `hosts.{host}.address`"), "5 min"),
        step(
            &["petasos", "up", host, "--host-key", "SHA256:…"],
            "the machine's host key, as the provider or its console shows it",
            "1 to 3 min",
        ),
        step(&["petasos", "up"], "the vault lets the new machine in; it makes a first backup of its own", "30 s"),
        step(
            &["petasos", "backup", "restore", host],
            "the newest backup by its arrival; databases are compared, the agent starts on it",
            "10 s, and about 1 min a GB",
        ),
        step(&["petasos", "verify", host], "every control is met, or says why not", "30 s"),
        step(&["petasos", "backup", "key", host], "the second key to the new machine's backups: commit it", "5 s"),
    ]
}

fn text(choice: &Choice, runbook: &Runbook) -> String {
    let vault = choice.settings.backup.as_ref().map(|backup| backup.vault.as_str()).unwrap_or_default();
    let mut text = format!("{}: when the machine is gone (its backups are on `{vault}`)\n\n  at hand:\n", choice.label);
    for need in &runbook.needs {
        text += &format!("    {}  {}\n", if need.here { "yes" } else { "NO " }, need.what);
    }
    text += "\n  to do:\n";
    for (at, step) in runbook.steps.iter().enumerate() {
        let command = step.command.join(" ");
        let (head, more) = if command.is_empty() { (&step.what, "") } else { (&command, step.what.as_str()) };
        text += &format!("    {}  {head}  ({})\n", at + 1, step.takes);
        if !more.is_empty() {
            text += &format!("       {more}\n");
        }
    }
    text
}
