//! `petasos denials`: what the agent was refused, and what to allow.

use super::each::{each, report};
use super::hosts::{HostArgs, Subject};
use super::since::{checked, seconds};
use crate::audit::denials::{Place, Places, groups};
use crate::config::Config;
use crate::desired::Choice;
use crate::run::audit::{AuditLines, AuditQuery};
use crate::run::{Job, Watch};
use crate::ui::audit_text;
use anyhow::Result;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// Group what the agent was refused, and print the smallest rules that would allow it
///
/// Whoever talked to the agent chose those words: read each rule before you paste it.
#[derive(Debug, clap::Args)]
pub struct DenialsArgs {
    #[command(flatten)]
    pub hosts: HostArgs,
    /// How far to look back: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = checked)]
    pub since: String,
}

/// # Errors
/// When a file is not sound; a host's failure is part of the report.
pub async fn run(args: &DenialsArgs) -> Result<ExitCode> {
    let query = AuditQuery {
        since: Some(seconds(&args.since)?),
        events: vec!["command_denied".into()],
        most: 20_000,
        ..AuditQuery::default()
    };
    let config = args.hosts.files.read()?;
    let file = args.hosts.files.config.display().to_string();
    let places = |choice: &Choice| Places {
        file: file.clone(),
        allow: place(&config, choice.name.as_deref(), "allow"),
        tools: place(&config, choice.name.as_deref(), "tools"),
    };
    let jobs = args.hosts.agents_with(Subject::Host, |choice, _| Ok(places(choice)))?;
    let ask = move |job: Arc<Job>, _, watch: Watch| {
        let query = query.clone();
        async move { job.audit(&query, &watch).await }
    };
    let done = each(jobs, &args.hosts, ask).await;
    report(
        done,
        args.hosts.json,
        |_, found| Ok(value(found)),
        |job, places, found| audit_text::denials(&job.name, &args.since, &groups(&found.lines), found.more, places),
    )
}

/// A host's own list replaces that for all hosts; without one, all hosts' counts.
fn place(config: &Config, host: Option<&str>, list: &str) -> Place {
    let path = ["agent", "approvals", list];
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    match host.filter(|host| config.stated(Some(host), &path) == path.len()) {
        Some(host) => {
            let path = [&["hosts", host][..], &path].concat();
            Place { stated: path.len(), path: owned(&path) }
        }
        None => Place { stated: config.stated(None, &path), path: owned(&path) },
    }
}

fn value(found: &AuditLines) -> Value {
    let groups = groups(&found.lines);
    let (allow, tools) = audit_text::proposed(&groups);
    json!({ "groups": groups, "allow": allow, "tools": tools, "more": found.more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_own_list_is_the_one_to_add_to() {
        let yaml = "hosts:\n  a: { address: h, agent: { approvals: { allow: [ls] } } }\n  b: { address: i, agent: { approvals: {} } }\n\
                    agent: { approvals: { mode: allowlist } }\n";
        let config = Config::read("petasos.yaml", yaml).unwrap();
        let of = |host: Option<&str>, list: &str| {
            let Place { path, stated } = place(&config, host, list);
            (path.join("."), stated)
        };
        assert_eq!(of(Some("a"), "allow"), ("hosts.a.agent.approvals.allow".into(), 5));
        for (host, list) in [(Some("a"), "tools"), (Some("b"), "allow"), (None, "allow")] {
            assert_eq!(of(host, list), (format!("agent.approvals.{list}"), 2), "{host:?}");
        }
    }
}
