//! The way out, by name: what the running agent reaches, what happens when a part of it is gone,
//! and how a list is found. The judge is the agent's own terminal, the lab's internet, and
//! systemd's word on what was restarted.

use super::harness::{Host, Once, SECRET, Shared, converged, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::sync::MutexGuard;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("names::the agent reaches what is allowed, and nothing else", reaches),
        trial("names::a part that is gone lets nothing out, and `up` brings it back", fails_closed),
        trial("names::a longer list restarts nothing that need not be", longer_list),
        trial("names::learn, propose, enforce", learns),
        trial("names::what others serve on loopback is not the agent's, but for what is allowed", loopback),
        trial("names::what `verify` tried is nobody's wish", not_a_wish),
        trial("names::an allowed name that leads into a private network leads nowhere", rebinding),
    ]
}

const LISTED: &str = "network: { egress: { allow: [api.example.com, own.example.net, \"*.wild.example.net\", \"sink.lab.test:25\"] } }\n";

pub fn named() -> Result<MutexGuard<'static, Shared>> {
    static NAMED: Once<Shared> = Once::new();
    NAMED.get(|| {
        let named = converged("names", "trixie")?;
        named.desk.write("petasos.yaml", &format!("{}{LISTED}", named.desk.read("petasos.yaml")?))?;
        named.desk.petasos(&["up"])?.ended(0)?;
        Ok(named)
    })
}

/// Beside the gateway: its user, its view of the files, its control group.
const BESIDE: &str = "pid=$(systemctl show --value -p MainPID hermes.service)
echo $$ >/sys/fs/cgroup/system.slice/hermes.service/cgroup.procs
exec nsenter --target \"$pid\" --mount -- setpriv --reuid hermes --regid hermes --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all sh -c \"$1\"";

/// What a script says that runs as somebody who took the gateway over, and got past its lock on new
/// programs.
pub fn agent(host: &Host, script: &str) -> Result<String> {
    Ok(host.with_args(BESIDE, &[script])?.ended(0)?.out)
}

/// The same script of an HTTPS request, run with the unit's own locks without the agent, which
/// needs the way out itself to answer.
pub fn in_the_unit(host: &Host, url: &str) -> Result<String> {
    let properties = "User=hermes IPAddressDeny=any BindReadOnlyPaths=/etc/petasos/resolv.conf:/etc/resolv.conf";
    let properties: Vec<String> = properties.split(' ').map(|word| format!("-p {word}")).collect();
    let allow = "-p IPAddressAllow=localhost -p IPAddressAllow=192.0.2.0/24 -p IPAddressAllow=100::/64";
    let curl = format!("curl -s -m 6 -o /dev/null -w '%{{http_code}}' {url}");
    let said = host.run(&format!("systemd-run -q --wait --pipe --collect {} {allow} {curl}", properties.join(" ")))?;
    Ok(said.out.trim().to_owned())
}

const REQUESTS: &str = "
ask() { name=$1; shift; start=$(date +%s%N); code=$(curl -s -k -m 8 -o /dev/null -w '%{http_code}' \"$@\") || :; echo \"$name $code $((($(date +%s%N) - start) / 1000000))\"; }
ask provider https://openrouter.ai/api/v1/models
ask listed https://api.example.com/
ask case https://API.Example.COM/
ask unlisted https://foreign.example.net/
ask below https://x.api.example.com/
ask address https://203.0.113.82/
ask six 'https://[2001:db8:4::cb00:7152]/'
ask other-name --connect-to ::192.0.2.1: https://foreign.example.net/
ask other-place --connect-to ::203.0.113.82: https://api.example.com/
ask plain http://api.example.com/
ask metadata http://169.254.169.254/
ask mail telnet://sink.lab.test:25 </dev/null
ask mail-elsewhere telnet://203.0.113.25:25 </dev/null
";

fn reaches() -> Result<()> {
    let Shared { host, .. } = &*named()?;
    ensure!(host.chat("hello by name")? == "STUB OK: hello by name");
    let said = agent(host, REQUESTS)?;
    let rows: Vec<(&str, &str, u32)> = said
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?, words.next()?.parse().ok()?))
        })
        .collect();
    ensure!(rows.len() == 13, "{said}");
    for (name, code, took) in rows {
        match name {
            // The lab's stub knows no such page; what counts is that it was asked.
            "provider" | "listed" | "case" => ensure!(matches!(code, "200" | "404"), "{name}: {code}"),
            "mail" => {}
            _ => ensure!(code == "000" && took < 3000, "{name} got {code} after {took} ms\n{said}"),
        }
    }
    // The control: for root the same names and addresses are there.
    let control = host.sh(REQUESTS)?;
    for name in ["unlisted", "address", "other-name", "plain"] {
        let got = control.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).context(control.clone())?;
        ensure!((name == "other-name") == got.starts_with("000"), "root: {name} {got}");
    }
    // The rare other port leads to that host alone: the lab's sink says what came.
    let logged = host.sh("journalctl -q -o cat _SYSTEMD_UNIT=petasos-proxy.service | grep -c '\"name\":\"sink.lab.test\",\"port\":25,\"allowed\":1,\"to\":\"203.0.113.25:25\"\\|\"to\":\"\\[2001:db8:4::cb00:7119\\]:25'")?;
    ensure!(logged.trim() != "0", "nothing went to the sink");
    let rating = host.sh("for unit in petasos-resolver petasos-proxy hermes; do systemd-analyze security --no-pager $unit.service | tail -n 1; done")?;
    eprintln!("{}", rating.trim());
    let levels: Vec<f64> =
        rating.lines().filter_map(|line| line.split(": ").nth(1)?.split_whitespace().next()?.parse().ok()).collect();
    ensure!(levels.len() == 3 && levels.iter().all(|level| *level <= 2.0), "{rating}");
    let memory = host.sh("ps -o rss= -u petasos-resolver,petasos-proxy | paste -sd' '")?;
    eprintln!("resident memory of the helpers, in KiB: {}", memory.trim());
    Ok(())
}

fn fails_closed() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let open = |url: &str| in_the_unit(host, url);
    ensure!(open("https://openrouter.ai/api/v1/models")? == "200", "it was not open before");
    let table = [
        ("systemctl stop petasos-resolver.service", "unit petasos-resolver.service"),
        ("systemctl stop petasos-proxy.service", "unit petasos-proxy.service"),
        ("nft flush chain inet petasos divert", "nft inet petasos"),
        // The second lock: without any filter the unit gets nowhere either.
        ("nft delete table inet petasos", "nft inet petasos"),
    ];
    for (gone, id) in table {
        host.sh(gone)?;
        let (named, address) = (open("https://openrouter.ai/api/v1/models")?, open("-k https://104.18.2.115/")?);
        ensure!(named == "000" && address == "000", "after `{gone}` it got {named} and {address}");
        desk.petasos(&["plan"])?.ended(2)?.says(&[id])?;
        desk.petasos(&["up"])?.ended(0)?;
        ensure!(open("https://openrouter.ai/api/v1/models")? == "200", "`up` did not bring it back after `{gone}`");
    }
    ensure!(host.chat("still there")? == "STUB OK: still there");
    Ok(())
}

fn started(host: &Host) -> Result<Vec<String>> {
    ["hermes.service", "petasos-proxy.service", "petasos-egress.service", "ssh.service"]
        .iter()
        .map(|unit| host.unit(unit, "InvocationID"))
        .collect()
}

fn longer_list() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let yaml = desk.read("petasos.yaml")?;
    let before = started(host)?;
    desk.edit("petasos.yaml", "[api.example.com,", "[api.example.com, foreign.example.net,")?;
    let plan = desk.petasos(&["plan", "--diff"])?.ended(2)?;
    let changed: Vec<&str> = plan.out.lines().filter_map(|line| line.strip_prefix("  ~ ")?.split(':').next()).collect();
    let wanted = [
        "file /etc/petasos/resolver.conf",
        "unit petasos-resolver.service",
        "file /etc/petasos/proxy.conf",
        "unit petasos-proxy.service",
        "file /etc/hermes/servers.json",
    ];
    ensure!(changed == wanted, "{changed:?}");
    let lines: Vec<&str> =
        plan.out.lines().map(str::trim).filter(|line| line.starts_with('+') && !line.starts_with("+++")).collect();
    ensure!(lines.len() == 3 && lines.iter().all(|line| line.contains("foreign.example.net")), "{lines:?}");
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(started(host)? == before, "something was restarted");
    ensure!(in_the_unit(host, "https://foreign.example.net/")? == "404", "it is not open");
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(in_the_unit(host, "https://foreign.example.net/")? == "000", "it is still open");
    Ok(())
}

fn learns() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let yaml = desk.read("petasos.yaml")?;
    host.sh("journalctl -q --rotate; journalctl -q --vacuum-time=1s >/dev/null 2>&1")?;
    in_the_unit(host, "https://foreign.example.net/")?;
    let said = desk.petasos(&["egress", &host.name])?.ended(0)?;
    said.says(&["no such name", "foreign.example.net", "allow:", "- \"foreign.example.net\""])?;
    desk.edit("petasos.yaml", "egress: {", "egress: { enforce: false,")?;
    desk.petasos(&["up"])?.ended(0)?.says(&["LEARNING"])?;
    ensure!(in_the_unit(host, "https://foreign.example.net/")? == "404", "it is not let out");
    ensure!(in_the_unit(host, "https://openrouter.ai/api/v1/models")? == "200", "what is allowed is not open");
    // An address has no name: nothing to learn, and still refused.
    ensure!(in_the_unit(host, "-k https://203.0.113.82/")? == "000", "an address is let out");
    let said = desk.petasos(&["egress", &host.name, "--since", "1h"])?.ended(0)?;
    said.says(&["allowed while learning", "foreign.example.net:443", "allowed  "])?;
    ensure!(!said.all().contains(SECRET), "a secret is in the report");
    let json = desk.petasos(&["egress", &host.name, "--json"])?.ended(0)?;
    let json: serde_json::Value = serde_json::from_str(&json.out)?;
    let allow = json.pointer(&format!("/{}/allow", host.name)).context("no proposal")?;
    ensure!(*allow == serde_json::json!(["foreign.example.net"]), "{json}");
    // As proposed: it stays open, and is enforced.
    desk.write("petasos.yaml", &yaml.replace("[api.example.com,", "[api.example.com, foreign.example.net,"))?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(in_the_unit(host, "https://foreign.example.net/")? == "404", "the proposal does not do");
    ensure!(in_the_unit(host, "https://sink.lab.test/")? == "000", "others are still let out");
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0).map(drop)
}

const NEIGHBOURS: &str = "
ask() { name=$1; shift; start=$(date +%s%N); code=$(curl -s -m 8 -o /dev/null -w '%{http_code}' \"$@\") || :; echo \"$name $code $((($(date +%s%N) - start) / 1000000))\"; }
python3 -m http.server 5555 --bind 127.0.0.1 >/dev/null 2>&1 & own=$!
python3 -m http.server 5555 --bind ::1 >/dev/null 2>&1 & own6=$!
sleep 1
ask root http://127.0.0.1:5432/
ask root-again http://127.0.0.1:5432/
ask root-six 'http://[::1]:5432/'
ask nobody http://127.0.0.1:5433/
ask handed http://127.0.0.1:5434/
ask own http://127.0.0.1:5555/
ask own-six 'http://[::1]:5555/'
kill $own $own6
";

/// A database, as it were: by root, by another user, and by one to whom systemd handed the socket.
fn loopback() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let yaml = desk.read("petasos.yaml")?;
    host.sh(
        "serve() { unit=$1; shift; systemd-run -q --unit=$unit \"$@\"; }
        serve db-root python3 -m http.server 5432 --bind 127.0.0.1 -d /srv
        serve db-root6 python3 -m http.server 5432 --bind ::1 -d /srv
        serve db-nobody -p User=nobody python3 -m http.server 5433 --bind 127.0.0.1 -d /srv
        serve db-handed-real -p User=nobody python3 -m http.server 5439 --bind 127.0.0.1 -d /srv
        systemd-run -q --unit=db-handed --socket-property=ListenStream=127.0.0.1:5434 -p User=nobody /lib/systemd/systemd-socket-proxyd 127.0.0.1:5439
        for port in 5432 5433 5434; do curl -s --retry 20 --retry-all-errors --retry-delay 1 -o /dev/null http://127.0.0.1:$port/ || exit; done
        curl -s --retry 20 --retry-all-errors --retry-delay 1 -o /dev/null 'http://[::1]:5432/'",
    )?;
    let counted = "nft -j list counter inet petasos refused_here | grep -o '\"packets\": *[0-9]*' | grep -o '[0-9]*'";
    let (before, started_before) = (host.sh(counted)?.trim().parse::<u64>()?, started(host)?);
    let done = (|| {
        let said = agent(host, NEIGHBOURS)?;
        let codes = |said: &str| -> Vec<String> {
            said.lines().map(|row| row.rsplit_once(' ').map_or(row, |(rest, _)| rest).to_owned()).collect()
        };
        let shut = ["root 000", "root-again 000", "root-six 000", "nobody 000", "handed 000", "own 200", "own-six 200"];
        ensure!(codes(&said) == shut, "{said}");
        // Not a hang: the first try ends when it is repeated, a second, and the next at once.
        let took = |name: &str| {
            said.lines().find_map(|row| row.strip_prefix(&format!("{name} "))?.split(' ').nth(1)?.parse::<u32>().ok())
        };
        ensure!(took("root").is_some_and(|ms| ms < 4000) && took("root-again").is_some_and(|ms| ms < 900), "{said}");
        ensure!(host.sh(counted)?.trim().parse::<u64>()? > before, "nothing was counted");
        // What packets left in the filter is no drift.
        desk.petasos(&["plan"])?.ended(0)?;
        desk.edit("petasos.yaml", "[api.example.com,", "[api.example.com, \"localhost:5432\",")?;
        desk.petasos(&["up"])?.ended(0)?;
        let said = agent(host, NEIGHBOURS)?;
        let open = ["root 200", "root-again 200", "root-six 200", "nobody 000", "handed 000", "own 200", "own-six 200"];
        ensure!(codes(&said) == open, "{said}");
        let now = started(host)?;
        ensure!(
            now.iter().zip(&started_before).filter(|(now, before)| now != before).count() == 0,
            "something was restarted"
        );
        Ok(())
    })();
    host.sh("systemctl stop db-root db-root6 db-nobody db-handed.socket db-handed db-handed-real; systemctl reset-failed 2>/dev/null || :")?;
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0)?;
    done
}

fn not_a_wish() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    // What the journal had on record of the audit log goes with it: the writer says it again.
    host.sh("journalctl -q --rotate; journalctl -q --vacuum-time=1s >/dev/null 2>&1; systemctl restart petasos-audit.service")?;
    desk.petasos(&["verify", "--full"])?.ended(0)?;
    host.sh("sleep 3")?;
    let logged = host.sh("journalctl -q -o cat _SYSTEMD_UNIT=petasos-proxy.service _SYSTEMD_UNIT=petasos-resolver.service | grep -c dns.google")?;
    ensure!(logged.trim() != "0", "the attacks left no trace in the logs");
    let said = desk.petasos(&["egress", &host.name])?.ended(0)?;
    ensure!(!said.out.contains("dns.google") && !said.out.contains("foreign.example.net"), "{}", said.out);
    // The same name at another time is the agent's own doing.
    in_the_unit(host, "https://dns.google/")?;
    desk.petasos(&["egress", &host.name])?.ended(0)?.says(&["dns.google"]).map(drop)
}

fn rebinding() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let counted = "nft -j list counter inet petasos refused_proxy | grep -o '\"packets\": *[0-9]*' | grep -o '[0-9]*'";
    // The name's owner answers with an address of this very network: here, the host's own resolver
    // says so.
    host.sh(
        "cp -L /etc/resolv.conf /root/resolv.conf; ip addr add 10.99.0.1/32 dev lo
        systemd-run -q --unit=liar dnsmasq --keep-in-foreground --conf-file=/dev/null --port=53 --listen-address=127.0.0.9 --bind-interfaces --no-resolv --server=198.51.100.2 --address=/api.example.com/10.99.0.1 --address=/api.example.com/fd00::1 --address=/own.example.net/$(hostname -I | cut -d' ' -f1)
        systemd-run -q --unit=prey python3 -c 'import socket, time; s = socket.create_server((\"0.0.0.0\", 443)); time.sleep(300)'
        echo nameserver 127.0.0.9 >/etc/resolv.conf",
    )?;
    let done = (|| {
        desk.petasos(&["up"])?.ended(0).context("another resolver is a drift like others")?;
        // The controls: root is led there, and gets in; other names work on.
        host.sh("getent ahostsv4 api.example.com | grep -q '^10.99.0.1 '; timeout 5 bash -c 'exec 3<>/dev/tcp/10.99.0.1/443'")?;
        ensure!(in_the_unit(host, "https://openrouter.ai/api/v1/models")? == "200", "the other resolver does not do");
        let before: u64 = host.sh(counted)?.trim().parse()?;
        let got = in_the_unit(host, "-k https://api.example.com/")?;
        let after: u64 = host.sh(counted)?.trim().parse()?;
        ensure!(got == "000" && after >= before + 2, "it got {got}; {before} and {after} were refused");
        // The host's own public address: its services are behind no firewall for who comes from
        // inside.
        host.sh("timeout 5 bash -c 'exec 3<>/dev/tcp/own.example.net/443'")?;
        let got = in_the_unit(host, "-k https://own.example.net/")?;
        let own: u64 = host.sh(counted)?.trim().parse()?;
        ensure!(got == "000" && own > after, "it got {got}; {after} and {own} were refused");
        Ok(())
    })();
    host.sh("systemctl stop liar.service prey.service; ip addr del 10.99.0.1/32 dev lo; cat /root/resolv.conf >/etc/resolv.conf; rm /root/resolv.conf")?;
    desk.petasos(&["up"])?.ended(0)?;
    done
}
