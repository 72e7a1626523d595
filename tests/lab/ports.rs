//! Addresses whose port something on the way translates, as a virtual machine's network, a router
//! or a bastion does; and whose logins are tried in which order. The judges are the host's own sshd
//! and UFW, and a listener that must not be called.

use super::harness::{Desk, Host, converged, lab_key, lock_of, ready, slow, ssh_config, trial};
use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use std::io::{ErrorKind, copy};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("ports::a forwarded address keeps its port, and the host its own", forwarded),
        trial("ports::verify through a forwarded port", verified),
        slow("ports::fail2ban counts no login of ours", fail2ban),
    ]
}

/// A port of this machine's loopback, which leads to a host's; counts who comes.
struct Relay {
    port: u16,
    calls: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// `to` nowhere: whoever comes is counted, and turned away.
    fn to(to: Option<(IpAddr, u16)>) -> Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (calls, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, ended) = (calls.clone(), ends.clone());
        let serve = move || {
            while !ended.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((near, _)) => {
                        counted.fetch_add(1, Ordering::Relaxed);
                        let Some((host, port)) = to else { continue };
                        spawn(move || join(near, host, port));
                    }
                    Err(why) if why.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(5)),
                    Err(_) => return,
                }
            }
        };
        Ok(Relay { port, calls, ends, thread: Some(spawn(serve)) })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn join(near: TcpStream, host: IpAddr, port: u16) {
    let Ok(far) = TcpStream::connect((host, port)) else { return };
    let ways = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
    for (from, to) in ways {
        let (Ok(mut from), Ok(mut to)) = (from, to) else { return };
        spawn(move || {
            let _ = from.set_nonblocking(false);
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

/// ssh's configuration for the relay, under an alias as `vagrant ssh-config` has one too.
fn config_of(host: &Host, relay: &Relay) -> Result<String> {
    let config = ssh_config(&[host])?;
    let key = config.lines().find(|line| line.trim().starts_with("IdentityFile ")).context("no IdentityFile")?;
    let known = "UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking accept-new";
    let port = relay.port;
    Ok(format!("Host box\n  HostName 127.0.0.1\n  Port {port}\nHost *\n{key}\n  IdentitiesOnly yes\n  {known}\n"))
}

/// Logins that sshd turned away, by its log.
fn failed(host: &Host) -> Result<String> {
    host.sh(
        "journalctl -q --no-pager -o cat -u ssh.service -g 'Invalid user|authenticating user|Failed [a-z]+ for' || :",
    )
}

fn forwarded() -> Result<()> {
    let host = Host::from("forwarded", ready()?)?;
    let (relay, spy) = (Relay::to(Some((host.address, 22)))?, Relay::to(None)?);
    let desk = Desk::empty()?;
    desk.petasos(&["init", "--eject"])?.ended(0)?;
    desk.write("playbooks/20-agent.yaml", "[]\n")?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.write("ssh_config", &config_of(&host, &relay)?)?;
    let key = lab_key(&host)?;
    let yaml = |address: &str, network: &str| {
        desk.write(
            "petasos.yaml",
            &format!(
                "hosts: {{ web: {{ address: \"{address}\" }} }}\nadmin: {{ authorized_keys: [\"{key}\"] }}\n{network}"
            ),
        )
    };
    let (relayed, wish) =
        (format!("root@127.0.0.1:{}", relay.port), format!("network: {{ ssh_port: {} }}\n", spy.port));
    // A wish that would cut the host off is refused before anything changes, and nobody calls what
    // listens at that port of this machine.
    yaml(&relayed, &wish)?;
    for verb in ["plan", "up"] {
        let said = desk.petasos(&[verb])?.ended(1)?;
        let cannot = format!("cannot move to port {}", spy.port);
        said.says(&[cannot.as_str(), "own port is 22", "network.ssh_port", "hint: "])?;
    }
    ensure!(host.holds("! id ops && ufw status | grep -q inactive")?, "something was changed");
    // The host's own port may be wished for, which is no move.
    for (address, network) in [(&relayed, "network: { ssh_port: 22 }\n"), (&relayed, ""), (&"root@box".to_owned(), "")]
    {
        yaml(address, network)?;
        desk.petasos(&["up"])?.ended(0)?;
        desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    }
    let rules = host.sh("ufw status | awk '$2 == \"ALLOW\" || $3 == \"ALLOW\" { print $1 }' | sort -u")?;
    ensure!(rules.trim() == "22/tcp", "{rules}");
    ensure!(spy.calls() == 0, "another port of this machine was called {} times", spy.calls());
    // Once it is known, a wish is still none.
    yaml(&relayed, &wish)?;
    desk.petasos(&["up"])?.ended(1)?.says(&["own port is 22"])?;
    let failed = failed(&host)?;
    ensure!(failed.is_empty(), "sshd turned a login away:\n{failed}");
    Ok(())
}

fn verified() -> Result<()> {
    let shared = converged("forward-verify", "trixie")?;
    let relay = Relay::to(Some((shared.host.address, 22)))?;
    shared.desk.edit("petasos.yaml", &format!("root@{}", shared.host.address), "root@box")?;
    shared.desk.write("ssh_config", &config_of(&shared.host, &relay)?)?;
    shared.desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    // What was not seen is not said to be met: 3.
    let report = shared.desk.petasos(&["verify", "--json"])?.ended(3)?;
    let report: serde_json::Value = serde_json::from_str(&report.out)?;
    let checks = report["hosts"][0]["controls"].as_array().context("no controls")?.iter();
    let checks = checks.filter_map(|control| control["checks"].as_array()).flatten();
    let other: Vec<String> = checks.filter(|check| check["result"] != "met").map(ToString::to_string).collect();
    let [scan] = &other[..] else { bail!("{other:?}") };
    ensure!(
        scan.contains("inbound.scan") && scan.contains("unobserved") && scan.contains("is the host's 22"),
        "{scan}"
    );
    Ok(())
}

/// fail2ban as Debian has it: five failures, and the address is shut out.
fn fail2ban() -> Result<()> {
    let host = Host::from("fail2ban", ready()?)?;
    host.sh("apt-get -qq update && apt-get -qq -y install fail2ban >/dev/null 2>&1 && systemctl start fail2ban")?;
    let counted = || {
        host.sh("for n in $(seq 100); do fail2ban-client status sshd >/dev/null 2>&1 && break; sleep 0.1; done; \
                 fail2ban-client status sshd | sed -n 's/.*\\(Total failed\\|Total banned\\):[^0-9]*//p' | tr '\\n' ' '")
    };
    ensure!(counted()?.trim() == "0 0", "{}", counted()?);
    let desk = Desk::of(&[&host])?;
    for _ in 0..7 {
        desk.petasos(&["plan"])?.ended(2)?;
    }
    desk.petasos(&["up"])?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    let failed = failed(&host)?;
    ensure!(failed.is_empty(), "sshd turned a login away:\n{failed}");
    ensure!(counted()?.trim() == "0 0", "{}", counted()?);
    // The judge works: a login that is none is counted.
    host.login("nobody-here", &[], "true")?.ended(255)?;
    let seen = || -> Result<bool> { Ok(counted()?.starts_with("1 ")) };
    for _ in 0..50 {
        if seen()? {
            return Ok(());
        }
        sleep(Duration::from_millis(200));
    }
    bail!("fail2ban does not see a failed login: {}", counted()?)
}
