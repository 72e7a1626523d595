//! What people have and do that must not matter: odd files and environments of the client's, habits
//! of its ssh, things that a host has already. ssh, systemd and apt are the judges.

use super::harness::{Desk, Host, Row, Said, converges, holds, rows, slow_row};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    let client: Row = ("client", "odd files and environments of the client's", client);
    let more: [Row; 3] = [
        ("habits", "habits of the client's ssh", habits),
        ("sources", "package sources that do not answer, pins, holds", sources),
        ("daemons", "servers of one's own, and Ctrl-C five times", daemons),
    ];
    slow_row("works", client).into_iter().chain(rows("works", &[], &more)).collect()
}

/// `petasos plan` by a shell, in the desk's folder.
fn by_shell(desk: &Desk, line: &str) -> Result<Said> {
    let petasos = desk.command(&["plan"]);
    let mut command = Command::new("bash");
    command.args(["-c", line, petasos.get_program().to_str().context("a path")?]).args(petasos.get_args());
    for (name, value) in petasos.get_envs() {
        command.env(name, value.context("a value")?);
    }
    command.current_dir(desk.path(""));
    Said::of(command, "")
}

fn client(_: &Host, desk: &Desk) -> Result<()> {
    let sound = desk.read("petasos.yaml")?;
    let lock = desk.read("petasos.lock")?;
    let here = desk.path("");
    std::fs::create_dir_all(here.join("with a space"))?;
    let long = here.join("long".repeat(20));
    std::fs::create_dir_all(&long)?;
    let env = |assignment: &str| by_shell(desk, &format!("{assignment} exec \"$0\" \"$@\""));
    for (about, said) in [
        ("a blank in TMPDIR", env(&format!("TMPDIR='{}'", here.join("with a space").display()))?),
        ("a long TMPDIR", env(&format!("TMPDIR='{}'", long.display()))?),
        ("no HOME", env("unset HOME;")?),
        ("no terminal to speak of", env("TERM=dumb")?),
        ("another language", env("LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8")?),
        ("no standard input", by_shell(desk, "exec \"$0\" \"$@\" <&-")?),
        ("a strict umask", by_shell(desk, "umask 777; exec \"$0\" \"$@\"")?),
        ("few open files", by_shell(desk, "ulimit -n 64; exec \"$0\" \"$@\"")?),
    ] {
        said.ended(2).context(about)?;
    }
    for (about, line, code) in [
        ("nobody reads on", "set -o pipefail; \"$0\" \"$@\" | head -1", None),
        ("a full disk behind the output", "\"$0\" \"$@\" >/dev/full", Some(1)),
        ("no output at all", "\"$0\" \"$@\" >&-", None),
    ] {
        let said = by_shell(desk, line)?;
        ensure!(said.code != 101 && !said.err.contains("panicked"), "{about}: {}", said.all());
        ensure!(code.is_none_or(|code| code == said.code), "{about}: it ended with {}:\n{}", said.code, said.all());
    }
    let many: String =
        (0..6000).map(|n| format!("# {n}: a comment that somebody wrote about this host and that\n")).collect();
    for (about, text) in [
        ("a byte order mark", format!("\u{feff}{sound}")),
        ("line ends of Windows", sound.replace('\n', "\r\n")),
        ("a large file", format!("{many}{sound}")),
        ("an anchor", sound.replacen("hosts: {", "x-key: &key 1\nhosts: {", 1).replace("x-key: &key 1\n", "")),
        ("a name that YAML 1.1 takes for a word", sound.replacen("web: {", "no: {", 1)),
        ("a name with a dot and digits", sound.replacen("web: {", "web-1.example: {", 1)),
    ] {
        desk.write("petasos.yaml", &text)?;
        desk.petasos(&["plan"])?.ended(2).context(about)?;
        desk.write("petasos.lock", &lock)?;
    }
    desk.write("petasos.yaml", &sound)?;
    converges(desk)
}

/// What an ssh_config may say; none of it is for the programs that Petasos runs.
const HABITS: [&str; 16] = [
    "RequestTTY force",
    "RemoteCommand tmux new -A -s main",
    "LocalCommand sleep 1000\n  PermitLocalCommand yes",
    "ControlMaster auto\n  ControlPath ~/.ssh/cm-%C\n  ControlPersist 10m",
    "VisualHostKey yes",
    "LogLevel DEBUG3",
    "ForwardAgent yes\n  ForwardX11 yes",
    "LocalForward 127.0.0.1:1 127.0.0.1:1\n  ExitOnForwardFailure yes",
    "SendEnv LANG LC_*\n  SetEnv A=1",
    "Compression yes",
    "StdinNull yes\n  NoHostAuthenticationForLocalhost yes",
    "SessionType none",
    "CanonicalizeHostname yes\n  HashKnownHosts yes\n  CheckHostIP yes\n  VerifyHostKeyDNS yes",
    "GSSAPIAuthentication yes\n  KbdInteractiveAuthentication no\n  PasswordAuthentication no\n  NumberOfPasswordPrompts 0",
    "EscapeChar ~\n  User nobody\n  AddKeysToAgent yes\n  TCPKeepAlive no\n  RekeyLimit 1M",
    "BatchMode no\n  PreferredAuthentications password,keyboard-interactive,publickey\n  ConnectTimeout 0",
];

fn habits(_: &Host, desk: &Desk) -> Result<()> {
    let config = desk.read("ssh_config")?;
    for habit in HABITS {
        desk.write("ssh_config", &format!("Host *\n  {habit}\n{config}"))?;
        let said = desk.petasos(&["plan"])?.ended(2).with_context(|| habit.to_owned())?;
        ensure!(said.took < Duration::from_secs(60), "{habit} held it for {:?}", said.took);
    }
    desk.write("ssh_config", &format!("Host *\n  {}\n{config}", HABITS[..3].join("\n  ")))?;
    converges(desk)
}

fn sources(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("mkdir -p /etc/apt/sources.list.d
         echo 'deb [trusted=yes] https://203.0.113.99/nowhere stable main' >/etc/apt/sources.list.d/gone.list
         echo 'deb [trusted=yes] file:/nowhere ./' >/etc/apt/sources.list.d/folder.list
         printf 'Package: *\\nPin: release o=nobody\\nPin-Priority: 1001\\n' >/etc/apt/preferences.d/mine
         apt-mark hold openssh-server >/dev/null")?;
    converges(desk)?;
    ensure!(host.sh("apt-mark showhold")?.contains("openssh-server"), "the hold is gone");
    host.holds("test -e /etc/apt/sources.list.d/gone.list")?.then_some(()).context("somebody's source is gone")
}

fn daemons(host: &Host, desk: &Desk) -> Result<()> {
    desk.edit("petasos.yaml", "hosts: {", "network: { inbound: [80/tcp] }\nhosts: {")?;
    host.sh(
        "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update
         apt-get -qq -y --no-install-recommends install nginx bind9 >/dev/null
         systemctl -q is-active nginx.service named.service
         printf 'options {\\n directory \"/var/cache/bind\";\\n listen-on { 127.0.0.1; };\\n listen-on-v6 { none; };\\n};\\n' >/etc/bind/named.conf.options
         systemctl restart named.service
         # The agent's port, at an address that is not the agent's.
         systemd-run -q --unit=elsewhere python3 -m http.server --bind 127.0.0.2 8642
         printf '#!/usr/sbin/nft -f\\nflush ruleset\\ntable inet mine { chain x { type filter hook output priority 5; }; }\\n' >/etc/nftables.conf
         systemctl -q enable --now nftables.service",
    )?;
    for tenths in [2, 5, 9, 14, 22] {
        let mut run = desk.command(&["up"]);
        let mut run = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(tenths * 100));
        // Ctrl-C.
        Command::new("kill").args(["-INT", &run.id().to_string()]).status()?;
        run.wait()?;
    }
    converges(desk)?;
    host.sh("systemctl -q is-active nginx.service && nft list table inet mine")?;
    host.reboot("ops")?;
    host.started().context("what starts with the host")?;
    if !desk.path("playbooks").exists() {
        host.answers()?;
    }
    holds(desk)?;
    host.sh("systemctl -q is-active nginx.service named.service && nft list table inet mine").map(drop)
}
