//! What of the agent's data directory is not the agent's: files and folders that its release obeys
//! or runs, whatever they say. In the agent's unit each is covered, read-only.

use serde_json::{Value, json};

/// Covered by an empty folder. The agent would run what is in these, or take orders from it.
const FOLDERS: [&str; 12] = [
    "bin",
    "hooks",
    "lsp",
    "mcp-installs",
    "node",
    "optional-mcps",
    "optional-skills",
    "pairing",
    "plugins",
    "profiles",
    "scripts",
    "skill-bundles",
];

/// Covered by root's `/etc/hermes/platforms`: in it an empty folder for who may talk by a code,
/// which the agent would make.
const PLATFORMS: &str = "platforms";

/// Covered by root's `/etc/hermes/empty`, a file without a word.
const NOTHING: [&str; 5] = [".env", ".install_method", ".op.env", "active_profile", "config.yaml"];

/// Covered by root's `/etc/hermes/empty.json`, an object without keys.
const EMPTY: [&str; 8] = [
    ".anthropic_oauth.json",
    "channel_aliases.json",
    "feishu_comment_pairing.json",
    "feishu_comment_rules.json",
    "gateway.json",
    "honcho.json",
    "slack_tokens.json",
    "webhook_subscriptions.json",
];

/// The agent's logins: who is logged in to, and where conversations go. Covered by root's, in which
/// there is none, unless the agent's provider is one that the agent logs in to.
const LOGINS: &str = "auth.json";

/// Where a place is, and what lies over it.
struct Cover {
    name: &'static str,
    with: &'static str,
}

fn bound(login: bool) -> Vec<Cover> {
    let cover = |with| move |name| Cover { name, with };
    let logins = [LOGINS].into_iter().filter(|_| !login).map(cover("/etc/hermes/auth.json"));
    let platforms = [PLATFORMS].into_iter().map(cover("/etc/hermes/platforms"));
    let (nothing, empty) =
        (NOTHING.into_iter().map(cover("/etc/hermes/empty")), EMPTY.into_iter().map(cover("/etc/hermes/empty.json")));
    nothing.chain(empty).chain(logins).chain(platforms).collect()
}

/// For the unit's template: `folders`, and what lies over the others.
pub fn vars(login: bool) -> Value {
    let bound: Vec<Value> =
        bound(login).iter().map(|cover| json!({ "name": cover.name, "with": cover.with })).collect();
    json!({ "folders": FOLDERS, "bound": bound })
}

/// For the launcher, which looks whether each is covered: their names.
pub fn covered(login: bool) -> Vec<&'static str> {
    let mut names: Vec<&str> = FOLDERS.into_iter().chain(bound(login).iter().map(|cover| cover.name)).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_login_leaves_the_logins_to_the_agent() {
        assert!(covered(false).contains(&LOGINS) && !covered(true).contains(&LOGINS));
        assert_eq!(covered(false).len(), covered(true).len() + 1);
    }
}
