//! The lab itself: two hosts at once, their internet, a reboot, and nothing left of them.

use super::harness::world::{reap, world};
use super::harness::{left, slow};
use libtest_mimic::Trial;
use petasos::lab::{Form, Lab, LabHost};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const NAMES: [(&str, &str); 2] = [("t-smoke13", "trixie"), ("t-smoke12", "bookworm")];
/// The host in another form: IPv6 only, and systemd listens for SSH.
const OTHER: &str = "t-smoke6";

pub fn trials() -> Vec<Trial> {
    vec![slow("smoke::two hosts, their internet, a reboot, and nothing is left of them", || {
        NAMES.iter().map(|(name, _)| *name).chain([OTHER]).try_for_each(reap)?;
        world().runtime.block_on(hosts());
        Ok(())
    })]
}

fn ssh(host: &LabHost, command: &str) -> Output {
    Command::new("ssh")
        .arg("-F")
        .arg(&host.ssh_config)
        .arg(format!("root@{}", host.address))
        .arg(command)
        .output()
        .unwrap()
}

/// Runs a command that must succeed, and returns what it printed.
pub fn ok(host: &LabHost, command: &str) -> String {
    let output = ssh(host, command);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: `{command}`: {out}{err}", host.name);
    out.trim().to_owned()
}

async fn hosts() {
    let lab = &world().lab;
    for (name, _) in NAMES {
        lab.down(name).await.unwrap();
    }
    lab.down(OTHER).await.unwrap();
    let (mut say13, mut say12) = (|line: &str| eprintln!("{line}"), |line: &str| eprintln!("{line}"));
    let [(name13, suite13), (name12, suite12)] = NAMES;
    let [form13, form12] = [suite13, suite12].map(Form::of_suite);
    let (host13, host12) = tokio::join!(lab.up(name13, &form13, &mut say13), lab.up(name12, &form12, &mut say12));
    let hosts = [host13.unwrap(), host12.unwrap()];
    assert_ne!(hosts[0].address, hosts[1].address);
    for (host, (_, suite)) in hosts.iter().zip(NAMES) {
        assert!(ok(host, "cat /etc/os-release").contains(suite));
        as_a_provider_hands_it_over(host);
        reaches_its_internet_and_nothing_else(lab, host);
    }
    this_machine_reaches_the_labs_github(lab);
    registries_are_passed_through(&hosts[0]);
    hosts.iter().for_each(|host| reboots(lab, host));

    let again = lab.up(name13, &Form::default(), &mut say13).await.unwrap();
    assert_eq!(again, hosts[0]);
    let six = Form { ipv6: true, ..Form::default() };
    for other in [&Form::of_suite("bookworm"), &six, &Form { ssh_socket: true, ..Form::default() }] {
        let error = lab.up(name13, other, &mut say13).await.unwrap_err();
        assert!(format!("{error:#}").contains("hint: `petasos lab down"), "{error:#}");
    }
    let other = lab.up(OTHER, &Form { ssh_socket: true, ..six }, &mut say13).await.unwrap();
    has_ipv6_only(&other, &hosts[0]);
    systemd_listens_for_ssh(&other);

    for name in [name13, name12, OTHER] {
        lab.down(name).await.unwrap();
    }
    // Other hosts run on; that the internet goes with the last one is seen at the end of all tests.
    left::of(&[name13, name12, OTHER]).unwrap();
}

fn as_a_provider_hands_it_over(host: &LabHost) {
    assert_eq!(ok(host, "cat /proc/1/comm"), "systemd");
    assert_eq!(ok(host, "hostname"), host.name);
    assert_eq!(ok(host, "systemctl is-system-running --wait"), "running");
    assert!(ok(host, "sshd -T").contains("passwordauthentication yes"));
    for absent in ["ufw", "nft"] {
        assert!(!ssh(host, &format!("command -v {absent}")).status.success(), "{absent} is there");
    }
    // Settings of the shared kernel can be written and read back, and the machine keeps its own.
    let setting = "/proc/sys/kernel/kptr_restrict";
    let before = std::fs::read_to_string(setting).unwrap();
    assert_eq!(ok(host, "sysctl -qw kernel.kptr_restrict=2 && sysctl -n kernel.kptr_restrict"), "2");
    assert_eq!(std::fs::read_to_string(setting).unwrap(), before);
}

fn reaches_its_internet_and_nothing_else(lab: &Lab, host: &LabHost) {
    assert!(ok(host, "getent ahostsv4 github.com").starts_with("140.82.121.3"));
    assert!(ok(host, "getent ahostsv6 github.com").starts_with("2001:db8:4::8c52:7903"));
    assert!(!ssh(host, "getent hosts foreign.name.invalid").status.success());
    // TLS is verified: with the lab's authority and without it.
    ok(
        host,
        "curl --silent --show-error https://github.com/NousResearch/hermes-agent/info/refs?service=git-upload-pack",
    );
    let bare = ssh(host, "SSL_CERT_FILE=/dev/null curl --silent --cacert /dev/null https://github.com/");
    assert!(!bare.status.success());
    let marker = format!("smoke-{}", std::process::id());
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{marker}"}}]}}"#);
    let chat = format!(
        "curl --silent --show-error -H 'Authorization: Bearer s3cret' --json '{body}' https://openrouter.ai/api/v1/chat/completions"
    );
    // curl of Debian 12 is older than `--json` in nothing but the name of its header.
    let answer = ok(host, &chat);
    assert!(answer.contains(&format!("STUB OK: {marker}")), "{answer}");
    let log = std::fs::read_to_string(lab.internet_log()).unwrap();
    let line = log.lines().rfind(|line| line.contains(&marker)).expect("the request is in the log");
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    // Of two addresses the one of version 6 is dialled first (RFC 6724).
    assert_eq!(entry["from"], host.ipv6.to_string());
    assert!(!line.contains("s3cret"));
    assert!(tool_call(host).contains(r#"\"command\": \"echo hi\""#));
    for sink in ["203.0.113.25", "2001:db8:4::cb00:7119"] {
        let dial = format!("import socket; print(socket.create_connection(('{sink}', 25), 3).recv(99))");
        let greeting = ok(host, &format!("timeout 5 python3 -c \"{dial}\""));
        assert!(greeting.contains("220 sink.lab.test"), "{greeting}");
    }
    // An address that nobody has is refused by the lab's router (7), not met with silence (28).
    for nobody in ["198.18.0.1", "[2001:db8:ffff::1]"] {
        let dialled = ssh(host, &format!("curl --silent --show-error --max-time 10 http://{nobody}/"));
        assert_eq!(dialled.status.code(), Some(7), "{nobody}: {}", String::from_utf8_lossy(&dialled.stderr));
    }
}

fn has_ipv6_only(host: &LabHost, both: &LabHost) {
    assert!(host.address.is_ipv6() && host.address == host.ipv6);
    let addresses = ok(host, "ip -o addr show scope global");
    assert!(addresses.contains(" inet6 ") && !addresses.contains(" inet "), "{addresses}");
    // The control: the other one has both, and the same address can be dialled there.
    let addresses = ok(both, "ip -o addr show scope global");
    assert!(addresses.contains(" inet6 ") && addresses.contains(" inet "), "{addresses}");
    let dial = "timeout 3 bash -c 'exec 3<>/dev/tcp/140.82.121.3/443'";
    assert!(ssh(both, dial).status.success() && !ssh(host, dial).status.success());
    ok(host, "curl --silent --show-error --fail https://openrouter.ai/api/v1/models");
}

fn systemd_listens_for_ssh(host: &LabHost) {
    assert_eq!(ok(host, "systemctl is-active ssh.socket ssh.service"), "active\nactive");
    // sshd runs because somebody came in, and not because the host started.
    let enabled = ssh(host, "systemctl is-enabled ssh.socket ssh.service");
    assert_eq!(String::from_utf8_lossy(&enabled.stdout), "enabled\ndisabled\n");
    assert_eq!(ok(host, "systemctl show --value -p TriggeredBy ssh.service"), "ssh.socket");
    let port = ok(
        host,
        "python3 -c \"print(*[line.split()[9] for line in open('/proc/net/tcp6') if ':0016 0' in line][:1])\"",
    );
    assert!(ok(host, "readlink /proc/1/fd/*").contains(&format!("socket:[{port}]")), "systemd does not hold port 22");
}

fn tool_call(host: &LabHost) -> String {
    let body = r#"{"stream":true,"tools":[{"type":"function","function":{"name":"terminal"}}],"messages":[{"role":"user","content":"RUN: echo hi"}]}"#;
    let answer = ok(
        host,
        &format!(
            "curl --silent --show-error --no-buffer --json '{body}' https://openrouter.ai/api/v1/chat/completions"
        ),
    );
    assert!(answer.ends_with("data: [DONE]"), "{answer}");
    answer
}

fn this_machine_reaches_the_labs_github(lab: &Lab) {
    let output = Command::new("git")
        .args(["ls-remote", "https://github.com/NousResearch/hermes-agent", "main"])
        .envs(lab.environment())
        .output()
        .unwrap();
    let refs = String::from_utf8_lossy(&output.stdout);
    assert!(refs.trim().ends_with("refs/heads/main"), "{refs}{}", String::from_utf8_lossy(&output.stderr));
}

fn registries_are_passed_through(host: &LabHost) {
    ok(
        host,
        "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; apt-get update -qq && apt-get install -qq --no-install-recommends git python3-venv >/dev/null 2>&1",
    );
    let refs = ok(host, "git ls-remote --tags https://github.com/NousResearch/hermes-agent");
    for tag in ["refs/tags/v2026.7.7.2^{}", "refs/tags/v2026.7.20^{}"] {
        assert!(refs.contains(tag), "{refs}");
    }
    ok(
        host,
        "git clone -q --depth 1 --branch v2026.7.20 https://github.com/NousResearch/hermes-agent /tmp/agent && test -s /tmp/agent/uv.lock",
    );
    ok(
        host,
        "python3 -m venv /tmp/venv && /tmp/venv/bin/pip download -q --no-deps -d /tmp/wheels idna && ls /tmp/wheels/idna-*",
    );
}

fn reboots(lab: &Lab, host: &LabHost) {
    // What still runs on the console does not hold the host back: systemd 252 ends it, and 257
    // leaves it to the kernel.
    let console = lab.console(&host.name).unwrap();
    let mut held = Command::new("timeout").arg("90").args(console).args(["sleep", "90"]).spawn().unwrap();
    let boot = "cat /proc/1/stat | cut -d' ' -f22; cat /etc/machine-id";
    let before = ok(host, &format!("touch /root/kept; {boot}"));
    let _ = ssh(host, "systemctl reboot");
    let started = Instant::now();
    loop {
        let output = ssh(host, boot);
        let after = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && after != before {
            // The same machine, started later.
            assert_eq!(after.lines().nth(1), before.lines().nth(1));
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{} does not come back", host.name);
        std::thread::sleep(Duration::from_millis(200));
    }
    ok(host, "test -e /root/kept && getent hosts openrouter.ai");
    let ended = held.wait().unwrap();
    assert!(ended.code().is_some_and(|code| code > 128), "a command on the console outlived the reboot: {ended}");
}
