//! Tricks of the agent's that no list of names stops, each with the same by somebody who is not
//! refused; and hosts that are not as the lab's.

use super::harness::{Desk, Host, Shared, ignored, trial};
use super::names::{in_the_unit, named};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("tricks::a port of another user's is taken over, and one is spoilt", ports),
        trial("tricks::a socket's path below a wildcard", socket),
        trial("tricks::many connections", many),
        trial("tricks::words that come before an answer", early),
        trial("tricks::a filter or a list that cannot be read is no filter and no list", unreadable),
        ignored(
            trial("tricks::a web site, rules and a resolver of the host's own, and no IPv6", odd),
            "a whole first run with the agent, on a host of its own, takes two minutes",
        ),
    ]
}

/// A resolver at the address of systemd-resolved's, which knows every name; and who asks it, from a
/// port of choice.
const STUB: &str = "systemd-run -q --unit=stub dnsmasq --keep-in-foreground --conf-file=/dev/null --port=53 --listen-address=127.0.0.53 --bind-interfaces --no-resolv --address=/#/203.0.113.82; sleep 1
cat >/run/ask.py <<'END'
import socket, sys
own, name = int(sys.argv[1]), sys.argv[2]
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(3)
peer.bind(('127.0.0.1', own))
labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
try:
    peer.sendto(b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0' + labels + b'\\0\\0\\1\\0\\1', ('127.0.0.53', 53))
    answer = peer.recv(512)
    print('code', answer[3] & 15, 'answers', answer[7])
except OSError as error:
    print('no answer:', error)
END
chmod 644 /run/ask.py";

fn ports() -> Result<()> {
    let Shared { host, .. } = &*named()?;
    host.sh(STUB)?;
    let agent = |port: u16, name: &str| {
        host.sh(&format!("setpriv --reuid hermes --regid hermes --clear-groups python3 /run/ask.py {port} {name}"))
    };
    let root = |port: u16, name: &str| host.sh(&format!("python3 /run/ask.py {port} {name}"));
    let done = (|| {
        // The control: root is answered.
        ensure!(root(40001, "a.example.org")?.trim() == "code 0 answers 1");
        // From the port that root asked from: what the kernel remembers of that is not the agent's.
        let taken = agent(40001, "secret.attacker.example")?;
        ensure!(taken.starts_with("no answer"), "{taken}");
        // The other way round: what the agent tried is not root's to suffer.
        let tried = agent(40002, "b.example.org")?;
        ensure!(tried.starts_with("no answer"), "{tried}");
        let spoilt = root(40002, "b.example.org")?;
        ensure!(spoilt.trim() == "code 0 answers 1", "{spoilt}");
        // The same with a connection: root's service, tried by the agent and then used by root from
        // the same port.
        host.sh("systemd-run -q --unit=service python3 -m http.server 5441 --bind 127.0.0.1 -d /srv; sleep 1")?;
        let dial =
            "timeout 2 curl -s -m 2 -o /dev/null -w '%{http_code}' --local-port 40003 http://127.0.0.1:5441/ || :";
        let tried = host.sh(&format!("setpriv --reuid hermes --regid hermes --clear-groups {dial}"))?;
        ensure!(tried == "000", "{tried}");
        let used = host.sh(dial)?;
        ensure!(used == "200", "root's own connection got {used}");
        Ok(())
    })();
    host.sh("systemctl stop stub.service service.service; rm /run/ask.py")?;
    done
}

/// nginx takes what begins with `unix:` for a path, and a path ends at a NUL.
const HELLO: &str = r#"
import socket, ssl, sys
name = sys.argv[1].encode().decode('unicode_escape')
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context()
context.check_hostname = False
made = context.wrap_bio(incoming, outgoing, server_hostname='x' * len(name))
try:
    made.do_handshake()
except ssl.SSLWantReadError:
    pass
hello = outgoing.read().replace(b'x' * len(name), name.encode('latin-1'))
peer = socket.create_connection(('192.0.2.1', 443), 5)
peer.settimeout(5)
peer.sendall(hello)
print(len(peer.recv(512)))
"#;

fn socket() -> Result<()> {
    let Shared { host, .. } = &*named()?;
    host.with_args("printf '%s' \"$1\" >/run/hello.py; chmod 644 /run/hello.py", &[HELLO])?.ended(0)?;
    host.sh("systemd-run -q --unit=victim python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX); s.bind(\"/run/victim\"); os.chmod(\"/run/victim\", 0o666); s.listen(9)\nwhile True:\n    c, _ = s.accept(); open(\"/run/reached\", \"a\").write(\"x\"); c.sendall(b\"mine\"); c.close()'; sleep 1")?;
    let hello = |name: &str| {
        host.sh(&format!("setpriv --reuid hermes --regid hermes --clear-groups python3 /run/hello.py '{name}'"))
    };
    let reached = || host.sh("stat -c %s /run/reached 2>/dev/null || echo 0");
    let done = (|| {
        // The controls: the proxy's user gets in there, and a name of that length is let out.
        host.sh("setpriv --reuid petasos-proxy --regid petasos-proxy --clear-groups python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"/run/victim\"); assert s.recv(9) == b\"mine\"'; sleep 0.5")?;
        ensure!(reached()?.trim() == "1", "the control did not reach it");
        ensure!(hello("api.example.com")?.trim() != "0", "an allowed name is not answered");
        for name in [
            "unix:/run/victim\\0.wild.example.net",
            "unix:/run/victim:\\0.wild.example.net",
            "unix:/run/victim\\0x.wild.example.net",
        ] {
            ensure!(hello(name)?.trim() == "0", "{name:?} is answered");
        }
        host.sh("sleep 0.5")?;
        ensure!(reached()?.trim() == "1", "it was reached");
        Ok(())
    })();
    host.sh("systemctl stop victim.service; rm -f /run/victim /run/reached /run/hello.py")?;
    done
}

/// The kernel has a place for so many connections of all users together.
fn many() -> Result<()> {
    let Shared { host, .. } = &*named()?;
    let flood = "import socket, threading
server = socket.create_server(('127.0.0.1', 5600), backlog=512)
def serve():
    while True:
        server.accept()[0].close()
threading.Thread(target=serve, daemon=True).start()
made = refused = 0
for number in range(6000):
    peer = socket.socket()
    peer.settimeout(10)
    try:
        peer.connect(('127.0.0.1', 5600))
        made += 1
    except TimeoutError:
        raise SystemExit('a connection took more than 10 s')
    except OSError:
        refused += 1
    peer.close()
print(made, refused)";
    let as_user = |user: &str| -> Result<(u32, u32)> {
        let said = host
            .with_args(
                "setpriv --reuid \"$1\" --regid \"$(id -g \"$1\")\" --clear-groups python3 -c \"$2\"",
                &[user, flood],
            )?
            .ended(0)?;
        let (made, refused) = said.out.trim().split_once(' ').with_context(|| said.all())?;
        Ok((made.parse()?, refused.parse()?))
    };
    let (made, refused) = as_user("hermes")?;
    ensure!(made >= 1000 && refused > 0, "the agent made {made}, and {refused} were refused");
    ensure!(as_user("nobody")? == (6000, 0), "others are counted with the agent");
    host.sh("sleep 2")?;
    ensure!(host.chat("after the flood")? == "STUB OK: after the flood");
    Ok(())
}

/// TCP Fast Open, where a host has it on: with a cookie of its own listener's the agent's first
/// packet brings words along, and a service reads them before anybody could refuse.
fn early() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let before = host.sh("sysctl -n net.ipv4.tcp_fastopen; sysctl -qw net.ipv4.tcp_fastopen=3")?;
    let heard = "import socket
server = socket.socket()
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
server.bind(('127.0.0.1', 5451)); server.listen(5)
while True:
    peer, _ = server.accept(); peer.settimeout(1)
    try:
        open('/run/heard', 'ab').write(peer.recv(99))
    except OSError:
        pass
    peer.close()";
    let say = "import socket, sys
own = socket.socket()
own.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
own.bind(('127.0.0.1', 5452)); own.listen(5)
for port in (5452, 5452, 5451):
    peer = socket.socket(); peer.settimeout(2)
    try:
        peer.sendto(sys.argv[1].encode(), socket.MSG_FASTOPEN, ('127.0.0.1', port))
    except OSError as error:
        print(port, error)
    peer.close()";
    let say = |word: &str| -> Result<String> {
        let script = "setpriv --reuid hermes --regid hermes --clear-groups python3 -c \"$1\" \"$2\"; sleep 2; cat /run/heard 2>/dev/null || :";
        Ok(host.with_args(script, &[say, word])?.ended(0)?.out)
    };
    let done = (|| {
        host.with_args("systemd-run -q --unit=heard python3 -c \"$1\"; sleep 1", &[heard])?.ended(0)?;
        let said = say("refused")?;
        ensure!(!host.sh("cat /run/heard 2>/dev/null || :")?.contains("refused"), "{said}");
        // The control: without the one rule the words arrive, though no answer ever does.
        host.sh("nft delete rule inet petasos here handle $(nft -a list chain inet petasos here | sed -n 's/.*fastopen.* handle //p')")?;
        let said = say("injected")?;
        ensure!(said.contains("injected"), "the control was not heard: {said}");
        Ok(())
    })();
    host.sh(&format!(
        "systemctl stop heard.service; rm -f /run/heard; sysctl -qw net.ipv4.tcp_fastopen={}",
        before.trim()
    ))?;
    desk.petasos(&["up"])?.ended(0)?;
    done
}

/// Without its filter's file the agent does not start, and a list that nginx does not take is not
/// taken for loaded.
fn unreadable() -> Result<()> {
    let Shared { host, desk } = &*named()?;
    let reloads = || host.holds("systemctl reload petasos-proxy.service");
    ensure!(reloads()?, "the control: a sound list is not loaded");
    host.sh("echo nonsense >>/etc/petasos/proxy.conf")?;
    ensure!(!reloads()?, "a broken list was loaded without a word");
    host.sh("systemctl stop hermes.service petasos-egress.service; mv /etc/petasos/egress.nft /root/")?;
    ensure!(!host.holds("systemctl start hermes.service")?, "the agent starts without its filter");
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(host.chat("back again")? == "STUB OK: back again");
    host.sh("rm -f /root/egress.nft").map(drop)
}

/// A host with a life of its own: it serves a web site, has rules of its own that begin by throwing
/// away all others, resolv.conf is a link into /run as on Ubuntu, and IPv6 is off.
fn odd() -> Result<()> {
    let host = Host::fresh("odd", "trixie")?;
    host.sh(
        "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq install -y nginx-light nftables </dev/null >/dev/null
        echo my site >/var/www/html/index.html; sed -i '/listen \\[::\\]/d' /etc/nginx/sites-enabled/default; systemctl restart nginx.service
        printf 'net.ipv6.conf.all.disable_ipv6=1\nnet.ipv6.conf.default.disable_ipv6=1\nnet.ipv6.conf.lo.disable_ipv6=1\n' >/etc/sysctl.d/90-no-ipv6.conf; sysctl -q -p /etc/sysctl.d/90-no-ipv6.conf
        mkdir -p /run/systemd/resolve; cp -L /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf; ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
        printf '#!/usr/sbin/nft -f\nflush ruleset\ntable inet mine {\nchain input {\ntype filter hook input priority 10; policy accept;\n}\n}\n' >/etc/nftables.conf
        systemctl -q enable --now nftables.service",
    )?;
    let desk = Desk::of(&[&host])?;
    desk.petasos(&["up"])?.ended(0)?;
    let site = || host.sh("curl -s http://127.0.0.1/");
    ensure!(site()?.trim() == "my site", "the site is gone");
    ensure!(host.chat("hello")? == "STUB OK: hello", "the agent does not answer");
    ensure!(in_the_unit(&host, "https://openrouter.ai/api/v1/models")? == "200", "the way out is shut");
    desk.petasos(&["up"])?.ended(0)?.says(&["0 changes"])?;
    for what in ["restart", "reload"] {
        host.sh(&format!("systemctl {what} nftables.service; sleep 1; nft list table inet mine >/dev/null; nft list table inet petasos >/dev/null"))?;
        ensure!(
            host.unit("hermes.service", "ActiveState")? == "active",
            "the agent stopped with a {what} of the host's rules"
        );
    }
    // The host's rules have thrown away UFW's, too, whose are not loaded again by themselves.
    let plan = desk.petasos(&["plan"])?.ended(2)?;
    let changed: Vec<&str> = plan.out.lines().filter(|line| line.starts_with("  ~")).collect();
    ensure!(changed == ["  ~ ufw firewall: active: no -> yes"], "{changed:?}");
    desk.petasos(&["up"])?.ended(0)?;
    desk.petasos(&["verify", "--full"])?.ended(0).map(drop)
}
