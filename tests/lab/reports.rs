//! Hosts and machines in the states that public bug reports describe. Each row makes the state,
//! then runs Petasos; a login, systemd or UFW is the judge.

use super::harness::{
    Desk, Host, Row, SAME_KIND, Shared, WHOLE, converged, converges, holds, ignored, rows, slow_row, ssh_config, trial,
};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::time::{Duration, Instant};

type OnShared = fn(&Shared) -> Result<()>;

pub fn trials() -> Vec<Trial> {
    let kinds: [Row; 4] = [
        ("ageing", "an administrator never ages out", ageing),
        ("unstarted", "what a setting starts is masked, or does not start with the host", unstarted),
        ("foreign", "somebody else's service runs as the agent's user", foreign_service),
        ("startfiles", "start files that print, print without end, or exit", start_files),
    ];
    let more: [Row; 5] = [
        ("old", "releases that are too old", old),
        ("readonly", "kernel parameters that cannot be written", read_only),
        ("groups", "groups that sshd asks for stay", groups),
        ("quiet", "ssh is configured to say nothing", quiet),
        ("twonames", "one host has two names", two_names),
    ];
    let on_converged: [(&str, &str, OnShared); 3] = [
        ("squatter", "somebody else answers at the agent's port", squatter),
        ("undone", "a first run is undone", undone),
        ("lingering", "an older gateway of the agent runs beside it", lingering),
    ];
    let shared = on_converged.into_iter().flat_map(|(host, name, row)| {
        let by_request = |trial| if host == "lingering" { ignored(trial, SAME_KIND) } else { trial };
        let on = move |suite: &'static str| {
            move || {
                row(&converged(
                    if suite == "trixie" { host.to_owned() } else { format!("{host}-{suite}") }.as_str(),
                    suite,
                )?)
            }
        };
        [
            by_request(trial(&format!("reports::{name}"), on("trixie"))),
            ignored(trial(&format!("reports::{name}, whole, bookworm"), on("bookworm")), WHOLE),
        ]
    });
    let later = slow_row("reports", ("later", "a later file takes a setting back", later));
    rows("reports", &kinds, &more).into_iter().chain(later).chain(shared).collect()
}

fn old(host: &Host, desk: &Desk) -> Result<()> {
    for (id, version, name) in [("debian", "11", "Debian 11"), ("ubuntu", "20.04", "Ubuntu 20.04")] {
        let edit = "rm -f /etc/os-release; printf 'ID=%s\\nVERSION_ID=\"%s\"\\n' \"$1\" \"$2\" >/etc/os-release";
        host.with_args(edit, &[id, version])?.ended(0)?;
        for verb in ["plan", "up"] {
            desk.petasos(&[verb])?
                .ended(1)?
                .says(&[&format!("this is {name}, which is too old"), "hint: reinstall"])?;
        }
    }
    Ok(())
}

/// As container providers have them.
fn read_only(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("mount --bind /proc/sys/net /proc/sys/net; mount -o remount,bind,ro /proc/sys/net; ! [ -w /proc/sys/net/ipv4/tcp_syncookies ]")?;
    desk.petasos(&["up"])?.ended(1)?.says(&["`/proc/sys/net` cannot be written", "hint: "])?;
    ensure!(host.holds("! id ops && ! ls /etc/sysctl.d/zz-petasos-net.conf")?, "something was changed");
    host.sh("mount -o remount,bind,rw /proc/sys/net")?;
    converges(desk)
}

fn ageing(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 60/' /etc/login.defs; useradd -D -f 30")?;
    converges(desk)?;
    // Months pass.
    host.sh("chage -d 2025-01-01 ops")?;
    host.login("ops", &[], "sudo -n true")?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    // Somebody sets limits: they go before they close anything.
    for limit in ["-M 400 -d \"$(date +%F)\"", "-E 2030-01-01", "-M 400 -I 1 -d \"$(date +%F)\""] {
        host.sh(&format!("chage {limit} ops"))?;
        desk.petasos(&["up"])?.ended(0)?.says(&[": 1 change,", "ageing"])?;
        ensure!(host.sh("getent shadow ops | cut -d: -f5,7,8")?.trim() == "::", "{}", host.sh("getent shadow ops")?);
    }
    holds(desk)?;
    // A password that must be changed closes at once, and root's login is closed: the console's.
    host.sh("chage -d 0 ops")?;
    ensure!(host.login("ops", &[], "true")?.code != 0, "the judge lets everybody in");
    host.sh("chage -d -1 ops")?;
    host.login("ops", &[], "true")?.ended(0).map(drop)
}

fn undone(Shared { host, desk }: &Shared) -> Result<()> {
    let said = desk.petasos(&["undo", &host.name])?.ended(0)?;
    ensure!(!host.sh("sshd -T -C user=root,host=x,addr=192.0.2.1")?.contains("permitrootlogin no"), "it is not undone");
    said.says(&["root login  open", "would make"])?;
    ensure!(!said.all().contains("root login closed"), "{}", said.all());
    let left = host.sh("systemctl list-units --failed --plain --no-legend")?;
    ensure!(left.trim().is_empty(), "{left}");
    Ok(())
}

/// apt and systemd are the judges: what does not run does not update, and does not filter.
fn unstarted(host: &Host, desk: &Desk) -> Result<()> {
    desk.petasos(&["up"])?.ended(0)?;
    host.sh("echo 'APT::Periodic::Enable \"0\";' >/etc/apt/apt.conf.d/zzz-off
         systemctl mask apt-daily.service apt-daily-upgrade.service; systemctl disable ufw.service")?;
    let off =
        "apt-config dump APT::Periodic::Enable | grep -q 0; systemctl is-enabled apt-daily.service ufw.service || :";
    ensure!(host.sh(off)?.contains("masked"), "nothing is off: it proves nothing");
    desk.petasos(&["plan"])?.ended(2)?.says(&["APT::Periodic::Enable", "apt-daily-upgrade.service", "ufw.service"])?;
    converges(desk)?;
    host.sh("apt-config dump APT::Periodic::Enable | grep -q '\"1\"'; systemctl is-enabled ufw.service")?;
    ensure!(!host.sh("systemctl is-enabled apt-daily.service apt-daily-upgrade.service || :")?.contains("masked"));
    Ok(())
}

fn later(host: &Host, desk: &Desk) -> Result<()> {
    let redirects = "cat /proc/sys/net/ipv4/conf/all/accept_redirects";
    host.sh("echo 'APT::Periodic::Unattended-Upgrade \"0\";' >/etc/apt/apt.conf")?;
    let again = "systemctl reset-failed; systemctl restart systemd-sysctl.service systemd-journald.service";
    host.sh(
        "echo 'net.ipv4.conf.all.accept_redirects = 1' >/etc/sysctl.d/99-mine.conf
         mkdir -p /etc/systemd/journald.conf.d; printf '[Journal]\\r\\nStorage=volatile\\r\\n' >/etc/systemd/journald.conf.d/99-mine.conf",
    )?;
    converges(desk)?;
    let sound = || -> Result<()> {
        host.sh(again)?;
        desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
        ensure!(host.sh(redirects)?.trim() == "0", "redirects are believed");
        let upgrades = host.sh("apt-config dump APT::Periodic::Unattended-Upgrade")?;
        ensure!(upgrades.trim() == "APT::Periodic::Unattended-Upgrade \"1\";", "{upgrades}");
        let mark = "mark=$(date +%s%N); systemd-cat -t mark echo \"$mark\"; journalctl --sync; sleep 1
            journalctl -q -D /var/log/journal -t mark | grep -q \"$mark\"";
        ensure!(host.holds(mark)?, "the journal is volatile");
        Ok(())
    };
    sound()?;
    // Later still, and under other names.
    for (file, text) in [
        ("/etc/sysctl.d/zzz.conf", "-net/ipv4/conf/all/accept_redirects=1"),
        ("/run/sysctl.d/zzzz.conf", "net.ipv4.conf.all.accept_redirects=1"),
        ("/usr/lib/sysctl.d/zzzzz.conf", "net.ipv4.conf.all.accept_redirects = 1"),
        ("/etc/ufw/sysctl.conf", "net/ipv4/conf/all/accept_redirects=1"),
        ("/etc/apt/apt.conf.d/zzz", "APT {\n Periodic {\n  unattended-upgrade \"0\";\n };\n};"),
        ("/etc/apt/apt.conf", "#clear APT::Periodic::Unattended-Upgrade;"),
        ("/etc/systemd/journald.conf.d/zzz.conf", "[Journal]\nStorage = volatile"),
        ("/run/systemd/journald.conf.d/zzzz.conf", "[Journal]\nStorage=none"),
    ] {
        let made = host.with_args("mkdir -p \"${1%/*}\"; printf '%s\n' \"$2\" >\"$1\"", &[file, text])?;
        made.ended(0)?;
        host.sh(again)?;
        desk.petasos(&["up"])?.ended(0)?.says(&["rival line"])?;
        sound().with_context(|| file.to_owned())?;
    }
    host.sh("echo 'APT::Periodic { Verbose \"1\"; Unattended-Upgrade \"0\"; };' >/etc/apt/apt.conf")?;
    desk.petasos(&["up"])?.ended(3)?.says(&["/etc/apt/apt.conf:1 sets", "on a line of its own"])?;
    host.sh("rm /etc/apt/apt.conf")?;
    holds(desk)
}

fn groups(host: &Host, desk: &Desk) -> Result<()> {
    converges(desk)?;
    host.sh(
        "groupadd sshadmins; usermod -aG sshadmins ops; echo 'AllowGroups sshadmins' >/etc/ssh/sshd_config.d/50-mine.conf
         systemctl restart ssh.service",
    )?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    // The one that it must be in comes back, and no other goes.
    host.sh("gpasswd -d ops sudo >/dev/null")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 1 change,"])?;
    let groups = host.sh("id -Gn ops")?;
    ensure!(groups.contains("sudo") && groups.contains("sshadmins"), "{groups}");
    holds(desk)
}

fn foreign_service(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("useradd --system --create-home --home-dir /srv/hermes --shell /bin/bash hermes
         systemd-run -q --unit=other --uid=hermes sleep infinity")?;
    for verb in ["plan", "up"] {
        let said = desk.petasos(&[verb])?;
        said.says(&["other.service"])?;
        if verb == "up" {
            said.ended(1)?.says(&["`hermes`", "systemctl disable --now other.service", "hint: "])?;
        }
    }
    ensure!(host.holds("! id ops && ufw status | grep -q inactive")?, "something was changed");
    host.sh("systemctl stop other.service")?;
    converges(desk)
}

fn start_files(host: &Host, desk: &Desk) -> Result<()> {
    let bashrc = |line: &str| host.sh(&format!("printf '%s\\n' '{line}' >/root/.bashrc"));
    for harmless in ["printf \"\\033]0;$USER@host 0 576\\007\"", "echo hello; echo no newline | tr -d \"\\n\""] {
        bashrc(harmless)?;
        desk.petasos(&["plan"])?.ended(2)?;
    }
    for bad in ["head -c 1300000 /dev/zero | tr \"\\0\" x", "yes", "exit", "exit 3", "echo bye; exit"] {
        bashrc(bad)?;
        let began = Instant::now();
        let said = desk.petasos(&["plan"])?.ended(1)?;
        said.says(&["~/.bashrc", "hint: "])?;
        ensure!(said.err.matches("error: ").count() == 1 && said.err.len() < 2000, "{}", said.err);
        ensure!(began.elapsed() < Duration::from_secs(60), "{bad} held it for {:?}", began.elapsed());
    }
    Ok(())
}

fn quiet(host: &Host, desk: &Desk) -> Result<()> {
    let config = ssh_config(&[host])?;
    desk.write("ssh_config", &format!("Host *\n  LogLevel QUIET\n{config}"))?;
    desk.petasos(&["plan"])?.ended(2)?;
    desk.edit("petasos.yaml", "root@", "nobody-here@")?;
    desk.edit("petasos.lock", "user: root", "user: nobody-here")?;
    desk.petasos(&["plan"])?.ended(1)?.says(&["refused the login", "Permission denied"])
}

fn two_names(host: &Host, desk: &Desk) -> Result<()> {
    let address = format!("root@{}", host.address);
    desk.edit("petasos.yaml", "web: {", &format!("shop: {{ address: \"{address}\" }}, web: {{"))?;
    desk.petasos(&["plan"])?.ended(1)?.says(&["`shop` and `web` are the same host", &host.address.to_string()])?;
    desk.petasos(&["plan", "web"])?.ended(2)?;
    desk.petasos(&["plan", "web", "web"])?.ended(2).map(drop)
}

/// Answers 200 to all.
const SERVER: &str = r#"
import http.server
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", 8642), Ok).serve_forever()
"#;

fn squatter(Shared { host, desk }: &Shared) -> Result<()> {
    host.sh(&format!(
        "systemctl stop hermes.service; cat >/root/server.py <<'EOF'\n{SERVER}\nEOF
         systemd-run -q --unit=squatter -p DynamicUser=yes -p LoadCredential=server.py:/root/server.py python3 /run/credentials/squatter.service/server.py
         for n in $(seq 100); do ss -Hltn 'sport = :8642' | grep -q . && exit; sleep 0.1; done; exit 1"
    ))?;
    for _ in 0..2 {
        let said = desk.petasos(&["up"])?;
        ensure!(said.code != 0, "it says that all is well:\n{}", said.all());
        said.says(&["port 8642 is taken by `python3`", "squatter.service"])?;
    }
    desk.petasos(&["verify"])?.ended(2)?.says(&["net.inbound      NOT MET", "python3 at 127.0.0.1 8642/tcp"])?;
    host.sh("systemctl stop squatter.service")?;
    desk.petasos(&["up"])?.ended(0)?;
    host.answers()
}

fn lingering(Shared { host, desk }: &Shared) -> Result<()> {
    host.sh(
        "mkdir -p /etc/systemd/user/default.target.wants /var/lib/systemd/linger
         printf '[Unit]\\nConditionUser=hermes\\n[Service]\\nExecStart=sleep infinity\\n' >/etc/systemd/user/hermes-gateway.service
         ln -s ../hermes-gateway.service /etc/systemd/user/default.target.wants/
         touch /var/lib/systemd/linger/hermes
         systemctl start user@$(id -u hermes).service",
    )?;
    let refused = desk.petasos(&["up"])?.ended(1)?;
    refused.says(&["hermes-gateway.service", "loginctl disable-linger hermes", "hint: "])?;
    let said = desk.petasos(&["verify"])?.ended(2)?;
    said.says(&["user.nonroot     NOT MET", "other processes"])?;
    // What the hint says, word by word, by a login, which the console is not.
    let hint = refused.all().split("hint: `").nth(1).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    host.login("ops", &[], &format!("sudo sh -c '{}'", hint.context("no command")?))?.ended(0)?;
    // logind keeps a user's own manager for ten seconds.
    for _ in 0..80 {
        if host.holds("! systemctl -q is-active user@$(id -u hermes).service")? {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])
}
