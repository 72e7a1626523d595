//! How a host is known, and how a user becomes root on it: host keys, sudo's password, the SSH
//! port. The judges are ssh-keygen on the host's console, the host's own logs, and logins by the
//! user's own ssh.

use super::harness::{Desk, Host, Said, ignored, lab_key, lock_of, ready, slow, ssh_config, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::lab::Form;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("reach::a host's key is shown, recorded and held to", host_keys),
        ignored(
            trial("reach::sudo with a password, from the environment", || {
                sudo(&Host::from("sudo", ready()?)?, "sudo", false)
            }),
            "sudo-rs is given it from the environment by default, and sudo by somebody who types",
        ),
        trial("reach::sudo-rs with a password, from the environment", || {
            sudo(&Host::from("sudo-rs", ready()?)?, "sudo-rs", false)
        }),
        trial("reach::sudo with a password, typed", || sudo(&Host::from("typed", ready()?)?, "sudo", true)),
        ignored(
            trial("reach::the SSH port moves", || port_moves(&Host::from("moving", ready()?)?, false)),
            "where systemd listens the same is run, and more",
        ),
        slow("reach::the SSH port moves, where systemd listens", || {
            let form = Form { ssh_socket: true, ..Form::default() };
            port_moves(&Host::formed("moving-socket", &form)?, true)
        }),
    ]
}

/// A desk for a host without the Hermes Agent, which has no part in this; its ssh knows no host
/// yet.
fn desk(host: &Host, user: &str) -> Result<Desk> {
    let desk = Desk::empty()?;
    desk.petasos(&["init", "--eject"])?.ended(0)?;
    desk.write("playbooks/20-agent.yaml", "[]\n")?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    let yaml = format!("hosts: {{ web: {{ address: \"{user}@{}\" }} }}\n", host.address);
    desk.write("petasos.yaml", &format!("{yaml}admin: {{ authorized_keys: [\"{}\"] }}\n", lab_key(host)?))?;
    let other = |line: &&str| !line.contains("KnownHostsFile") && !line.contains("StrictHostKeyChecking");
    let config = ssh_config(&[host])?;
    let kept: String = config.lines().filter(other).map(|line| format!("{line}\n")).collect();
    let known = desk.path("known_hosts");
    desk.write(
        "ssh_config",
        &format!("{kept}Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n", known.display()),
    )?;
    Ok(desk)
}

/// The user's own ssh, as the desk has it.
fn ssh(desk: &Desk, words: &[&str]) -> Result<Said> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(desk.path("ssh_config")).args(["-o", "StrictHostKeyChecking=accept-new"]).args(words);
    Said::of(command, "")
}

/// The fingerprint of the host's key, by its console.
fn fingerprint(host: &Host) -> Result<String> {
    let said = host.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")?;
    said.split(' ').nth(1).map(str::to_owned).context(said.clone())
}

fn host_keys() -> Result<()> {
    let host = Host::fresh("host-key", "trixie")?;
    let desk = desk(&host, "root")?;
    let first = fingerprint(&host)?;
    // Pinned beforehand: another one is refused before anything is done, the right one is not.
    let wrong = format!("SHA256:{}", "A".repeat(43));
    let said = desk.petasos(&["plan", "--host-key", &wrong])?.ended(1)?;
    said.says(&["does not match the recorded one", &first, &wrong, "hint: "])?;
    ensure!(!desk.read("petasos.lock")?.contains("host_key"), "a key that was refused is recorded");
    desk.petasos(&["plan", "--host-key", &first])?.ended(2)?;
    ensure!(desk.read("petasos.lock")?.contains(&format!("host_key: {first}")), "{}", desk.read("petasos.lock")?);
    // First contact without: shown, and recorded once.
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["first contact", &first])?;
    let lock = desk.read("petasos.lock")?;
    ensure!(lock.contains(&format!("host_key: {first}")), "{lock}");
    let again = desk.petasos(&["plan"])?.ended(2)?;
    ensure!(!again.err.contains("first contact"), "{}", again.err);
    // Another key: refused, whatever known_hosts says of it.
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh.service")?;
    let second = fingerprint(&host)?;
    desk.write("known_hosts", "")?;
    ssh(&desk, &[&format!("root@{}", host.address), "true"])?.ended(0)?;
    desk.petasos(&["up"])?.ended(1)?.says(&["does not match the recorded one", &first, &second, "--host-key"])?;
    ensure!(desk.read("petasos.lock")? == lock, "the lock was changed all the same");
    // Nothing recorded: then known_hosts counts, and is shown.
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh.service")?;
    let third = fingerprint(&host)?;
    desk.petasos(&["up"])?.ended(1)?.says(&["does not match the recorded one", &second, &third, "known_hosts"])?;
    // And what the user says of the new key counts.
    desk.petasos(&["plan", "--host-key", &third])?.ended(2)?;
    ensure!(desk.read("petasos.lock")?.contains(&third), "the new key is not recorded");
    Ok(())
}

const PASSWORD: &str = "Correct-horse-7-battery";

/// A user whose sudo wants a password, as an installer makes one.
const USER: &str = r#"
useradd --create-home --shell /bin/bash --groups sudo deploy
install -d -o deploy -g deploy -m 0700 ~deploy/.ssh
install -o deploy -g deploy -m 0600 ~/.ssh/authorized_keys ~deploy/.ssh/
echo "deploy:$1" | chpasswd
[ "$2" != sudo-rs ] || {
	apt-get -qq update
	apt-get -qq -y install sudo-rs >/dev/null 2>&1
	ln -s /usr/lib/cargo/bin/sudo /usr/lib/cargo/bin/visudo /usr/local/bin/
	sudo --version 2>&1 | grep -q sudo-rs
}
"#;

/// `which` is the program that the host has for it.
fn sudo(host: &Host, which: &str, typed: bool) -> Result<()> {
    host.with_args(USER, &[PASSWORD, which])?.ended(0)?;
    let mut desk = desk(host, "deploy")?;
    // sudo really wants one.
    ensure!(host.login("deploy", &[], "sudo -n true")?.code != 0, "sudo does not ask");
    desk.petasos(&["up"])?.ended(1)?.says(&["cannot become root", "PETASOS_SUDO_PASSWORD"])?;
    let first = if typed {
        at_a_terminal(&desk)?
    } else {
        desk.set("PETASOS_SUDO_PASSWORD", Some("a-wrong-one"));
        desk.petasos(&["up"])?.ended(1)?.says(&["rejected the password of `deploy`"])?;
        desk.set("PETASOS_SUDO_PASSWORD", Some(PASSWORD));
        desk.petasos(&["up"])?.ended(0)?
    };
    ensure!(!first.all().contains(PASSWORD), "the password is in the output");
    desk.set("PETASOS_SUDO_PASSWORD", None);
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    // Nowhere on the host either, where a shell or a log could have taken it for something else.
    let found = host.with_args(
        "journalctl --no-pager -o cat | grep -cF -- \"$1\"; grep -rlF -- \"$1\" /etc /var/lib/petasos /var/log /root /home || :",
        &[PASSWORD],
    )?;
    ensure!(found.out.trim() == "0", "the host has it: {}", found.all());
    Ok(())
}

/// `petasos up` in a terminal of its own, where somebody types the password once it is asked for.
fn at_a_terminal(desk: &Desk) -> Result<Said> {
    let words = desk.command(&["up"]);
    let all = std::iter::once(words.get_program()).chain(words.get_args());
    let line: Vec<String> = all.map(|word| word.to_string_lossy().into_owned()).collect();
    let mut command = Command::new("timeout");
    command.args(["200", "script", "-qefc", &line.join(" "), "/dev/null"]).current_dir(desk.path("")).env_clear();
    command.envs(words.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut keys, mut screen) = (child.stdin.take().context("no keys")?, child.stdout.take().context("no screen")?);
    let (mut out, mut typed, mut chunk) = (String::new(), false, [0; 4096]);
    loop {
        let count = screen.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        out += &String::from_utf8_lossy(&chunk[..count]);
        if !typed && out.contains("sudo password of deploy@") {
            typed = true;
            // People take longer than a terminal takes to stop showing what they type.
            std::thread::sleep(Duration::from_millis(500));
            writeln!(keys, "{PASSWORD}")?;
        }
    }
    let status = child.wait()?;
    ensure!(typed, "nobody was asked:\n{out}");
    ensure!(out.matches("sudo password of").count() == 1, "asked more than once:\n{out}");
    Said { code: status.code().unwrap_or(-1), out, err: String::new(), took: Duration::ZERO }.ended(0)
}

fn port_moves(host: &Host, socket: bool) -> Result<()> {
    let desk = desk(host, "root")?;
    let yaml = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{yaml}network: {{ ssh_port: 2222 }}\nguard: {{ confirm_timeout: 20 }}\n"))?;
    desk.petasos(&["up"])?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    let target = format!("ops@{}", host.address);
    let ports = || host.sh("ss -Hltn | awk '{ print $4 }' | grep -E ':(22|2200|2222)$' | sed 's/.*://' | sort -u");
    ensure!(ports()?.trim() == "2222", "SSH listens at {}", ports()?);
    let moved = ssh(&desk, &["-p", "2222", &target, "sudo -n id -u"])?.ended(0)?;
    ensure!(moved.out.trim() == "0", "{}", moved.all());
    ensure!(ssh(&desk, &["-p", "22", "-o", "ConnectTimeout=3", &target, "true"])?.code == 255, "the old port is open");
    let state = host.sh("systemctl is-active ssh.socket || :")?;
    ensure!((state.trim() == "active") == socket, "ssh.socket is {state}");
    // Without the wish it stays where it is.
    desk.edit("petasos.yaml", "network: { ssh_port: 2222 }\n", "")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    desk.edit("petasos.yaml", "guard:", "network: { ssh_port: 2222 }\nguard:")?;
    // A port that something else has: taken back, and the way in of before works.
    host.sh("systemd-run -q --unit=squatter python3 -c 'import socket, time; s = socket.create_server((\"\", 2200)); time.sleep(300)'")?;
    host.sh("for n in $(seq 50); do ss -Hltn | grep -q :2200 && break; sleep 0.1; done")?;
    desk.edit("petasos.yaml", "ssh_port: 2222", "ssh_port: 2200")?;
    desk.petasos(&["up"])?.ended(4)?.says(&["was rolled back"])?;
    host.sh("systemctl stop squatter.service")?;
    let back = ssh(&desk, &["-p", "2222", &target, "sudo -n id -u"])?.ended(0)?;
    ensure!(back.out.trim() == "0", "{}", back.all());
    // Free again: it moves on, and after the host's next start it listens there.
    desk.petasos(&["up"])?.ended(0)?;
    host.reboot_to("ops", 2200)?;
    host.started()?;
    desk.petasos(&["plan"])?.ended(0)?.says(&["1 round trip"]).map(drop)
}
