//! Tool calls that the host's rules are asked about, and what is to become of each.

use super::Claims;
use super::claims::Approve;
use serde::Serialize;
use serde_json::{Value, json};

const ALLOW: &str = "allow";
const REFUSE: &str = "refuse";
/// No rule that somebody wrote speaks of it.
const UNLISTED: &str = "petasos-verify-unlisted";

/// One that nobody makes: the policy is asked what would become of it.
#[derive(Debug, Clone, Serialize)]
pub struct ToolCall {
    pub tool: &'static str,
    pub arguments: Value,
}

/// A tool call, and what is to become of it.
pub struct Row {
    pub call: ToolCall,
    pub what: String,
    pub verdict: &'static str,
    /// How the rule begins that says so; empty where any may.
    pub rule: &'static str,
}

/// The policy test table.
pub fn table(claims: &Claims) -> Vec<Row> {
    let approve = &claims.policy.approve;
    let by_list = approve.mode == "allowlist";
    let commands = approve.tools.iter().any(|tool| tool == "terminal");
    let otherwise = match (by_list, approve.unlisted.as_str()) {
        (false, _) => ALLOW,
        (true, "ask") => "ask",
        (true, _) => REFUSE,
    };
    let terminal = |what: &str, command: &str, verdict, rule| Row {
        call: ToolCall { tool: "terminal", arguments: json!({ "command": command }) },
        what: format!("{what}: `{command}`"),
        verdict,
        rule,
    };
    let mut rows = Vec::new();
    if let Some(denied) = approve.deny.iter().find_map(|rule| words_of_deny(rule)) {
        rows.push(terminal("a denied command", &denied, REFUSE, "deny: "));
    }
    rows.push(terminal("one that no rule names", UNLISTED, otherwise, ""));
    if let Some(allowed) = allowed(approve).filter(|_| by_list && commands) {
        let both = if approve.compound == "each" { UNLISTED } else { allowed.as_str() };
        rows.push(terminal("a listed command", &allowed, ALLOW, "allow: "));
        rows.push(terminal("several in one", &format!("{allowed} && {both}"), otherwise, ""));
        rows.push(terminal("one within another", &format!("{allowed} $({UNLISTED})"), otherwise, ""));
    }
    if by_list {
        rows.push(Row {
            call: ToolCall { tool: "execute_code", arguments: json!({ "code": "print(1)" }) },
            what: "code, which no list can judge".to_owned(),
            verdict: REFUSE,
            rule: "tools",
        });
    }
    rows
}

/// A command that a rule allows: its own words, where they stand for themselves.
fn allowed(approve: &Approve) -> Option<String> {
    let own = |rule: &String| {
        let words = rule.strip_suffix(" *").unwrap_or(rule);
        let plain = words.chars().all(|c| c.is_ascii_alphanumeric() || " -_./=:,+@%".contains(c));
        // What a deny rule speaks of is denied; whether one does, only the host's rules know.
        let first = words.split(' ').next().unwrap_or_default();
        let free = !approve.deny.iter().any(|deny| deny.contains(first));
        (plain && free).then(|| words.to_owned())
    };
    approve.allow.iter().find_map(own)
}

fn words_of_deny(rule: &str) -> Option<String> {
    let command = rule.replace('*', "x");
    command.chars().all(|c| c.is_ascii_alphanumeric() || " -_./=".contains(c)).then_some(command)
}

#[cfg(test)]
mod tests {
    use super::super::tests::claims;
    use super::*;
    use crate::config::network::EgressMode;

    fn shown(claims: &Claims) -> Vec<(Value, &'static str)> {
        table(claims).into_iter().map(|row| (row.call.arguments, row.verdict)).collect()
    }

    #[test]
    fn each_mode_has_its_own_table() {
        let mut claims = claims(EgressMode::Names);
        let command = |text: &str| json!({ "command": text });
        let code = json!({ "code": "print(1)" });
        let within = "git status $(petasos-verify-unlisted)";
        let by_list = |otherwise, both: &str| {
            vec![
                (command("sudo x"), REFUSE),
                (command(UNLISTED), otherwise),
                (command("git status"), ALLOW),
                (command(both), otherwise),
                (command(within), otherwise),
                (code.clone(), REFUSE),
            ]
        };
        assert_eq!(shown(&claims), by_list(REFUSE, "git status && git status"));
        claims.policy.approve.unlisted = "ask".into();
        claims.policy.approve.compound = "each".into();
        assert_eq!(shown(&claims), by_list("ask", "git status && petasos-verify-unlisted"));
        claims.policy.approve.tools.clear();
        assert_eq!(shown(&claims).len(), 3);
        for mode in ["manual", "smart"] {
            claims.policy.approve.mode = mode.into();
            assert_eq!(shown(&claims), [(command("sudo x"), REFUSE), (command(UNLISTED), ALLOW)]);
        }
    }

    #[test]
    fn what_a_deny_rule_may_speak_of_is_no_example() {
        let mut claims = claims(EgressMode::Names);
        claims.policy.approve.allow = vec!["sudo ls".into(), "*.sh".into(), "rg *".into()];
        assert_eq!(allowed(&claims.policy.approve).as_deref(), Some("rg"));
    }
}
