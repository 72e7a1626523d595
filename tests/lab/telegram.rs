//! The agent on Telegram, whose own ways around a resolver and a firewall must end in the allowed
//! name or in a refusal. The judges are the lab's Telegram, which notes who called it at which
//! address, its DNS over HTTPS and its model; on the host the proxy's log and the kernel's
//! counters.

use super::harness::world::{lock, world};
use super::harness::{Desk, Host, ignored, trial};
use anyhow::{Context, Result, anyhow, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub fn trials() -> Vec<Trial> {
    let slow = [
        trial("telegram::without the proxy the fallback gets nowhere either", without_the_proxy),
        trial("telegram::a silent address of the name is passed over", half_gone),
        trial("telegram::seen: where names are not looked at, the fallback gets there", gets_there),
        trial("telegram::out of reach, without the fallback", || out_of_reach(false)),
        trial("telegram::out of reach, with the agent's own fallback", || out_of_reach(true)),
    ];
    let quick = [
        trial("telegram::who is listed is answered, by the allowed name", listed),
        trial("telegram::the agent's own fallback gets nowhere", fallback),
    ];
    quick
        .into_iter()
        .chain(slow.map(|trial| ignored(trial, "the agent's own timeouts and retries take minutes")))
        .collect()
}

const BOT: u64 = 7001;
const TOKEN: &str = "7001:AAlabT0ken-of-n0-bot_at-all-0123456789";
const LISTED: u64 = 4711;
const STRANGER: u64 = 666;
/// Where the lab's Telegram is by name, and where the agent's fallback looks for it too.
const NAMED: [&str; 2] = ["149.154.167.220", "2001:db8:4::959a:a7dc"];
const OTHER: &str = "149.154.166.110";

struct Bot {
    host: Host,
    desk: Desk,
}

/// The one host of this table, for one test at a time, as `up` leaves it.
fn bot() -> Result<MutexGuard<'static, Bot>> {
    static BOT_HOST: OnceLock<Result<Mutex<Bot>, String>> = OnceLock::new();
    let make = || -> Result<Mutex<Bot>> {
        let host = Host::fresh("tg", "trixie")?;
        let mut desk = Desk::of(&[&host])?;
        desk.set("TELEGRAM_BOT_TOKEN", Some(TOKEN));
        let agent = format!("agent: {{ platforms: {{ telegram: {{ allowed_users: [{LISTED}] }} }} }}\n");
        desk.write("petasos.yaml", &format!("{}{agent}", desk.read("petasos.yaml")?))?;
        desk.petasos(&["up"])?.ended(0)?;
        Ok(Mutex::new(Bot { host, desk }))
    };
    let bot = BOT_HOST.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    let bot = lock(bot.as_ref().map_err(|why| anyhow!("{why}"))?);
    // What a failed test left.
    bot.host.sh(OPEN)?;
    bot.desk.petasos(&["up"])?.ended(0)?;
    Ok(bot)
}

/// A log of the lab's internet; a line that is being written is not yet there.
fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn text<'a>(of: &'a Value, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What the lab's Telegram noted of our bot since so many lines.
fn calls(since: usize) -> Vec<Value> {
    let ours = |call: &Value| call.get("bot") == Some(&json!(BOT));
    lines(&world().lab.telegram_log()).into_iter().skip(since).filter(ours).collect()
}

fn noted() -> usize {
    lines(&world().lab.telegram_log()).len()
}

/// Words that no test has said before.
fn fresh_words(what: &str) -> Result<String> {
    Ok(format!("{what} {}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()))
}

/// A user writes to the bot, through an address of the lab's Telegram; the number of that update.
fn say(host: &Host, at: &str, from: u64, words: &str) -> Result<u64> {
    let body = json!({ "bot": BOT, "from": from, "text": words }).to_string();
    let curl = "curl -sS -m 10 --fail --connect-to \"::$1:\" https://api.telegram.org/lab/say -d \"$2\"";
    let said: Value = serde_json::from_str(&host.with_args(curl, &[at, &body])?.ended(0)?.out)?;
    said.get("result").and_then(Value::as_u64).with_context(|| said.to_string())
}

/// How long it takes until something is so.
fn until(patience: u64, what: &str, so: impl Fn() -> Result<bool>) -> Result<Duration> {
    let began = Instant::now();
    while !so()? {
        ensure!(began.elapsed() < Duration::from_secs(patience), "not within {patience} s: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(began.elapsed())
}

/// How long the agent takes to send the model's answer to these words.
fn answered(since: usize, words: &str, patience: u64) -> Result<Duration> {
    let answer = format!("STUB OK: {words}");
    let sent = |call: &Value| text(call, "/method") == "sendMessage" && text(call, "/asked/text").contains(&answer);
    until(patience, &format!("an answer to `{words}`"), || {
        Ok(calls(since).iter().any(|call| sent(call) && text(call, "/asked/chat_id") == LISTED.to_string()))
    })
}

/// How long it takes until a user who writes again and again is answered. An answer that is ready
/// before the agent's first poll after an outage has ended is thrown away by the agent itself.
fn comes_back(host: &Host, since: usize, patience: u64) -> Result<Duration> {
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
fn started(host: &Host) -> Result<Duration> {
    // So many starts in ten minutes are only ours.
    host.sh("systemctl reset-failed hermes.service; systemctl restart hermes.service")?;
    until(60, "the agent is healthy", || host.holds("curl -sf -m 2 http://127.0.0.1:8642/health"))
}

/// The same, and on Telegram too.
fn polling(host: &Host) -> Result<Duration> {
    let since = noted();
    let well = started(host)?;
    let polls = |call: &Value| text(call, "/method") == "getUpdates" && text(call, "/asked/timeout") != "0";
    until(60, "it asks for news", || Ok(calls(since).iter().any(polls)))?;
    Ok(well)
}

/// Requests to the lab's DNS over HTTPS; the shared log is only read for those of this host.
fn asked_over_https(host: &Host) -> usize {
    let ours = |line: &&Value| ["dns.google", "cloudflare-dns.com"].contains(&text(line, "/host")) && is_of(host, line);
    lines(&world().lab.internet_log()).iter().filter(ours).count()
}

fn is_of(host: &Host, line: &Value) -> bool {
    [host.address.to_string(), host.ipv6.to_string()].iter().any(|address| address == text(line, "/from"))
}

/// Questions for the two resolvers that reached the host's own one since a cursor of its journal.
fn asked_for_resolvers(host: &Host, cursor: &str) -> Result<usize> {
    let log = host.with_args(
        "journalctl --sync; journalctl -q -o cat -u petasos-resolver.service --after-cursor=\"$1\"",
        &[cursor],
    )?;
    let asked = |line: &&str| {
        line.contains("query[") && (line.contains(" dns.google ") || line.contains(" cloudflare-dns.com "))
    };
    Ok(log.out.lines().filter(asked).count())
}

fn cursor(host: &Host) -> Result<String> {
    Ok(host.sh("journalctl --sync; journalctl -q -n 1 -o export | sed -n 's/^__CURSOR=//p'")?.trim().to_owned())
}

fn refused(host: &Host) -> Result<u64> {
    let counter = "nft -j list counter inet petasos refused_tcp | grep -o '\"packets\": *[0-9]*' | grep -o '[0-9]*'";
    Ok(host.sh(counter)?.trim().parse()?)
}

/// Nothing to or from these addresses arrives, without a word, whoever on the host sends it.
fn silence(host: &Host, addresses: &[&str]) -> Result<()> {
    let lost = |way: &str| -> String {
        let family = |address: &str| if address.contains(':') { "ip6" } else { "ip" };
        addresses.iter().map(|address| format!("{} {way} {address} drop; ", family(address))).collect()
    };
    let (to, from) = (lost("daddr"), lost("saddr"));
    let chain = |hook: &str, rules: &str| format!("chain {hook} {{ type filter hook {hook} priority 50; {rules} }}; ");
    let table = format!("table inet lab_silence {{ {}{} }}", chain("output", &to), chain("input", &from));
    host.with_args("nft \"$1\"", &[&table])?.ended(0).map(drop)
}

const OPEN: &str = "nft delete table inet lab_silence 2>/dev/null || :; systemctl start petasos-proxy.service";

/// As the agent would be without our word on it.
const BY_ITSELF: &str = "sed -i '/FALLBACK_IPS/d' /etc/hermes/.env";

/// What the proxy noted of connections to Telegram since a cursor.
fn proxied(host: &Host, cursor: &str) -> Result<Vec<Value>> {
    let log = "journalctl --sync; journalctl -q -o cat -t petasos_egress --after-cursor=\"$1\"";
    let log = host.with_args(log, &[cursor])?.ended(0)?.out;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.filter(|line| text(line, "/name") == "api.telegram.org").collect())
}

/// Of these, those that ended without a byte of it: how long each was kept, in seconds.
fn in_vain(host: &Host, cursor: &str) -> Result<Vec<f64>> {
    let vain = |line: &&Value| line.get("received") == Some(&json!(0));
    Ok(proxied(host, cursor)?.iter().filter(vain).filter_map(|line| line.get("seconds")?.as_f64()).collect())
}

fn listed() -> Result<()> {
    let Bot { host, desk } = &*bot()?;
    let up = desk.petasos(&["up"])?.ended(0)?;
    ensure!(up.out.contains(": 0 changes,"), "{}", up.all());
    let well = polling(host)?;
    let since = noted();
    let (theirs, ours) = (fresh_words("let me in")?, fresh_words("hello by telegram")?);
    let update = say(host, NAMED[0], STRANGER, &theirs)?;
    say(host, NAMED[0], LISTED, &ours)?;
    let took = answered(since, &ours, 60)?;
    eprintln!(
        "on Telegram: well {:.1} s after a start, an answer after {:.1} s",
        well.as_secs_f64(),
        took.as_secs_f64()
    );
    let read = |call: &Value| {
        text(call, "/method") == "getUpdates"
            && text(call, "/asked/offset").parse().is_ok_and(|offset: u64| offset > update)
    };
    until(30, "the stranger's words are read", || Ok(calls(since).iter().any(read)))?;
    // Time for a slow answer, which must not come.
    std::thread::sleep(Duration::from_secs(5));
    let calls = calls(since);
    let to_them: Vec<&Value> =
        calls.iter().filter(|call| text(call, "/asked/chat_id") == STRANGER.to_string()).collect();
    ensure!(to_them.is_empty(), "the stranger got {to_them:?}");
    let asked = lines(&world().lab.internet_log());
    let model_saw = |words: &str| asked.iter().filter(|line| line.to_string().contains(words)).count();
    ensure!(model_saw(&ours) > 0 && model_saw(&theirs) == 0, "the model saw the stranger's words");
    only_by_name(since)
}

fn fallback() -> Result<()> {
    let Bot { host, desk } = &*bot()?;
    // The controls: for root the fallback's two ways are there.
    let before = asked_over_https(host);
    for url in ["https://dns.google/resolve", "https://cloudflare-dns.com/dns-query"] {
        let said = host.with_args("curl -sS --fail -m 10 \"$1?name=api.telegram.org&type=A\"", &[url])?.ended(0)?;
        said.says(&[NAMED[0]])?;
    }
    ensure!(asked_over_https(host) == before + 2, "the lab's resolvers do not note who asks them");
    for address in [NAMED[0], OTHER] {
        let (since, words) = (noted(), fresh_words("hello from root")?);
        say(host, address, STRANGER, &words)?;
        ensure!(calls(since).iter().any(|call| text(call, "/at") == address), "nobody noted root at {address}");
    }
    // As we set it up, it does not even look.
    let (mark, counted) = (cursor(host)?, refused(host)?);
    let well = polling(host)?;
    let looked = asked_for_resolvers(host, &mark)?;
    // As the agent is by itself, it does.
    host.sh(BY_ITSELF)?;
    let (mark, since) = (cursor(host)?, noted());
    let well_then = polling(host)?;
    let looked_then = asked_for_resolvers(host, &mark)?;
    eprintln!(
        "well after {:.1} s with {looked} questions for public resolvers; by itself after {:.1} s with {looked_then}; {counted} and {} refused",
        well.as_secs_f64(),
        well_then.as_secs_f64(),
        refused(host)?
    );
    ensure!(looked_then > 0, "the agent did not look for its fallback");
    ensure!(asked_over_https(host) == before + 2, "somebody got to a public resolver");
    let words = fresh_words("hello with a fallback")?;
    say(host, NAMED[0], LISTED, &words)?;
    answered(since, &words, 60)?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["/etc/hermes/.env"])?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(looked == 0, "set up by us, it asked for public resolvers {looked} times");
    Ok(())
}

/// What must be so while Telegram is away; how often it was tried in vain since the cursor.
fn away(host: &Host, mark: &str, by_itself: bool, counted: u64) -> Result<()> {
    until(120, "it tries again, and again", || Ok(in_vain(host, mark)?.len() >= 4))?;
    if by_itself {
        until(60, "the fallback's addresses are refused", || Ok(refused(host)? >= counted + 4))?;
    }
    let asked = Instant::now();
    ensure!(host.chat("still there")? == "STUB OK: still there");
    let (vain, refused, chat) = (in_vain(host, mark)?, refused(host)?, asked.elapsed().as_secs_f64());
    eprintln!("tried in vain for {vain:?} s each; refused: {counted}, then {refused}; a chat took {chat:.1} s");
    ensure!(vain.iter().all(|took| *took < 25.0), "a connection was kept for long: {vain:?}");
    ensure!(by_itself || refused == counted, "it tried other addresses");
    let waiting = host.sh("ss -Htne state syn-sent | grep -w \"uid:$(id -u hermes)\" || :")?;
    ensure!(waiting.is_empty(), "it waits for somebody who was to be refused:\n{waiting}");
    Ok(())
}

/// What the lab's Telegram noted came by the allowed name's own addresses.
fn only_by_name(since: usize) -> Result<()> {
    let by_us = |call: &Value| text(call, "/method") == "/lab/say";
    let calls = calls(since);
    let elsewhere: Vec<&Value> =
        calls.iter().filter(|call| !by_us(call) && !NAMED.contains(&text(call, "/at"))).collect();
    ensure!(elsewhere.is_empty(), "it got there by another way: {elsewhere:?}");
    Ok(())
}

fn out_of_reach(by_itself: bool) -> Result<()> {
    let Bot { host, .. } = &*bot()?;
    if by_itself {
        host.sh(BY_ITSELF)?;
    }
    polling(host)?;
    let (since, first) = (noted(), fresh_words("before")?);
    say(host, NAMED[0], LISTED, &first)?;
    answered(since, &first, 60)?;
    for starts_anew in [false, true] {
        let (counted, mark, since) = (refused(host)?, cursor(host)?, noted());
        silence(host, &NAMED)?;
        if starts_anew {
            eprintln!("well {:.1} s after a start without Telegram", started(host)?.as_secs_f64());
        }
        away(host, &mark, by_itself, counted)?;
        // The control: where the fallback looks for it, Telegram is there, for whoever may go
        // there.
        say(host, OTHER, STRANGER, &fresh_words("while away")?)?;
        host.sh(OPEN)?;
        let took = comes_back(host, since, 150)?;
        eprintln!("answered {:.0} s after Telegram came back", took.as_secs_f64());
        only_by_name(since)?;
    }
    Ok(())
}

fn without_the_proxy() -> Result<()> {
    let Bot { host, .. } = &*bot()?;
    host.sh(BY_ITSELF)?;
    polling(host)?;
    let counted = refused(host)?;
    host.sh("systemctl stop petasos-proxy.service")?;
    // What it said before that is noted by now.
    std::thread::sleep(Duration::from_secs(1));
    let since = noted();
    until(60, "the fallback's addresses are refused", || Ok(refused(host)? >= counted + 4))?;
    ensure!(host.holds("curl -sf -m 2 http://127.0.0.1:8642/health")?, "its API no longer answers");
    ensure!(calls(since).is_empty(), "it got there: {:?}", calls(since));
    host.sh(OPEN)?;
    let took = comes_back(host, since, 90)?;
    eprintln!("answered {:.0} s after the proxy came back", took.as_secs_f64());
    only_by_name(since)
}

/// What the agent's fallback is for, the proxy does: where one of a name's addresses is silent, it
/// takes the other while the agent waits.
fn half_gone() -> Result<()> {
    let Bot { host, .. } = &*bot()?;
    for gone in NAMED {
        let (mark, since) = (cursor(host)?, noted());
        silence(host, &[gone])?;
        // Which address comes first is left to chance, and noted when a connection ends: at the
        // agent's next start.
        let passed_over = |line: &Value| text(line, "/to").starts_with(&format!("{}, ", place(gone)));
        for start in 1.. {
            ensure!(start < 15, "the silent address was never tried first: {:?}", proxied(host, &mark)?);
            polling(host)?;
            if proxied(host, &mark)?.iter().any(passed_over) {
                break;
            }
        }
        let words = fresh_words("with half of it")?;
        say(host, OTHER, LISTED, &words)?;
        let took = answered(since, &words, 60)?;
        // A start of the agent cuts off what the one before waits for: that is shorter.
        let vain: Vec<f64> = in_vain(host, &mark)?.into_iter().filter(|took| *took > 8.0).collect();
        ensure!(vain.is_empty(), "the agent waited {vain:?} s for nothing");
        eprintln!("without {gone}: answered after {:.1} s", took.as_secs_f64());
        host.sh(OPEN)?;
    }
    Ok(())
}

/// As the proxy writes an address.
fn place(address: &str) -> String {
    if address.contains(':') { format!("[{address}]:443") } else { format!("{address}:443") }
}

/// The control of all the others: with egress by port the agent's fallback is told of another
/// address over HTTPS, and goes there.
fn gets_there() -> Result<()> {
    let Bot { host, desk } = &*bot()?;
    let (yaml, before) = (desk.read("petasos.yaml")?, asked_over_https(host));
    desk.write("petasos.yaml", &format!("{yaml}network: {{ egress: {{ mode: ports }} }}\n"))?;
    let done = (|| {
        desk.petasos(&["up"])?.ended(0)?;
        host.sh(BY_ITSELF)?;
        silence(host, &NAMED)?;
        let since = noted();
        started(host)?;
        let there = |call: &Value| text(call, "/method") == "getUpdates" && text(call, "/at") == OTHER;
        let took = until(90, "it gets there", || Ok(calls(since).iter().any(there)))?;
        eprintln!("unfiltered, it is at another address after {:.0} s", took.as_secs_f64());
        ensure!(only_by_name(since).is_err(), "that is not seen");
        ensure!(asked_over_https(host) > before, "it asked nobody over HTTPS");
        Ok(())
    })();
    desk.write("petasos.yaml", &yaml)?;
    host.sh(OPEN)?;
    desk.petasos(&["up"])?.ended(0)?;
    done
}
