//! The agent with a bot on the lab's Telegram: what is written to it, and what the lab and the host
//! note of what it does then.

use super::super::harness::world::world;
use super::super::harness::{Host, Once, Shared, converged};
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::MutexGuard;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const BOT: u64 = 7001;
const TOKEN: &str = "7001:AAlabT0ken-of-n0-bot_at-all-0123456789";
pub const LISTED: u64 = 4711;
/// Listed too, and uses up a share.
pub const BUSY: u64 = 4712;
pub const STRANGER: u64 = 666;
/// Where the lab's Telegram is by name, and where the agent's fallback looks for it too.
pub const NAMED: [&str; 2] = ["149.154.167.220", "2001:db8:4::959a:a7dc"];
pub const OTHER: &str = "149.154.166.110";

/// The one host of this table, for one test at a time, as `up` leaves it.
pub fn bot() -> Result<MutexGuard<'static, Shared>> {
    static BOT_HOST: Once<Shared> = Once::new();
    let bot = BOT_HOST.get(|| {
        let mut bot = converged("tg", "trixie")?;
        bot.desk.set("TELEGRAM_BOT_TOKEN", Some(TOKEN));
        let agent = format!("agent: {{ platforms: {{ telegram: {{ allowed_users: [{LISTED}, {BUSY}] }} }} }}\n");
        bot.desk.write("petasos.yaml", &format!("{}{agent}", bot.desk.read("petasos.yaml")?))?;
        Ok(bot)
    })?;
    // What a failed test left.
    bot.host.sh(OPEN)?;
    bot.desk.petasos(&["up"])?.ended(0)?;
    Ok(bot)
}

/// A log of the lab's internet; a line that is being written is not yet there.
pub fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

pub fn text<'a>(of: &'a Value, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What the lab's Telegram noted of our bot since so many lines.
pub fn calls(since: usize) -> Vec<Value> {
    calls_of(BOT, since)
}

pub fn calls_of(bot: u64, since: usize) -> Vec<Value> {
    let ours = |call: &Value| call.get("bot") == Some(&json!(bot));
    lines(&world().lab.telegram_log()).into_iter().skip(since).filter(ours).collect()
}

pub fn noted() -> usize {
    lines(&world().lab.telegram_log()).len()
}

/// Words that no test has said before.
pub fn fresh_words(what: &str) -> Result<String> {
    Ok(format!("{what} {}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()))
}

/// A user writes to the bot, through an address of the lab's Telegram; the number of that update.
pub fn say(host: &Host, at: &str, from: u64, words: &str) -> Result<u64> {
    write_to(BOT, host, at, from, words)
}

pub fn write_to(bot: u64, host: &Host, at: &str, from: u64, words: &str) -> Result<u64> {
    let body = json!({ "bot": bot, "from": from, "text": words }).to_string();
    let curl = "curl -sS -m 10 --fail --connect-to \"::$1:\" https://api.telegram.org/lab/say -d \"$2\"";
    let said: Value = serde_json::from_str(&host.with_args(curl, &[at, &body])?.ended(0)?.out)?;
    said.get("result").and_then(Value::as_u64).with_context(|| said.to_string())
}

/// How long it takes until something is so.
pub fn until(patience: u64, what: &str, so: impl Fn() -> Result<bool>) -> Result<Duration> {
    let began = Instant::now();
    while !so()? {
        ensure!(began.elapsed() < Duration::from_secs(patience), "not within {patience} s: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(began.elapsed())
}

/// How long the agent takes to send the model's answer to these words.
pub fn answered(since: usize, words: &str, patience: u64) -> Result<Duration> {
    let answer = format!("STUB OK: {words}");
    let sent = |call: &Value| text(call, "/method") == "sendMessage" && text(call, "/asked/text").contains(&answer);
    until(patience, &format!("an answer to `{words}`"), || {
        Ok(calls(since).iter().any(|call| sent(call) && text(call, "/asked/chat_id") == LISTED.to_string()))
    })
}

/// How long it takes until a user who writes again and again is answered. An answer that is ready
/// before the agent's first poll after an outage has ended is thrown away by the agent itself.
pub fn comes_back(host: &Host, since: usize, patience: u64) -> Result<Duration> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(patience) {
        let words = fresh_words("are you back")?;
        say(host, NAMED[0], LISTED, &words)?;
        if answered(since, &words, 15).is_ok() {
            return Ok(began.elapsed());
        }
    }
    Err(anyhow!("nobody was answered for {patience} s"))
}

/// How long the agent takes to be well after a start.
pub fn started(host: &Host) -> Result<Duration> {
    // So many starts in ten minutes are only ours.
    host.sh("systemctl reset-failed hermes.service; systemctl restart hermes.service")?;
    until(60, "the agent is healthy", || host.holds("curl -sf -m 2 http://127.0.0.1:8642/health"))
}

/// The same, and on Telegram too.
pub fn polling(host: &Host) -> Result<Duration> {
    polling_as(BOT, host)
}

pub fn polling_as(bot: u64, host: &Host) -> Result<Duration> {
    let since = noted();
    let well = started(host)?;
    let polls = |call: &Value| text(call, "/method") == "getUpdates" && text(call, "/asked/timeout") != "0";
    until(60, "it asks for news", || Ok(calls_of(bot, since).iter().any(polls)))?;
    Ok(well)
}

/// Requests to the lab's DNS over HTTPS; the shared log is only read for those of this host.
pub fn asked_over_https(host: &Host) -> usize {
    let ours = |line: &&Value| ["dns.google", "cloudflare-dns.com"].contains(&text(line, "/host")) && is_of(host, line);
    lines(&world().lab.internet_log()).iter().filter(ours).count()
}

fn is_of(host: &Host, line: &Value) -> bool {
    [host.address.to_string(), host.ipv6.to_string()].iter().any(|address| address == text(line, "/from"))
}

/// Questions for the two resolvers that reached the host's own one since a cursor of its journal.
pub fn asked_for_resolvers(host: &Host, cursor: &str) -> Result<usize> {
    let log = host.with_args(
        "journalctl --sync; journalctl -q -o cat -u petasos-resolver.service --after-cursor=\"$1\"",
        &[cursor],
    )?;
    let asked = |line: &&str| {
        line.contains("query[") && (line.contains(" dns.google ") || line.contains(" cloudflare-dns.com "))
    };
    Ok(log.out.lines().filter(asked).count())
}

pub fn cursor(host: &Host) -> Result<String> {
    Ok(host.sh("journalctl --sync; journalctl -q -n 1 -o export | sed -n 's/^__CURSOR=//p'")?.trim().to_owned())
}

pub fn refused(host: &Host) -> Result<u64> {
    let counter = "nft -j list counter inet petasos refused_tcp | grep -o '\"packets\": *[0-9]*' | grep -o '[0-9]*'";
    Ok(host.sh(counter)?.trim().parse()?)
}

/// Nothing to or from these addresses arrives, without a word, whoever on the host sends it.
pub fn silence(host: &Host, addresses: &[&str]) -> Result<()> {
    let lost = |way: &str| -> String {
        let family = |address: &str| if address.contains(':') { "ip6" } else { "ip" };
        addresses.iter().map(|address| format!("{} {way} {address} drop; ", family(address))).collect()
    };
    let (to, from) = (lost("daddr"), lost("saddr"));
    let chain = |hook: &str, rules: &str| format!("chain {hook} {{ type filter hook {hook} priority 50; {rules} }}; ");
    let table = format!("table inet lab_silence {{ {}{} }}", chain("output", &to), chain("input", &from));
    host.with_args("nft \"$1\"", &[&table])?.ended(0).map(drop)
}

pub const OPEN: &str = "nft delete table inet lab_silence 2>/dev/null || :; systemctl start petasos-proxy.service";

/// As the agent would be without our word on it.
pub const BY_ITSELF: &str = "sed -i '/FALLBACK_IPS/d' /etc/hermes/.env";

/// What the proxy noted of connections to Telegram since a cursor.
pub fn proxied(host: &Host, cursor: &str) -> Result<Vec<Value>> {
    let log = "journalctl --sync; journalctl -q -o cat -t petasos_egress --after-cursor=\"$1\"";
    let log = host.with_args(log, &[cursor])?.ended(0)?.out;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.filter(|line| text(line, "/name") == "api.telegram.org").collect())
}

/// Of these, those that ended without a byte of it: how long each was kept, in seconds.
pub fn in_vain(host: &Host, cursor: &str) -> Result<Vec<f64>> {
    let vain = |line: &&Value| line.get("received") == Some(&json!(0));
    Ok(proxied(host, cursor)?.iter().filter(vain).filter_map(|line| line.get("seconds")?.as_f64()).collect())
}
