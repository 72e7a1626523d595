//! Each way into a fresh host that people are handed: `petasos up` takes it, and the same command
//! again finds nothing to do. Only the way in differs: the packages are there already. Bare hosts
//! are in fresh::.

use super::harness::{Desk, Host, Said, ignored, lab_key, lock_of, ready, slow, ssh_config, trial};
use super::{guard, inside};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::lab::Form;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    vec![
        ignored(
            trial("ways::IPv6 only, with the agent", six),
            "a whole first run with the agent, on a host of its own, takes three minutes",
        ),
        ignored(
            trial("ways::systemd listens for SSH, trixie", || socket("trixie")),
            "two minutes on a host of its own; reach:: moves the port of such a host by default",
        ),
        ignored(
            trial("ways::systemd listens for SSH, bookworm", || socket("bookworm")),
            "the first suite runs the same, and more",
        ),
        slow("ways::ubuntu with sudo, the key by --identity", identity),
        ignored(
            trial("ways::debian with sudo, the key in the agent", agent),
            "another user with sudo comes in by --identity (`.ci/run`), one through a jump host by default",
        ),
        trial("ways::admin with sudo, through a jump host", jump),
        ignored(trial("ways::sshd is on another port", port), "reach:: moves the port (`.ci/run`), and comes again"),
    ]
}

/// A desk without a word about the administrator, for a host without the Hermes Agent, which has no
/// part in this.
fn desk(hosts: &[&Host]) -> Result<Desk> {
    let desk = Desk::empty()?;
    desk.petasos(&["init", "--eject"])?.ended(0)?;
    desk.write("playbooks/20-agent.yaml", "[]\n")?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.write("ssh_config", &ssh_config(hosts)?)?;
    Ok(desk)
}

/// `petasos up` by this way, twice; the host was fresh, so the first one had something to do.
fn converges(desk: &Desk, words: &[&str]) -> Result<()> {
    let words = [&["up"], words].concat();
    let first = desk.petasos(&words)?.ended(0)?;
    ensure!(!first.out.contains(": 0 changes,"), "{}", first.all());
    desk.petasos(&words)?.ended(0)?.says(&[": 0 changes,", "1 round trip"])
}

/// The user's own ssh, with the desk's configuration.
fn ssh(desk: &Desk, words: &[&str], env: &[(&str, &str)]) -> Result<Said> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(desk.path("ssh_config")).args(words).envs(env.iter().copied());
    Said::of(command, "")
}

/// The administrator comes in and becomes root; root does not come in.
fn hardened(desk: &Desk, host: &str, admin: &str, words: &[&str], env: &[(&str, &str)]) -> Result<()> {
    let target = |user: &str| format!("{user}@{host}");
    let said = ssh(desk, &[words, &[&target(admin), "id -un; sudo -n id -u"]].concat(), env)?.ended(0)?;
    ensure!(said.out == format!("{admin}\n0\n"), "{}", said.all());
    ssh(desk, &[words, &[&target("root"), "true"]].concat(), env)?.ended(255)?.says(&["Permission denied (publickey)"])
}

/// A key that nothing else uses; the path of its private half.
fn keygen(desk: &Desk) -> Result<String> {
    let file = desk.path("key").display().to_string();
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "you@desk", "-f", &file]);
    Said::of(command, "")?.ended(0)?;
    Ok(file)
}

/// What cloud-init makes of a host: a user with sudo, and a root whose login only names that user.
const HAND_OVER: &str = r#"
useradd --create-home --shell /bin/bash --groups adm,cdrom,sudo "$1"
printf '%s ALL=(ALL) NOPASSWD:ALL\n' "$1" >/etc/sudoers.d/90-cloud-init-users
chmod 0440 /etc/sudoers.d/90-cloud-init-users
mkdir -m 0700 "/home/$1/.ssh"
printf '%s\n' "$2" >"/home/$1/.ssh/authorized_keys"
chmod 0600 "/home/$1/.ssh/authorized_keys"
chown -R "$1:" "/home/$1/.ssh"
command="echo 'Please login as the user $1 rather than the user root.';echo;exit 142"
printf 'no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="%s" %s\n' "$command" "$2" >/root/.ssh/authorized_keys
"#;

/// A host as a cloud hands it over.
fn handed_over(host: Host, user: &str, public: &str) -> Result<Host> {
    host.with_args(HAND_OVER, &[user, public])?.ended(0)?;
    Ok(host)
}

/// The lab's key is of no use any more, and no other is offered by itself.
fn without_keys(desk: &Desk) -> Result<()> {
    let other = |line: &&str| !line.contains("IdentityFile") && !line.contains("IdentitiesOnly");
    let config = desk.read("ssh_config")?;
    let kept: String = config.lines().filter(other).map(|line| format!("{line}\n")).collect();
    desk.write("ssh_config", &format!("{kept}Host *\n  IdentityFile none\n"))
}

fn identity() -> Result<()> {
    let keys = Desk::empty()?;
    let key = keygen(&keys)?;
    let host = handed_over(Host::from("ubuntu", ready()?)?, "ubuntu", keys.read("key.pub")?.trim())?;
    let desk = desk(&[&host])?;
    without_keys(&desk)?;
    let target = format!("ubuntu@{}", host.address);
    ssh(&desk, &[&target, "true"], &[])?.ended(255)?;
    let root = format!("root@{}", host.address);
    ssh(&desk, &["-i", &key, &root, "true"], &[])?.ended(142)?.says(&["rather than the user root"])?;
    converges(&desk, &[&target, "--identity", &key])?;
    hardened(&desk, &host.address.to_string(), "ops", &["-i", &key], &[])
}

/// An ssh-agent that ends with the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn agent() -> Result<()> {
    let keys = Desk::empty()?;
    let key = keygen(&keys)?;
    let host = handed_over(Host::from("debian", ready()?)?, "debian", keys.read("key.pub")?.trim())?;
    let mut desk = desk(&[&host])?;
    without_keys(&desk)?;
    let door = keys.path("agent").display().to_string();
    let _agent = Agent(Command::new("ssh-agent").args(["-D", "-a", &door]).stdout(Stdio::null()).spawn()?);
    let began = Instant::now();
    while !keys.path("agent").exists() {
        ensure!(began.elapsed() < Duration::from_secs(5), "ssh-agent does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let env = [("SSH_AUTH_SOCK", door.as_str())];
    let mut add = Command::new("ssh-add");
    add.args(["-q", &key]).envs(env);
    Said::of(add, "")?.ended(0)?;
    std::fs::remove_file(&key)?;
    let target = format!("debian@{}", host.address);
    ssh(&desk, &[&target, "true"], &[])?.ended(255)?;
    desk.set("SSH_AUTH_SOCK", Some(&door));
    converges(&desk, &[&target])?;
    hardened(&desk, &host.address.to_string(), "ops", &[], &env)
}

/// The administrator is the user whom the cloud made; the host does not answer this machine, only
/// the jump host.
fn jump() -> Result<()> {
    let gate = Host::fresh("gate", "trixie")?;
    let host = handed_over(Host::from("inner", ready()?)?, "admin", &lab_key(&gate)?)?;
    let desk = desk(&[&gate, &host])?;
    desk.write("petasos.yaml", "admin: { user: admin }\n")?;
    let target = format!("admin@{}", host.address);
    ssh(&desk, &[&target, "true"], &[])?.ended(0)?;
    host.sh("ip route add blackhole 198.51.100.1/32; ip -6 route add blackhole 2001:db8:51:100::1/128")?;
    ssh(&desk, &["-o", "ConnectTimeout=2", &target, "true"], &[])?.ended(255)?;
    let through = format!("Host {}\n  ProxyJump root@{}\n{}", host.address, gate.address, desk.read("ssh_config")?);
    desk.write("ssh_config", &through)?;
    converges(&desk, &[&target])?;
    hardened(&desk, &host.address.to_string(), "admin", &[], &[])
}

fn port() -> Result<()> {
    let host = Host::from("port", ready()?)?;
    host.sh("echo 'Port 2222' >/etc/ssh/sshd_config.d/10-port.conf; systemctl restart ssh.service")?;
    let desk = desk(&[&host])?;
    let target = format!("root@{}:2222", host.address);
    converges(&desk, &[&target])?;
    hardened(&desk, &host.address.to_string(), "ops", &["-p", "2222"], &[])
}

fn six() -> Result<()> {
    let host = Host::formed("six", &Form { ipv6: true, ..Form::of_suite("trixie") })?;
    let desk = Desk::of(&[&host])?;
    let addresses = host.sh("ip -o addr show scope global")?;
    ensure!(!addresses.contains(" inet "), "{addresses}");
    // Something that must not be reached from outside once the firewall stands.
    let listen = "import socket; s = socket.create_server(('::', 8080), family=socket.AF_INET6); [s.accept() for _ in iter(int, 1)]";
    host.sh(&format!("systemd-run -q --unit lab-listener python3 -c \"{listen}\""))?;
    let outside = SocketAddr::new(host.address, 8080);
    let reached = || TcpStream::connect_timeout(&outside, Duration::from_secs(2)).is_ok();
    let began = Instant::now();
    while !reached() {
        ensure!(began.elapsed() < Duration::from_secs(10), "nobody listens at {outside}");
        std::thread::sleep(Duration::from_millis(100));
    }
    converges(&desk, &[&format!("root@[{}]", host.address)])?;
    hardened(&desk, &host.address.to_string(), "ops", &[], &[])?;
    ensure!(!reached(), "the firewall lets {outside} through");
    let dial = "timeout 5 bash -c 'exec 3<>/dev/tcp/$0/$1'";
    host.sh(&format!("{dial} ::1 8080"))?;
    // What the agent may reach over IPv6, and what not: the address that stands for the allowed
    // names, and no other. Root may.
    let sink = "2001:db8:4::cb00:7119";
    let hermes = "setpriv --reuid hermes --regid hermes --clear-groups";
    host.sh(&format!("{dial} {sink} 25; {dial} {sink} 443; {hermes} {dial} 100::1 443"))?;
    for port in [25, 443] {
        let refused = host.run(&format!("{hermes} {dial} {sink} {port}"))?;
        let word = ["Permission denied", "No route to host"].iter().any(|word| refused.err.contains(word));
        ensure!(refused.code == 1 && word, "{port}: {}", refused.all());
    }
    ensure!(host.chat("hello over IPv6")? == "STUB OK: hello over IPv6");
    // The agent's API through a tunnel.
    let mut tunnel = Command::new("ssh");
    let target = format!("ops@{}", host.address);
    tunnel.arg("-F").arg(&host.ssh_config).args(["-W", "127.0.0.1:8642", &target]);
    Said::of(tunnel, "GET /health HTTP/1.0\r\n\r\n")?.says(&[" 200 OK"])
}

fn socket(suite: &str) -> Result<()> {
    let host = Host::formed(&format!("socket-{suite}"), &Form { ssh_socket: true, ..Form::of_suite(suite) })?;
    let listens = |host: &Host| -> Result<()> {
        ensure!(host.unit("ssh.socket", "ActiveState")? == "active", "ssh.socket does not listen");
        ensure!(host.unit("ssh.socket", "UnitFileState")? == "enabled", "ssh.socket does not start with the host");
        ensure!(host.unit("ssh.service", "UnitFileState")? == "disabled", "ssh.service starts with the host");
        Ok(())
    };
    listens(&host)?;
    // The control: the right password opens.
    host.sh(&format!("useradd --create-home visitor; echo visitor:{} | chpasswd", inside::PASSWORD))?;
    ensure!(inside::password_login(&host, "visitor")?.ended(0)?.out == "visitor\n");

    let desk = guard::desk(&host)?;
    converges(&desk, &[])?;
    listens(&host)?;
    let refused = inside::password_login(&host, "visitor")?.ended(255)?;
    ensure!(refused.err.trim_end().ends_with("Permission denied (publickey)."), "{}", refused.all());
    hardened(&desk, &host.address.to_string(), "ops", &[], &[])?;
    if suite != "trixie" {
        return Ok(());
    }

    let before = guard::digest(&host)?;
    let bad = guard::desk(&host)?;
    bad.edit(guard::SSHD, "MaxAuthTries 3\n", "MaxAuthTries 3\nDenyUsers ops\n")?;
    let began = Instant::now();
    bad.petasos(&["up"])?.ended(4)?.says(&["was rolled back"])?;
    guard::wait_for_the_way_in(&host, began)?;
    guard::as_before(&host, &before)?;
    listens(&host)?;

    host.reboot("ops").context("after the restart")?;
    listens(&host)?;
    desk.petasos(&["plan"])?.ended(0).map(drop)
}
