//! approve.mode: what runs is what the rules say, a person decides on the rest, and some commands
//! never run.

use super::answer::Verdict;
use super::attack::inspection;
use super::claims::Approve;
use super::evidence::Evidence;
use super::report::Check;
use super::settings::Setting;
use super::spec::ToolCall;
use super::{Claims, Control, never_short, no_attacks, record, settings};
use crate::fault::Fault;
use serde_json::json;

pub const CONTROL: Control = Control {
    id: "approve.mode",
    group: "What the agent may do",
    title: "Approvals",
    claim: "Commands run as the declared mode says: listed ones only, or a person decides on dangerous ones. Silence is a no, denied patterns never run, and the agent cannot change that.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "proved by the record of the agent's start and by asking the host's rules; no conversation was had. In the modes manual and smart, what the agent takes for harmless runs unasked",
    how: Some("`agent.approvals`, then `petasos up`"),
};

const ALLOW: &str = "allow";
const REFUSE: &str = "refuse";
/// No rule that somebody wrote speaks of it.
const UNLISTED: &str = "petasos-verify-unlisted";

/// A tool call, and what is to become of it.
pub struct Row {
    pub call: ToolCall,
    what: String,
    verdict: &'static str,
    /// How the rule begins that says so; empty where any may.
    rule: &'static str,
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

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let approve = &claims.policy.approve;
    // The agent knows no list: what is not on it, its own rules ask about.
    let own = if approve.mode == "smart" { "smart" } else { "manual" };
    let mode = settings::of(evidence).map(|found| {
        let detail = format!("mode {}, in cron jobs {}, timeout {} s", found.mode, found.cron_mode, found.timeout);
        (found.mode.is(own) && found.cron_mode.is("deny") && matches!(found.timeout, Setting::Count(_)), detail)
    });
    let deny = settings::of(evidence).map(|found| match found.deny {
        Some(count @ 1..) => (true, format!("{count} patterns")),
        Some(0) => (false, "the deny list is empty".to_owned()),
        _ => (false, "the agent has no deny list".to_owned()),
    });
    let always = settings::of(evidence)
        .map(|found| (found.always_allowed == 0, format!("{} commands run without asking", found.always_allowed)));
    let promises = [
        "choke points in place",
        "approvals cannot be switched off",
        "arguments of a wrong type are refused",
        "nothing runs without policy",
        if approve.mode == "allowlist" { "an unlisted tool is refused" } else { "a tool's result is redacted" },
    ];
    vec![
        settings::in_force(evidence),
        settings::locked(evidence),
        inspection("approve.asks", "a person is asked", mode),
        inspection("approve.deny", "commands that never run", deny),
        inspection("approve.always", "nothing was allowed permanently", always),
        record::in_force(evidence),
        record::promised(
            evidence,
            "approve.tried",
            "no way to a tool leads past the rules, by its self-test",
            &promises,
        ),
        inspection("approve.rules", "the host's rules, asked about each sort of command", rules(claims, evidence)),
    ]
}

fn rules(claims: &Claims, evidence: &Evidence) -> Result<(bool, String), Fault> {
    let (rows, said) = (table(claims), evidence.inspected().verdicts.found()?);
    if rows.len() != said.len() || rows.is_empty() {
        return Err(Fault::new(format!("{} answers to {} questions", said.len(), rows.len())));
    }
    let wrong = rows
        .iter()
        .zip(said)
        .find(|(row, Verdict { verdict, rule })| verdict != row.verdict || !rule.starts_with(row.rule));
    Ok(match wrong {
        None => (true, format!("{} questions, mode {}", rows.len(), claims.policy.approve.mode)),
        Some((row, said)) => {
            let due = format!("{} by `{}…`", row.verdict, row.rule);
            (false, format!("{}: {} by `{}`, not {due}", row.what, said.verdict, said.rule))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::claims;
    use super::*;
    use crate::config::settings::EgressMode;
    use serde_json::Value;

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
