//! `/yolo` switches the agent's approvals off for a chat. With the policy it does not.

use super::super::harness::{Host, Shared};
use super::super::telegram::bot::{LISTED, NAMED, calls_of, noted, polling_as, text, until, write_to};
use super::{Kind, bot_of, on_record, ours};
use anyhow::{Result, ensure};

/// The agent asks a person before it runs such a one. Without the policy a chat by Telegram starts
/// where it cannot write.
const ASKED: &str = "RUN: bash -c \"touch yoloasked || touch /home/hermes/.hermes/yoloasked\"";

/// Whether something of this name was made, in the sandbox or where the agent itself can write.
fn made(host: &Host, name: &str) -> Result<bool> {
    let left = "find /home/hermes /var/lib/petasos-sandbox /tmp /var/tmp -name \"$1\" | grep -q .";
    Ok(host.with_args(left, &[name])?.code == 0)
}

/// Says this by Telegram, and waits for an answer with these words in it.
pub fn told(host: &Host, words: &str, answer: &str) -> Result<()> {
    let (bot, since) = (bot_of(host)?, noted());
    write_to(bot, host, NAMED[0], LISTED, words)?;
    until(60, &format!("an answer with `{answer}` to `{words}`"), || {
        let has = |call: &serde_json::Value| {
            text(call, "/method") == "sendMessage" && text(call, "/asked/text").contains(answer)
        };
        Ok(calls_of(bot, since).iter().any(has))
    })
    .map(drop)
}

pub fn refused(kind: Kind) -> Result<()> {
    let shared = &*ours(kind)?;
    let yaml = shared.desk.read("petasos.yaml")?;
    let tried = with_a_list(shared).and_then(|()| asking(shared, &yaml));
    shared.desk.write("petasos.yaml", &yaml)?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    tried
}

const NOT_OFF: &str = "Approvals cannot be switched off here";

fn with_a_list(shared: &Shared) -> Result<()> {
    let host = &shared.host;
    polling_as(bot_of(host)?, host)?;
    // The agent adds lines of its own to the first message that it ever gets.
    told(host, "good day", "STUB OK")?;
    told(host, "/yolo", NOT_OFF)?;
    told(host, "RUN: mkdir yolounlisted", "no rule allows")?;
    ensure!(!made(host, "yolounlisted")?, "what no rule allows was done");
    let line = on_record(shared, "command_denied", "mkdir yolounlisted")?;
    ensure!(text(&line, "/platform") == "telegram" && text(&line, "/user") == LISTED.to_string(), "{line}");
    Ok(())
}

fn asking(shared: &Shared, yaml: &str) -> Result<()> {
    let host = &shared.host;
    let lists = |line: &&str| !line.starts_with("    allow:") && !line.starts_with("    tools:");
    let manual: String = yaml.lines().filter(lists).flat_map(|line| [line, "\n"]).collect();
    shared.desk.write("petasos.yaml", &manual.replace("mode: allowlist", "mode: manual"))?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    polling_as(bot_of(host)?, host)?;
    told(host, "RUN: touch yololisted", "TOOL SAID")?;
    ensure!(made(host, "yololisted")?, "in this mode nothing runs at all");
    told(host, "/yolo", NOT_OFF)?;
    told(host, "RUN: touch mark-denied-yolo", "deny rule")?;
    ensure!(!made(host, "mark-denied-yolo")?, "what a deny rule speaks of was done");
    told(host, ASKED, "yoloasked")?;
    on_record(shared, "approval_request", "yoloasked")?;
    ensure!(!made(host, "yoloasked")?, "it was not asked about");
    told(host, "/deny", "denied")?;
    ensure!(!made(host, "yoloasked")?, "it was denied, and done");
    Ok(())
}

/// On a host without the policy, where the agent itself asks.
pub fn done(shared: &Shared) -> Result<()> {
    let host = &shared.host;
    host.sh("sed -i 's/^  mode: \"off\"$/  mode: \"manual\"/' /etc/hermes/config.yaml")?;
    polling_as(bot_of(host)?, host)?;
    told(host, "good day", "STUB OK")?;
    told(host, ASKED, "yoloasked")?;
    ensure!(!made(host, "yoloasked")?, "it was not asked about");
    told(host, "/deny", "denied")?;
    ensure!(!made(host, "yoloasked")?, "it was denied, and done");
    told(host, "/yolo", "YOLO")?;
    write_to(bot_of(host)?, host, NAMED[0], LISTED, ASKED)?;
    until(60, "it is done without a question", || made(host, "yoloasked")).map(drop)
}
