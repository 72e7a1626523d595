//! `petasos backup runbook`: what to do when a host is gone, for somebody who never did it.

use super::escrow::{self, Escrow};
use super::vault::backed_up;
use crate::command::hosts::HostArgs;
use crate::command::secrets_file::SecretsFile;
use crate::config::backup::Backup;
use crate::config::store::Way;
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
        let runbook = Runbook { needs: needs(args, &choice)?, steps: steps(&choice) };
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

/// Whether there is a key to backups of this kind, and something that opens it.
fn opens(args: &HostArgs, choice: &Choice) -> bool {
    let elsewhere = choice.settings.backup.as_ref().is_some_and(|backup| backup.repository.is_some());
    Escrow::open(args, &choice.label).is_ok_and(|key| key.place.is_some() == elsewhere)
}

fn needs(args: &HostArgs, choice: &Choice) -> Result<Vec<Need>> {
    let files = &args.files;
    let file = |path: &std::path::Path| Need { what: path.display().to_string(), here: path.exists() };
    let key = escrow::file(files, &choice.label);
    let key_file = key.display();
    let mut needs = vec![
        file(&files.config),
        file(&files.lock),
        Need { what: format!("{key_file}, and a private key that it is encrypted for"), here: opens(args, choice) },
    ];
    let kept = SecretsFile::beside(&files.config, &args.age, args.identity.as_deref());
    let of_agent = packs::needs(&choice.settings, &files.sources()?)?;
    let keys = packs::provider_keys(&choice.settings, &of_agent);
    let told = choice.settings.backup.iter().flat_map(Backup::secrets);
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

fn by_hand(what: String, takes: &'static str) -> Step {
    Step { command: Vec::new(), what, takes }
}

fn step(words: &[&str], what: &str, takes: &'static str) -> Step {
    Step { command: words.iter().map(|word| (*word).to_owned()).collect(), what: what.to_owned(), takes }
}

fn steps(choice: &Choice) -> Vec<Step> {
    let host = choice.label.as_str();
    let mut steps = vec![by_hand(
        format!("get a fresh machine, and put its address into petasos.yaml: `hosts.{host}.address`"),
        "5 min",
    )];
    let up = ["petasos", "up", host, "--host-key", "SHA256:…"];
    let restore = step(
        &["petasos", "backup", "restore", host],
        "the newest backup; databases are compared, the agent starts on it",
        "10 s, and about 1 min a GB",
    );
    let repository = choice.settings.backup.as_ref().and_then(|backup| backup.repository.as_ref());
    match repository.map(|store| &store.way) {
        None => steps.extend([
            step(&up, "the machine's host key, as the provider or its console shows it", "1 to 3 min"),
            step(&["petasos", "up"], "the vault lets the new machine in; it makes a first backup of its own", "30 s"),
            restore,
        ]),
        Some(Way::S3(_)) => steps
            .extend([step(&up, "the machine's host key; it makes a first backup of its own", "1 to 3 min"), restore]),
        Some(Way::Sftp(login)) => steps.extend([
            step(&up, "the machine's host key; it ends with the line that lets the machine in", "1 to 3 min"),
            by_hand(format!("add that line to .ssh/authorized_keys of {}@{}", login.user, login.host), "2 min"),
            step(&["petasos", "up", host], "a first backup of its own", "30 s"),
            restore,
        ]),
        Some(Way::Ssh(login)) => steps.extend([
            step(&up, "the machine's host key; it ends with the line that lets the machine in", "1 to 3 min"),
            by_hand(format!("add that line to .ssh/authorized_keys of {}@{}", login.user, login.host), "2 min"),
            step(&["petasos", "up", host], "a first backup of its own", "30 s"),
            step(
                &["petasos", "backup", "restore", host],
                "it ends with the line that lets it in to the old backups",
                "5 s",
            ),
            by_hand("add that line too, for as long as it takes".to_owned(), "2 min"),
            step(
                &["petasos", "backup", "restore", host, "--admitted"],
                "the newest backup; databases are compared, the agent starts on it",
                "10 s, and about 1 min a GB",
            ),
            by_hand("take the second line away again".to_owned(), "1 min"),
        ]),
    }
    steps.extend([
        step(&["petasos", "verify", host], "every control is met, or says why not", "30 s"),
        step(&["petasos", "backup", "key", host], "the second key to the new machine's backups: commit it", "5 s"),
    ]);
    steps
}

fn text(choice: &Choice, runbook: &Runbook) -> String {
    let vault = choice.settings.backup.as_ref().map(Backup::shown).unwrap_or_default();
    let mut text = format!("{}: when the machine is gone (its backups are at `{vault}`)\n\n  at hand:\n", choice.label);
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
