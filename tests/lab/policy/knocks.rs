//! Whoever knocks at the sandbox over and over writes nothing into the journal by that: what is
//! there from before is not washed out.

use super::super::harness::Host;
use super::{KINDS, ours};
use anyhow::{Context, Result, ensure};

/// The lines of the journal of all that the agent's user makes happen in ten seconds of knocking.
fn lines(host: &Host) -> Result<u32> {
    let knock = host.with_args("mkdir -p /usr/local/share; printf '%s' \"$1\" >/usr/local/share/knock.py; journalctl --sync; journalctl -q -n 1 -o export | sed -n 's/^__CURSOR=//p'", &[include_str!("knock.py")])?.ended(0)?;
    let made: u32 =
        host.as_agent("python3 /usr/local/share/knock.py")?.lines().filter_map(|line| line.parse::<u32>().ok()).sum();
    ensure!(made > 500, "it connected {made} times");
    let count = "journalctl --sync; journalctl -q -o cat --after-cursor=\"$1\" | wc -l";
    let said = host.with_args(count, &[knock.out.trim()])?.ended(0)?.out;
    let lines = said.trim().parse().context(said)?;
    eprintln!("{}: {made} connections, {lines} lines of the journal", host.name);
    Ok(lines)
}

pub fn wash_nothing(suite: &'static str) -> Result<()> {
    const LOUD: &str = "/run/systemd/system/petasos-sandbox.socket.d";
    let kind = KINDS.into_iter().find(|kind| kind.0 == suite).context("no such suite")?;
    let host = &ours(kind)?.host;
    let quiet = lines(host)?;
    // Without what keeps systemd's own word of each out of it; the agent ends with the socket.
    let again = "systemctl daemon-reload; systemctl restart petasos-sandbox.socket; systemctl start hermes.service";
    host.sh(&format!("mkdir -p {LOUD}; printf '[Socket]\\nLogLevelMax=debug\\n' >{LOUD}/loud.conf; {again}"))?;
    let loud = host.answers().and_then(|()| lines(host));
    host.sh(&format!("rm -r {LOUD}; {again}"))?;
    host.answers()?;
    let loud = loud?;
    ensure!(quiet < 100 && loud > 300, "{quiet} lines, and {loud} without the limit");
    Ok(())
}
