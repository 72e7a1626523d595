//! What no single value shows: keys of petasos.yaml that contradict each other, or that nothing
//! ever reads. A host's own words lie over those for all hosts, so each is looked at as a host gets
//! it.

mod backups;

use super::approvals::{ApprovalMode, OF_ALLOWLIST};
use super::egress::Allowed;
use super::network::EgressMode;
use super::platform::{PlatformName, UserId};
use super::sandbox::SandboxNetwork;
use super::settings::{Role, Settings};
use crate::fault::Fault;
use crate::yaml::Step;
use serde_json::Value;

/// The first contradiction, and where it stands. `scopes` are the names of hosts, and none for a
/// host without words of its own, each with what holds for it.
pub fn first(raw: &Value, scopes: &[(Option<&str>, Settings)]) -> Option<(Vec<Step>, Fault)> {
    let beaten = || scopes.iter().find_map(|(host, settings)| beaten(raw, *host, settings));
    let unfiltered = || scopes.iter().find_map(|(host, settings)| unfiltered(raw, *host, settings));
    let local = || scopes.iter().find_map(|(host, settings)| local(raw, *host, settings));
    let nameless = || scopes.iter().find_map(|(host, settings)| nameless(raw, *host, settings));
    let unnumbered = || scopes.iter().find_map(|(host, settings)| unnumbered(raw, *host, settings));
    let vaultless = || scopes.iter().find_map(|(host, settings)| backups::first(raw, *host, settings));
    let agentless = || scopes.iter().find_map(|(host, settings)| agentless(raw, (*host)?, settings));
    let of_agents = || beaten().or_else(unfiltered).or_else(nameless).or_else(local).or_else(unnumbered);
    agentless().or_else(vaultless).or_else(of_agents).or_else(|| unread(raw, scopes))
}

/// What a vault says of an agent, which it does not have. What all hosts say is the others'.
fn agentless(raw: &Value, host: &str, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let paths: [&[&str]; 2] = [&["agent"], &["network", "egress"]];
    let path = paths.into_iter().find(|path| settings.role == Role::Vault && given(raw, Some(host), path))?;
    let fault = Fault::new(format!("`{host}` is a vault: it runs no agent, and nothing reads `{}`", path.join(".")));
    Some((place(raw, Some(host), path), fault.hint("remove it, or `role: vault`")))
}

/// An allow rule of which a deny rule leaves nothing.
fn beaten(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let approvals = &settings.agent.approvals;
    let (at, allow, deny) = approvals.allow.iter().enumerate().find_map(|(at, allow)| {
        let deny = approvals.deny.iter().find(|deny| allow.is_beaten_by(deny))?;
        Some((at, allow, deny))
    })?;
    let mut path = place(raw, host, &["agent", "approvals", "allow"]);
    path.push(Step::At(at));
    let fault = Fault::new(format!("the allow rule `{allow}` can never match: the deny rule `{deny}` always beats it"));
    Some((path, fault.hint("remove one of the two; a `deny` of your own replaces the built-in list")))
}

/// A sandbox whose names go nowhere.
fn unfiltered(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let names = settings.agent.sandbox.as_ref().is_some_and(|sandbox| sandbox.network == SandboxNetwork::Names);
    let fault = Fault::new("the sandbox's names need the egress filter by name, which is not on")
        .hint("set `network.egress.mode: names`, or `agent.sandbox.network: none`");
    (names && settings.network.egress.mode != EgressMode::Names)
        .then(|| (place(raw, host, &["agent", "sandbox", "network"]), fault))
}

/// A network by name without a name.
fn nameless(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let sandbox = settings.agent.sandbox.as_ref()?;
    let fault = Fault::new("the sandbox has the network by name, and no name is allowed")
        .hint("name some under `agent.sandbox.allow`, or set `agent.sandbox.network: none`");
    (sandbox.network == SandboxNetwork::Names && sandbox.allow.is_empty())
        .then(|| (place(raw, host, &["agent", "sandbox", "network"]), fault))
}

/// A port of the host itself, which no sandbox sees.
fn local(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let at = settings.agent.sandbox.as_ref()?.allow.iter().position(Allowed::is_local)?;
    let mut path = place(raw, host, &["agent", "sandbox", "allow"]);
    path.push(Step::At(at));
    Some((path, Fault::new("a sandbox cannot reach the host's own ports").hint("allow names of other hosts")))
}

/// A user by a name, where the platform tells the agent numbers alone: nobody would get an answer.
fn unnumbered(raw: &Value, host: Option<&str>, settings: &Settings) -> Option<(Vec<Step>, Fault)> {
    let users = &settings.agent.platforms.get(&PlatformName::Telegram)?.allowed_users;
    let named = |user: &&UserId| matches!(user, UserId::Name(name) if name.parse::<u64>().is_err());
    let (at, user) = users.iter().enumerate().find(|(_, user)| named(user))?;
    let mut path = place(raw, host, &["agent", "platforms", "telegram", "allowed_users"]);
    path.push(Step::At(at));
    let fault = Fault::new(format!("`{user}` is no user of Telegram, which has numbers"));
    Some((path, fault.hint("write the user's number, such as `123456789`")))
}

/// A key that no host which it counts for ever reads.
fn unread(raw: &Value, scopes: &[(Option<&str>, Settings)]) -> Option<(Vec<Step>, Fault)> {
    let allowlist = |settings: &Settings| settings.agent.approvals.mode == ApprovalMode::Allowlist;
    let names = |settings: &Settings| {
        settings.agent.sandbox.as_ref().is_some_and(|sandbox| sandbox.network == SandboxNetwork::Names)
    };
    let rows = OF_ALLOWLIST.map(|key| {
        (["agent", "approvals", key], &allowlist as &dyn Fn(&Settings) -> bool, "agent.approvals.mode", "allowlist")
    });
    let rows = rows.into_iter().chain([(["agent", "sandbox", "allow"], &names as _, "agent.sandbox.network", "names")]);
    for (path, reads, other, value) in rows {
        let hosts = scopes.iter().map(|(host, _)| *host);
        for host in hosts {
            let counts = |scope: &Option<&str>| host.is_none() || *scope == host;
            let stands = given(raw, host, &path);
            if stands && !scopes.iter().any(|(scope, settings)| counts(scope) && reads(settings)) {
                let key = path.last().unwrap_or(&"");
                let fault = Fault::new(format!("`{key}` counts with `{other}: {value}` alone, and that is not set"))
                    .hint(format!("set `{other}: {value}`, or remove `{key}`"));
                return Some((place(raw, host, &path), fault));
            }
        }
    }
    None
}

/// Whether a host's own words (or those for all hosts) have something at this path.
fn given(raw: &Value, host: Option<&str>, path: &[&str]) -> bool {
    let own = match host {
        Some(host) => raw.get("hosts").and_then(|hosts| hosts.get(host)),
        None => Some(raw),
    };
    path.iter().try_fold(own, |at, key| at?.get(key).map(Some)).flatten().is_some()
}

/// Where the value that a host gets for a path stands.
fn place(raw: &Value, host: Option<&str>, path: &[&str]) -> Vec<Step> {
    let own = host.filter(|host| given(raw, Some(host), path));
    let before = own.map(|host| ["hosts".to_owned(), host.to_owned()]).into_iter().flatten();
    before.chain(path.iter().map(ToString::to_string)).map(Step::Key).collect()
}
