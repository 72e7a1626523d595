//! Programs that the agent starts by itself, outside any tool: of a quick command, a stdio MCP
//! server, a hook, a webhook's route, a scheduled job. With the policy none runs, neither by the
//! agent's own files nor by the host's settings; without it each was seen to run.

use super::super::harness::{Host, Shared};
use super::super::telegram::bot::{LISTED, NAMED, calls_of, noted, polling_as, text, until, write_to};
use super::{Kind, bot_of, ours};
use anyhow::{Result, ensure};

/// What each of them leaves when it runs.
const LEAVES: [&str; 5] = ["way-hook", "way-job", "way-mcp", "way-quick", "way-webhook"];

const LEFT: &str = "find /home/hermes /var/lib/petasos-sandbox /tmp /var/tmp -name 'way-*' -printf '%f\\n' | sort -u";

/// The package that speaks to MCP servers, which Petasos never installs: the version that the
/// release names, in a folder beside it.
const WITH_MCP: &str = r#"
package=$(sed -n 's/^mcp = \["\(mcp==[0-9.]*\)".*/\1/p' /opt/hermes/current/pyproject.toml)
export UV_CACHE_DIR=/var/cache/petasos/uv UV_SYSTEM_CERTS=1 UV_HTTP_RETRIES=5 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
/opt/hermes/tools/uv-*/bin/uv pip install -q --python /opt/hermes/current/venv/bin/python --only-binary :all: --target /opt/lab-mcp "$package"
chmod -R a+rX /opt/lab-mcp
echo /opt/lab-mcp >"$(echo /opt/hermes/current/venv/lib/python3*/site-packages)/lab-mcp.pth""#;

const CLEAN: &str = r"
rm -rf /opt/lab-mcp /opt/hermes/current/venv/lib/python3*/site-packages/lab-mcp.pth /root/plant.py
cd /home/hermes/.hermes
rm -rf config.yaml gateway.json webhook_subscriptions.json shell-hooks-allowlist.json scripts cron/jobs.json way-* .set-aside-*";

/// The job's last word on itself, once it was due: the agent looks once a minute.
const JOB: &str = "grep -e '\"last_status\": \"' -e '\"last_error\": \"' /home/hermes/.hermes/cron/jobs.json";

const LOG: &str = "cat /home/hermes/.hermes/logs/agent.log";

const NOT_STARTED: &str = "the policy lets the gateway start no process";

fn plant(host: &Host, place: &str) -> Result<()> {
    let file = "printf '%s' \"$2\" >/root/plant.py; /opt/hermes/current/venv/bin/python -B /root/plant.py \"$1\"";
    host.with_args(file, &[place, include_str!("plant.py")])?.ended(0).map(drop)
}

/// What came of each, as far as the agent says.
struct Said {
    quick: String,
    webhook: String,
    chat: String,
}

/// Starts the agent anew and brings each of them about.
fn brought_about(host: &Host) -> Result<Said> {
    let bot = bot_of(host)?;
    polling_as(bot, host)?;
    let since = noted();
    write_to(bot, host, NAMED[0], LISTED, "/labquick")?;
    let answer = || {
        let said = |call: &serde_json::Value| text(call, "/method") == "sendMessage";
        calls_of(bot, since).into_iter().find(said).map(|call| text(&call, "/asked/text").to_owned())
    };
    until(60, "an answer to the quick command", || Ok(answer().is_some()))?;
    let hook =
        "curl -sS -m 30 -H 'Content-Type: application/json' -d '{\"text\": \"x\"}' http://127.0.0.1:8655/webhooks/lab";
    let webhook = host.run(hook)?.all();
    let chat = host.chat("hello from outside")?;
    until(100, "the job was due", || host.holds(JOB))?;
    Ok(Said { quick: answer().unwrap_or_default(), webhook, chat })
}

fn left(host: &Host) -> Result<String> {
    host.sh(LEFT)
}

pub fn refused(kind: Kind) -> Result<()> {
    let shared = &*ours(kind)?;
    let tried = by_own_files(&shared.host).and_then(|()| by_the_hosts_settings(&shared.host));
    shared.host.sh(CLEAN)?;
    shared.desk.petasos(&["up"])?.ended(0)?;
    tried
}

/// Nothing that stands there is even read, but for the job, which is refused.
fn by_own_files(host: &Host) -> Result<()> {
    host.sh(WITH_MCP)?;
    plant(host, "own")?;
    let said = brought_about(host)?;
    ensure!(said.quick.contains("Unknown command"), "to the quick command: {}", said.quick);
    ensure!(said.webhook.contains("Failed to connect"), "by the webhook: {}", said.webhook);
    ensure!(said.chat == "STUB OK: hello from outside", "{}", said.chat);
    let job = host.sh(JOB)?;
    ensure!(job.contains("the policy lets a scheduled job run no script"), "the job: {job}");
    let log = host.sh(LOG)?;
    ensure!(!log.contains("MCP server 'lab'") && !log.contains("shell hook"), "its own settings were read:\n{log}");
    ensure!(left(host)?.is_empty(), "left: {}", left(host)?);
    Ok(())
}

/// What is read is refused, and the agent says so.
fn by_the_hosts_settings(host: &Host) -> Result<()> {
    plant(host, "host")?;
    let said = brought_about(host)?;
    ensure!(said.quick.contains(NOT_STARTED), "to the quick command: {}", said.quick);
    ensure!(said.webhook.contains("Unknown route"), "by the webhook: {}", said.webhook);
    ensure!(said.chat == "STUB OK: hello from outside", "{}", said.chat);
    let says = |what: &str, why: &str| {
        until(60, &format!("the agent's log says `{what}` and `{why}`"), || {
            Ok(host.sh(LOG)?.lines().any(|line| line.contains(what) && line.contains(why)))
        })
    };
    says("MCP server 'lab'", NOT_STARTED)?;
    says("shell hook failed", "event=pre_llm_call")?;
    ensure!(left(host)?.is_empty(), "left: {}", left(host)?);
    Ok(())
}

/// On a host without the policy.
pub fn done(shared: &Shared) -> Result<()> {
    let host = &shared.host;
    host.sh(WITH_MCP)?;
    plant(host, "own")?;
    let said = brought_about(host)?;
    let ran = left(host)?;
    ensure!(ran.lines().eq(LEAVES), "only these ran: {ran}; {} {} {}", said.quick, said.webhook, host.sh(LOG)?);
    host.sh(CLEAN).map(drop)
}
