//! What the agent's own process enforces, as it reads it: /etc/hermes/policy.json, version 1. It
//! refuses to start where anything in it is missing, unknown or of another type.

use super::packs;
use crate::config::Settings;
use crate::config::lock::Release;
use crate::config::sandbox::SandboxNetwork;
use crate::places;
use crate::playbook::Sources;
use crate::release::reviewed;
use anyhow::Result;
use semver::Version;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FORMAT: u32 = 1;

/// Where the agent asks the audit writer and the sandbox, without and with network; their units
/// listen there.
const AUDIT: &str = "/run/petasos-agent/audit.sock";
const SANDBOX: &str = "/run/petasos-agent/sandbox.sock";
const SANDBOX_NET: &str = "/run/petasos-agent/sandbox-net.sock";

/// The servers that conversations may go to: read anew when it changes, so that a name more
/// restarts nothing.
const SERVERS: &str = "/etc/hermes/servers.json";

/// For somebody who has used up a share.
const REPLY: &str = "You have reached your limit of messages for now, please try again later.";

/// The policy for a host with these settings and this release. Of a release that nobody has looked
/// at it has no digests, and the agent does not start with it; `up` says so before.
///
/// # Errors
/// When the table of providers is not sound.
pub fn policy(settings: &Settings, sources: &Sources, version: &Version, release: &Release) -> Result<Value> {
    let packs = packs::read(sources)?;
    let asked = packs::asked(settings);
    // One that is unknown is an error where its names are needed.
    let login = packs.needs(&asked).is_ok_and(|needs| needs.login);
    let files = reviewed::policy(version, release).map(|policy| policy.files).unwrap_or_default();
    let agent = &settings.agent;
    let approvals = &agent.approvals;
    let limits = &agent.rate_limits;
    let platforms = agent.platforms.iter().map(|(name, platform)| (name.as_str(), platform.rate_limit));
    let platforms: BTreeMap<&str, _> = platforms.chain([("api_server", limits.api)]).collect();
    let (network, timeout) = match &agent.sandbox {
        Some(sandbox) => (sandbox.network, u32::from(sandbox.timeout)),
        None => (SandboxNetwork::None, u32::from(crate::config::sandbox::Sandbox::default().timeout)),
    };
    let socket = match network {
        SandboxNetwork::None => SANDBOX,
        SandboxNetwork::Names => SANDBOX_NET,
    };
    Ok(json!({
        "version": FORMAT,
        "release": { "version": version, "files": files },
        "approve": {
            "mode": approvals.mode, "allow": approvals.allow, "deny": approvals.deny, "unlisted": approvals.unlisted,
            "compound": approvals.compound, "tools": approvals.tools,
        },
        "redact": {
            "patterns": agent.redact.patterns.iter().map(|pattern| &pattern.python).collect::<Vec<_>>(),
            "replacement": agent.redact.replacement,
        },
        "rate": {
            "platforms": platforms, "default": crate::config::rate::USUAL, "webhook_route": limits.webhook_route,
            "model_calls": limits.model_calls, "reply": REPLY,
        },
        "sandbox": { "enabled": agent.sandbox.is_some(), "socket": socket, "timeout": timeout, "network": network },
        "models": { "file": SERVERS },
        "data": { "covered": places::covered(login) },
        "audit": { "socket": AUDIT },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::lock::LockFile;
    use std::path::Path;

    const LOCK: &str = include_str!("../../tests/petasos.lock");

    fn of(agent: &str) -> Value {
        let config = Config::read("petasos.yaml", &format!("agent: {{ {agent} }}\n")).unwrap();
        let lock = LockFile::parse(LOCK, Path::new("petasos.lock")).unwrap();
        let (version, release) = lock.release_of("web").unwrap();
        policy(&config.settings(None).unwrap(), &Sources::embedded(), version, release).unwrap()
    }

    #[test]
    fn it_has_the_keys_of_version_1_and_no_other() {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let policy = of("provider: openrouter");
        assert_eq!(keys(&policy), "approve audit data models rate redact release sandbox version");
        for (part, wanted) in [
            ("release", "files version"),
            ("approve", "allow compound deny mode tools unlisted"),
            ("redact", "patterns replacement"),
            ("rate", "default model_calls platforms reply webhook_route"),
            ("sandbox", "enabled network socket timeout"),
            ("audit", "socket"),
            ("data", "covered"),
            ("models", "file"),
        ] {
            assert_eq!(keys(&policy[part]), wanted, "{part}");
        }
        assert_eq!(policy["version"], 1);
        assert!(policy["release"]["files"]["tools.registry"].is_string());
    }

    #[test]
    fn it_says_what_petasos_yaml_says() {
        let policy = of(
            "approvals: { mode: allowlist, allow: [git status, 'rg *'], deny: ['sudo *'], unlisted: ask, compound: each, tools: [terminal] }, \
             redact: { patterns: ['corp-\\d{4}'], replacement: XXX }, sandbox: { network: names, allow: [pypi.org], timeout: 2m }, \
             platforms: { telegram: { rate_limit: 5/minute }, slack: { rate_limit: off }, discord: {} }, \
             rate_limits: { api: 100/day, webhook_route: off, model_calls: 5000/month }",
        );
        let approve = json!({ "mode": "allowlist", "allow": ["git status", "rg *"], "deny": ["sudo *"], "unlisted": "ask", "compound": "each", "tools": ["terminal"] });
        assert_eq!(policy["approve"], approve);
        assert_eq!(policy["redact"], json!({ "patterns": ["corp\\x2d[0-9]{4}"], "replacement": "XXX" }));
        let rate = |count: u32, seconds: u32| json!({ "count": count, "seconds": seconds });
        let platforms = json!({ "telegram": rate(5, 60), "slack": null, "discord": rate(30, 3600), "api_server": rate(100, 86_400) });
        assert_eq!(policy["rate"]["platforms"], platforms);
        assert_eq!(policy["rate"]["default"], rate(30, 3600));
        assert_eq!(policy["rate"]["webhook_route"], Value::Null);
        assert_eq!(policy["rate"]["model_calls"], rate(5000, 2_592_000));
        let sandbox = json!({ "enabled": true, "socket": "/run/petasos-agent/sandbox-net.sock", "timeout": 120, "network": "names" });
        assert_eq!(policy["sandbox"], sandbox);
        let covered = |agent| of(agent)["data"]["covered"].to_string();
        assert!(
            covered("provider: openrouter").contains("\"auth.json\"")
                && !covered("provider: nous").contains("\"auth.json\"")
        );
        assert_eq!(of("sandbox: off")["sandbox"]["enabled"], false);
        assert_eq!(of("sandbox: {}")["sandbox"]["socket"], "/run/petasos-agent/sandbox.sock");
    }
}
