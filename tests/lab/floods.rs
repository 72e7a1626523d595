//! The host survives its agent and its strangers: all that both can do at once, and people still
//! get in, the agent still answers, and nothing has to be started anew afterwards.

use super::guard::strangers;
use super::harness::{Shared, converged, ignored, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use std::time::{Duration, Instant};

const FLOODS: &str = include_str!("floods.py");
const SECONDS: u64 = 120;
/// A login takes a fifth of a second.
const SLOW: Duration = Duration::from_secs(3);

/// Beside the gateway, as its user; and a watch over what the host's kernel holds, five times a
/// second.
const BEGIN: &str = r#"
logger -t lab-floods "before the floods"
printf '%s' "$1" >/run/floods.py
cat >/run/floods.sh <<'END'
pid=$(systemctl show --value -p MainPID hermes.service)
exec nsenter --target "$pid" --mount -- setpriv --reuid hermes --regid hermes --clear-groups --no-new-privs \
	--bounding-set=-all --inh-caps=-all python3 -c "$(cat /run/floods.py)" "$1" </dev/null
END
cat >/run/watch.sh <<'END'
most=0
while :; do
	# Not by read, which takes letter by letter: the kernel gives it the first one only.
	now=$(cat /proc/sys/net/netfilter/nf_conntrack_count)
	[ "$now" -le "$most" ] || most=$now
	echo "$most" >/run/most
	sleep 0.2
done
END
df --output=iavail /tmp | tail -n 1 >/run/inodes
systemctl show --value -p NRestarts hermes.service petasos-resolver.service petasos-proxy.service petasos-audit.service ssh.service >/run/restarts
systemd-run -q --unit=lab-watch sh /run/watch.sh
systemd-run -q --unit=lab-floods -p RemainAfterExit=yes -p StandardOutput=file:/run/said sh /run/floods.sh "$2""#;

const END: &str = r#"
systemctl stop lab-watch.service
cat /run/most
head -n 1 /run/inodes | tr -d ' '
df --output=iavail /tmp | tail -n 1 | tr -d ' '
systemctl show --value -p NRestarts hermes.service petasos-resolver.service petasos-proxy.service petasos-audit.service ssh.service |
	cmp -s - /run/restarts && echo same
journalctl -q -t lab-floods -o cat | grep -c . || :
"#;

pub fn trials() -> Vec<Trial> {
    let run = |suite: &'static str| trial(&format!("floods::all at once, {suite}"), move || all(suite));
    let long = "two minutes of floods on a host of its own";
    vec![ignored(run("trixie"), long), ignored(run("bookworm"), long)]
}

fn all(suite: &str) -> Result<()> {
    let Shared { host, desk } = &converged(&format!("floods-{suite}"), suite)?;
    host.with_args(BEGIN, &[FLOODS, &SECONDS.to_string()])?.ended(0)?;
    let strangers = strangers(host)?;
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let (mut logins, mut chats) = (Vec::new(), 0);
    while Instant::now() < end {
        let said = host.login("ops", &[], "true")?.ended(0).context("a login during the floods")?;
        logins.push(said.took);
        if logins.len() % 10 == 1 {
            // It is answered, or refused: the agent's own floods are in its way to the model, too.
            let said = host.chat("hello in the flood")?;
            ensure!(!said.is_empty(), "no answer at all");
            chats += usize::from(said == "STUB OK: hello in the flood");
        }
        if logins.len() == 15 {
            host.sh("apt-get -qq update")?;
            desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    drop(strangers);
    let slowest = logins.iter().max().copied().unwrap_or_default();
    let wait = "for n in $(seq 60); do [ \"$(systemctl show --value -p SubState lab-floods.service)\" = running ] || exit 0; sleep 1; done; exit 1";
    host.sh(wait)?;
    let floods: Value = serde_json::from_str(&host.sh("cat /run/said")?).context("the floods said nothing")?;
    let after = host.sh(END)?;
    eprintln!("{suite}: {} logins, slowest {slowest:?}, {chats} chats answered; {floods}; {after:?}", logins.len());
    ensure!(logins.len() > 20 && slowest < SLOW, "a login took {slowest:?}");
    let lines: Vec<&str> = after.lines().collect();
    let number = |at: usize| lines.get(at).and_then(|line| line.parse::<u64>().ok()).context("no number");
    // Of the agent's there are 4096 at most; others are the strangers' and the host's own.
    // The kernel has room for 262144; a watch that sees none of these is blind.
    ensure!((2_000..65_536).contains(&number(0)?), "the kernel held {} connections", number(0)?);
    ensure!(number(1)? < number(2)? + 2_000, "inodes of the host's /tmp were used: {after}");
    ensure!(lines.get(3) == Some(&"same"), "something was started anew: {after}");
    ensure!(number(4)? == 1, "the line from before the floods is gone: {after}");
    // The controls: each flood did flow.
    let count = |path: &str| floods.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    ensure!(count("/flows/sent") + count("/flows/refused") > 100_000, "{floods}");
    ensure!(count("/held/failed") > 0 && count("/washing/asked") > 10_000, "{floods}");
    ensure!(host.chat("hello after the flood")? == "STUB OK: hello after the flood", "the agent's answer");
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"]).map(drop)
}
