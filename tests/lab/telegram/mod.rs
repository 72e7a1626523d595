//! The agent on Telegram, whose own ways around a resolver and a firewall must end in the allowed
//! name or in a refusal. The judges are the lab's Telegram, which notes who called it at which
//! address, its DNS over HTTPS and its model; on the host the proxy's log and the kernel's
//! counters.

pub mod bot;

use super::harness::world::world;
use super::harness::{Host, Shared, ignored, trial};
use anyhow::{Result, ensure};
use bot::{
    BUSY, BY_ITSELF, LISTED, NAMED, OPEN, OTHER, STRANGER, answered, asked_for_resolvers, asked_over_https, bot, calls,
    comes_back, cursor, fresh_words, in_vain, lines, noted, polling, proxied, refused, say, silence, started, text,
    until,
};
use libtest_mimic::Trial;
use serde_json::Value;
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    let slow = [
        trial("telegram::without the proxy the fallback gets nowhere either", without_the_proxy),
        trial("telegram::a silent address of the name is passed over", half_gone),
        trial("telegram::seen: where names are not looked at, the fallback gets there", gets_there),
        trial("telegram::out of reach, without the fallback", || out_of_reach(false)),
        trial("telegram::out of reach, with the agent's own fallback", || out_of_reach(true)),
    ];
    let used_up = trial("telegram::the 31st message of an hour is refused, another user's is not", used_up);
    let quick = [
        trial("telegram::who is listed is answered, by the allowed name", listed),
        trial("telegram::the agent's own fallback gets nowhere", fallback),
    ];
    quick
        .into_iter()
        .chain([ignored(used_up, "thirty chats with the agent take a minute and more")])
        .chain(slow.map(|trial| ignored(trial, "the agent's own timeouts and retries take minutes")))
        .collect()
}

fn listed() -> Result<()> {
    let Shared { host, desk } = &*bot()?;
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
    let Shared { host, desk } = &*bot()?;
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

/// Also after restarts of the gateway and of the audit writer, which counts.
fn used_up() -> Result<()> {
    let Shared { host, .. } = &*bot()?;
    polling(host)?;
    let told = |user: u64, words: &str, since: usize| {
        let to_them =
            |call: &Value| text(call, "/method") == "sendMessage" && text(call, "/asked/chat_id") == user.to_string();
        calls(since).iter().any(|call| to_them(call) && text(call, "/asked/text").contains(words))
    };
    let mut served = 0;
    let refused = "You have reached your limit of messages for now";
    // What the tests before this one said counts, too.
    let since = noted();
    while !told(BUSY, refused, since) {
        ensure!(served <= 30, "{served} messages were served");
        let (since, words) = (noted(), fresh_words("one more")?);
        say(host, NAMED[0], BUSY, &words)?;
        until(30, "an answer", || Ok(told(BUSY, &words, since) || told(BUSY, refused, since)))?;
        served += u32::from(told(BUSY, &words, since));
    }
    ensure!(served == 30, "{served} messages were served");
    let mut refused_words = Vec::new();
    for restart in ["", "petasos-audit.service", "hermes.service"] {
        if !restart.is_empty() {
            host.sh(&format!("systemctl restart {restart}"))?;
            polling(host)?;
        }
        let (since, theirs, words) = (noted(), fresh_words("again")?, fresh_words("and I")?);
        say(host, NAMED[0], BUSY, &theirs)?;
        say(host, NAMED[0], LISTED, &words)?;
        answered(since, &words, 60)?;
        std::thread::sleep(Duration::from_secs(3));
        ensure!(!told(BUSY, &theirs, since), "after a restart of `{restart}` the 31st was served");
        refused_words.push(theirs);
    }
    let asked = lines(&world().lab.internet_log());
    for words in refused_words {
        ensure!(!asked.iter().any(|line| line.to_string().contains(&words)), "the model was asked: {words}");
    }
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
    let Shared { host, .. } = &*bot()?;
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
    let Shared { host, .. } = &*bot()?;
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
    let Shared { host, .. } = &*bot()?;
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
    let Shared { host, desk } = &*bot()?;
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
