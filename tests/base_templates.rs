//! The base templates, rendered: golden files in `tests/render/base`, judged by sshd, nft, visudo
//! and systemd.
mod judge;

use judge::{complaints_about_unit, folder, golden, judge as tool, render, renderer, verdict};
use petasos::playbook::{Playbook, Sources};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn vars() -> Value {
    json!({
        "admin": { "user": "ops", "authorized_keys": "" }, "login": "root",
        "ssh_port": 22, "api_port": 8642, "moved_port": "", "inbound": "", "sandbox_packages": "ripgrep", "network": { "egress": { "mode": "names", "enforce": true } },
        "host": { "nameservers": ["127.0.0.53", "2001:db8::53"], "ipv6": true, "web_server": false, "mlkem": false, "njs": true, "nginx_e": true, "resolved": true },
        "ssh": { "algorithms": "strict" }, "agent": { "limits": { "disk": "4G" } },
        "egress": {
            "exact": ["api.example.com", "openrouter.ai"], "below": ["example.net"],
            "ports": [{ "name": "git.example.com", "port": 22, "sink": "192.0.2.2", "sink6": "100::2", "proxy": 10055 }],
            "sink": "192.0.2.1", "sink6": "100::1", "sink_net": "192.0.2.0/24", "resolver": 10053, "proxy": 10054, "local": [11434],
            "ct_mark": "0x01000000", "ct_unmask": "0xfeffffff", "resolver_addr": "127.0.2.53",
        },
    })
}

fn base() -> Playbook {
    base_with(&vars())
}

fn base_with(vars: &Value) -> Playbook {
    let text = &Sources::embedded().playbooks["10-base.yaml"];
    Playbook::read("10-base.yaml", text, &renderer(vars)).unwrap_or_else(|why| panic!("{why}"))
}

fn sudoers() -> String {
    let playbook = base();
    let mut files = playbook.entries.iter().filter_map(|entry| entry.resource.file.as_ref());
    let file = files.find(|file| file.path.as_str() == "/etc/sudoers.d/90-petasos").expect("it is in the playbook");
    renderer(&vars()).text(file.content.as_ref().expect("given in place")).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn golden_files() {
    let base = [
        "sshd.conf",
        "egress-names.nft",
        "egress-ports.nft",
        "egress-open.nft",
        "petasos-egress.service",
        "upgrades.conf",
        "petasos-noexec.service",
        "petasos-debsums.service",
        "petasos-debsums.timer",
        "issue",
        "journald.conf",
        "resolved.conf",
        "ssh-socket.conf",
    ];
    for name in base {
        golden(&format!("base/{name}"), &render(&format!("base/{name}.tera"), &vars()));
    }
    for name in ["resolver.conf", "proxy.conf", "proxy-hello.js", "petasos-resolver.service", "petasos-proxy.service"] {
        golden(&format!("egress/{name}"), &render(&format!("egress/{name}.tera"), &vars()));
    }
    golden("base/sudoers", &sudoers());
}

// --- sshd ----------------------------------------------------------------------------------------

/// sshd with a configuration and a host key of its own; `mode` is `-t`, or `-T` with the login that
/// is asked about.
fn sshd(config: &Path, mode: &[&str]) -> (bool, String) {
    let key = config.with_extension("key");
    if !key.exists() {
        let (made, output) =
            verdict(tool("ssh-keygen", "openssh-client").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
        assert!(made, "{output}");
    }
    let program = tool("sshd", "openssh-server");
    // Where nobody started sshd yet, its empty directory is missing; for root, sshd insists on it.
    let _ = std::fs::create_dir("/run/sshd");
    verdict(Command::new(program.get_program()).args(mode).arg("-f").arg(config).arg("-h").arg(&key))
}

#[test]
fn sshd_accepts_its_drop_in() {
    let text = render("base/sshd.conf.tera", &vars());
    let (_dir, path) = folder("sshd.conf", &text);
    assert_eq!(sshd(&path, &["-t"]), (true, String::new()));
    std::fs::write(&path, text.replace("MaxAuthTries", "MaxAuthTrys")).expect("writable");
    assert!(!sshd(&path, &["-t"]).0, "a misspelt keyword must be refused, or this judge judges nothing");
}

/// The playbook says what must be in force; the drop-in alone makes it so, by sshd's own word.
#[test]
fn the_drop_in_makes_what_the_playbook_wants_of_sshd() {
    let moved = json!({ "ssh_port": 2222, "moved_port": "2222" });
    for more in [json!({}), moved] {
        let mut vars = vars();
        vars.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        in_force(&vars);
    }
}

fn in_force(vars: &Value) {
    let (_dir, path) = folder("sshd.conf", &render("base/sshd.conf.tera", vars));
    let playbook = base_with(vars);
    let wanted = playbook.entries.iter().find_map(|entry| entry.resource.sshd.as_ref()).expect("it is in the playbook");
    for user in &wanted.users {
        let login = format!("user={user},host=host.invalid,addr=192.0.2.1");
        let (accepted, output) = sshd(&path, &["-T", "-C", &login]);
        assert!(accepted, "{output}");
        let effective: BTreeMap<&str, &str> = output.lines().filter_map(|line| line.split_once(' ')).collect();
        for (keyword, value) in wanted.set.iter().filter(|(_, value)| !value.is_empty()) {
            assert_eq!(effective.get(keyword.as_str()).copied(), Some(value.as_str()), "{keyword} for {user}");
        }
    }
}

// --- nft -----------------------------------------------------------------------------------------

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n")
}

/// Runs a script where there is a network and a list of users of its own, with a user `hermes` in
/// it.
fn elsewhere(dir: &Path, script: &str) -> (bool, String) {
    let passwd = std::fs::read_to_string("/etc/passwd").expect("readable");
    std::fs::write(dir.join("passwd"), format!("{passwd}hermes:x:9990:9990::/:/usr/sbin/nologin\npetasos-proxy:x:9991:9991::/:/usr/sbin/nologin\npetasos-resolver:x:9992:9992::/:/usr/sbin/nologin\n")).expect("writable");
    tool("nft", "nftables");
    let text = format!("set -e\nmount --bind passwd /etc/passwd\n{script}");
    let mut unshare = tool("unshare", "util-linux");
    if !is_root() {
        unshare.arg("--map-root-user");
    }
    let unshare = unshare.args(["--net", "--mount", "sh", "-c", &text]).current_dir(dir);
    verdict(unshare.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"))
}

#[test]
fn nft_loads_each_filter_again_and_again_and_leaves_other_tables_alone() {
    for name in ["egress-names.nft", "egress-ports.nft", "egress-open.nft"] {
        let text = render(&format!("base/{name}.tera"), &vars());
        let (dir, path) = folder("egress.nft", &text);
        let script = "nft -c -f egress.nft
nft 'add table inet other { chain c { accept; }; }'
nft -f egress.nft; nft -s list ruleset >once
nft -f egress.nft; nft -s list ruleset >twice
cmp once twice
nft list table inet other
nft list table inet petasos";
        let (accepted, output) = elsewhere(dir.path(), script);
        assert!(accepted, "{name}: {output}");
        assert!(output.contains("skuid 9990"), "{name}: {output}");
        std::fs::write(&path, text.replace("policy accept", "policy maybe")).expect("writable");
        assert!(!elsewhere(dir.path(), "nft -c -f egress.nft").0, "{name}: a wrong word must be refused");
    }
}

/// The filter does what its name says, by the kernel's own answer: refused at once where it must, a
/// time-out or an answer elsewhere.
#[test]
fn the_kernel_refuses_the_agent_what_it_may_not_reach() {
    let (dir, _) = folder("egress.nft", &render("base/egress-ports.nft.tera", &vars()));
    tool("python3", "python3");
    // A network without anybody on it: what passes the filter is not answered, what does not is
    // refused at once.
    let script = "ip link set lo up
ip link add away type veth peer name far; ip link set away up; ip link set far up; ip addr add 192.0.2.2/24 dev away
ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev away
nft -f egress.nft
python3 - <<'PYTHON'
import os, socket
def dial(address, port):
    with socket.socket() as s:
        s.settimeout(0.5)
        try:
            s.connect((address, port))
        except TimeoutError:
            return 'passed'
        except ConnectionRefusedError:
            return 'refused'
def row(who):
    for address, port in (('192.0.2.1', 443), ('192.0.2.1', 53), ('192.0.2.1', 22), ('192.0.2.1', 25), ('192.0.2.1', 80)):
        print(who, port, dial(address, port))
with socket.create_server(('127.0.0.1', 25)):
    row('root')
    os.setuid(9990)
    row('hermes')
    socket.create_connection(('127.0.0.1', 25), 1).close()
    print('hermes loopback passed')
PYTHON
nft list counter inet petasos refused_tcp";
    tool("ip", "iproute2");
    assert!(is_root(), "only root can be another user in a network of its own: run the tests as root");
    let (accepted, output) = elsewhere(dir.path(), script);
    assert!(accepted, "{output}");
    for port in [443, 53, 22, 25, 80] {
        let agent = if matches!(port, 443 | 53) { "passed" } else { "refused" };
        assert!(output.contains(&format!("root {port} passed\n")), "{output}");
        assert!(output.contains(&format!("hermes {port} {agent}\n")), "{output}");
    }
    assert!(
        output.contains("hermes loopback passed\n") && output.contains("packets 3 "),
        "three were counted: {output}"
    );
}

// --- egress by name ------------------------------------------------------------------------

/// nginx 1.18 (Ubuntu 22.04) ends at an option that it does not know; the lab's host of that form
/// runs it.
#[test]
fn an_old_nginx_is_not_told_where_to_write_errors() {
    let mut vars = vars();
    let starts = |vars: &Value| render("egress/petasos-proxy.service.tera", vars).matches(" -e stderr ").count();
    assert_eq!(starts(&vars), 2);
    vars["host"]["nginx_e"] = false.into();
    assert_eq!(starts(&vars), 0);
}

#[test]
fn dnsmasq_and_nginx_accept_their_files() {
    // No program, but part of one: it has to be here.
    tool("/usr/lib/nginx/modules/ngx_stream_js_module.so", "libnginx-mod-stream-js");
    for (enforce, njs) in [(true, true), (false, true), (true, false)] {
        let mut vars = vars();
        vars["network"]["egress"]["enforce"] = enforce.into();
        vars["host"]["njs"] = njs.into();
        let check = |text: &str| {
            let (_dir, path) = folder("resolver.conf", text);
            verdict(tool("dnsmasq", "dnsmasq-base").args(["--test", "-C"]).arg(path)).0
        };
        let text = render("egress/resolver.conf.tera", &vars);
        assert!(check(&text), "{text}");
        assert!(!check(&text.replace("no-resolv", "no-resolve")), "a wrong word must be refused");

        let text = render("egress/proxy.conf.tera", &vars);
        let (dir, path) = folder("proxy.conf", &text);
        // What it makes goes to a place of its own, where its script is too, and its modules are
        // where the distribution has them.
        std::fs::write(dir.path().join("proxy-hello.js"), render("egress/proxy-hello.js.tera", &vars))
            .expect("writable");
        let here = |text: &str| {
            let place = dir.path().display().to_string();
            text.replace("/run/petasos-proxy", &place).replace("js_path /etc/petasos", &format!("js_path {place}"))
        };
        let check = |text: &str| {
            std::fs::write(&path, here(text)).expect("writable");
            verdict(tool("nginx", "libnginx-mod-stream").args(["-t", "-q", "-e", "stderr", "-c"]).arg(&path))
        };
        assert_eq!(check(&text), (true, String::new()), "{text}");
        assert!(!check(&text.replace("ssl_preread on", "ssl_preread maybe")).0, "a wrong word must be refused");
    }
}

#[test]
fn systemd_accepts_the_helpers_units() {
    for name in ["petasos-resolver.service", "petasos-proxy.service"] {
        let text = render(&format!("egress/{name}.tera"), &vars());
        let complaints = complaints_about_unit(name, &text);
        // The filter's own unit is no part of this folder, and its program none of this machine.
        let other = |line: &&str| !line.contains("petasos-egress.service") && !line.contains("is not executable");
        assert_eq!(complaints.lines().filter(other).collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(complaints_about_unit(name, &text.replace("PrivateTmp", "PrivateTemp")).contains("PrivateTemp"));
    }
}

// --- sudo, systemd, apt --------------------------------------------------------------------------

#[test]
fn visudo_accepts_the_administrators_line() {
    let check = |text: &str| {
        let (_dir, path) = folder("sudoers", text);
        verdict(tool("visudo", "sudo").args(["-c", "-q", "-f"]).arg(path)).0
    };
    assert!(check(&sudoers()));
    assert!(!check(&sudoers().replace("NOPASSWD:", "NOPASSWORD")), "a wrong word must be refused");
}

#[test]
fn systemd_accepts_the_filters_unit() {
    let text = render("base/petasos-egress.service.tera", &vars());
    assert_eq!(complaints_about_unit("petasos-egress.service", &text), "");
    let planted = complaints_about_unit("petasos-egress.service", &text.replace("RemainAfterExit", "RemainAfterEnd"));
    assert!(planted.contains("RemainAfterEnd"), "an unknown key must be named: {planted}");
}

#[test]
fn systemd_accepts_what_hardening_adds() {
    for (name, word) in [("petasos-noexec.service", "RemainAfterExit"), ("petasos-debsums.timer", "OnCalendar")] {
        let text = render(&format!("base/{name}.tera"), &vars());
        // The timer's service and a manual's page are no part of this machine.
        let complaints = complaints_about_unit(name, &text);
        assert!(
            complaints.lines().all(|line| line.contains("petasos-debsums.service") || line.contains("man debsums")),
            "{complaints}"
        );
        let planted = complaints_about_unit(name, &text.replace(word, "NoSuchKey"));
        assert!(planted.contains("NoSuchKey"), "an unknown key must be named: {planted}");
    }
    let text = render("base/petasos-debsums.service.tera", &vars());
    let foreign = |line: &str| line.contains("is not executable") || line.contains("man debsums");
    let complaints = complaints_about_unit("petasos-debsums.service", &text);
    assert!(complaints.lines().all(foreign), "{complaints}");
}

#[test]
fn apt_reads_the_settings_of_upgrades() {
    let (_dir, path) = folder("zz-petasos-upgrades", &render("base/upgrades.conf.tera", &vars()));
    let (accepted, output) = verdict(tool("apt-config", "apt").env("APT_CONFIG", &path).arg("dump"));
    assert!(accepted, "{output}");
    for line in ["APT::Periodic::Unattended-Upgrade \"1\";", "Unattended-Upgrade::Automatic-Reboot \"false\";"] {
        assert!(output.lines().any(|output| output == line), "{line}: {output}");
    }
}
