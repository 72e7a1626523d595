//! A host on a bad day: still at its first start, in somebody else's hands, full, cut off,
//! restarted under a run. It is waited for, or said in one clear error, and the next `up`
//! converges. The judge is the tool itself: cloud-init, dpkg, apt's own history, the network.

mod causes;

use super::harness::{Desk, Host, Said, ignored, ready, shared, slow, trial};
use anyhow::{Context, Result, anyhow, ensure};
use causes::{FIRST, SECOND, one_error, refused};
use libtest_mimic::Trial;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub fn trials() -> Vec<Trial> {
    let quick = vec![
        slow("badday::what is in the way is one clear error, and a restart is survived", first_day),
        slow("badday::dpkg was interrupted, and the connection is lost at apt", packages),
    ];
    let slow = [
        trial("badday::cloud-init is still running", cloud_init),
        trial("badday::wrong name servers, and a clock two hours off", second_day),
        trial("badday::each lock of apt is waited for, and named when it never ends; needrestart would ask", locks),
        trial("badday::the host restarts twice in a run, and its disk fills in another", restarts),
        trial("badday::the network is down for 20 s and for 70 s", cuts),
    ];
    quick.into_iter().chain(slow.map(|trial| ignored(trial, "a bad day with real patience takes minutes"))).collect()
}

/// A fresh host, and a desk for it; without the agent, where that has no part in the day.
fn fresh(name: &str, agent: bool) -> Result<(Host, Desk)> {
    with_desk(Host::fresh(&format!("badday-{name}"), "trixie")?, agent)
}

fn with_desk(host: Host, agent: bool) -> Result<(Host, Desk)> {
    let desk = Desk::of(&[&host])?;
    if !agent {
        desk.petasos(&["init", "--eject"])?.ended(0)?;
        desk.write("playbooks/20-agent.yaml", "[]\n")?;
    }
    Ok((host, desk))
}

/// Something that happens while `up` runs.
type Deed<'a> = Box<dyn FnOnce() -> Result<()> + 'a>;

/// `petasos up`, with something that happens as soon as it says a word.
fn up_while(desk: &Desk, deeds: Vec<(&str, Deed<'_>)>) -> Result<Said> {
    let began = Instant::now();
    // The place of ssh's sockets tells this run's connections from others'.
    let mut command = desk.command(&["up"]);
    let command = command.env("TMPDIR", desk.path("")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().context("no output")?;
    let (mut out, mut err, mut deeds) = (String::new(), String::new(), deeds.into_iter().peekable());
    let mut done = Ok(());
    for line in BufReader::new(child.stderr.take().context("no talk")?).lines() {
        let line = line?;
        err += &format!("{:5.1} {line}\n", began.elapsed().as_secs_f64());
        if done.is_ok() && deeds.peek().is_some_and(|(word, _)| line.contains(word)) {
            done = deeds.next().map_or(Ok(()), |(_, deed)| deed());
        }
    }
    stdout.read_to_string(&mut out)?;
    let code = child.wait()?.code().unwrap_or(-1);
    done.with_context(|| err.clone())?;
    ensure!(deeds.peek().is_none(), "it never came to `{}`:\n{err}", deeds.peek().map_or("", |(word, _)| word));
    Ok(Said { code, out, err, took: began.elapsed() })
}

/// It ended well, and so says the next look; nothing is left half-way.
fn converged(desk: &Desk, host: &Host, said: Said) -> Result<Said> {
    let said = said.ended(0)?;
    desk.petasos(&["plan"])?.ended(0).with_context(|| format!("the plan is not empty after\n{}", said.all()))?;
    sound(host)?;
    Ok(said)
}

fn sound(host: &Host) -> Result<()> {
    let login = host.login("ops", &["ControlPath=none"], "sudo -n id -u")?;
    ensure!(login.out.trim() == "0", "the administrator cannot log in: {}", login.all());
    let left = host.sh(
        "dpkg --audit; ls /var/lib/dpkg/updates
        ls -d /var/lib/petasos/guard/armed /var/lib/petasos/guard/reverting 2>/dev/null || find /etc -name '.petasos-put*'",
    )?;
    ensure!(left.is_empty(), "something is left half-way: {left}");
    Ok(())
}

fn wait_for_ssh(host: &Host) -> Result<()> {
    let began = Instant::now();
    while !host.login("root", &["ControlPath=none", "ConnectTimeout=2"], "true").is_ok_and(|said| said.code == 0) {
        ensure!(began.elapsed() < Duration::from_secs(60), "no login after a restart");
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(())
}

/// Restarts the host; the console's command may not return, as the host goes down under it.
fn restart(host: &Host) -> Result<()> {
    // apt forbids it while dpkg is at work; a provider does not ask.
    let _ = host.run("systemctl start --no-block --job-mode=replace-irreversibly reboot.target");
    Ok(())
}

/// The same, as soon as a program is at work there.
fn restart_under(host: &Host, program: &str) -> Result<()> {
    host.sh(&format!("for n in $(seq 600); do pgrep -x {program} >/dev/null && break; sleep 0.1; done; sleep 1"))?;
    restart(host)
}

const USER_DATA: &str = "#cloud-config\nssh_deletekeys: false\ndisable_root: false\nssh_pwauth: true\npreserve_hostname: true\n\
    runcmd:\n- [sh, -c, 'sleep 15; printf \"PasswordAuthentication yes\\nPermitRootLogin yes\\n\" >/etc/ssh/sshd_config.d/00-cloud.conf; date +%s >/root/first-start-over']\n";

fn cloud_init() -> Result<()> {
    let (host, desk) = with_desk(Host::from("badday-cloud", ready()?)?, false)?;
    host.sh("apt-get -qq update && apt-get -qq -y install cloud-init >/dev/null 2>&1")?;
    host.with_args(
        "seed=/var/lib/cloud/seed/nocloud; mkdir -p $seed; echo 'instance-id: badday' >$seed/meta-data; printf %s \"$1\" >$seed/user-data
        printf 'datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\n' >/etc/cloud/cloud.cfg.d/99-lab.cfg",
        &[USER_DATA],
    )?
    .ended(0)?;
    restart(&host)?;
    std::thread::sleep(Duration::from_secs(2));
    wait_for_ssh(&host)?;
    ensure!(!host.holds("test -e /root/first-start-over")?, "cloud-init was too quick for this test");
    let facts = desk.petasos(&["facts"])?.ended(0)?;
    facts
        .says(&["\"cloud_init\": true"])
        .with_context(|| host.sh("cloud-init status --long; systemctl list-jobs").unwrap_or_default())?;
    let said = converged(&desk, &host, desk.petasos(&["up"])?)?;
    said.says(&["cloud-init is still running on the host: waiting"])?;
    let over = host.sh("cat /root/first-start-over")?.trim().parse::<u64>()?;
    let begun = host.sh("sed -n 1p /var/lib/petasos/history.jsonl; stat -c %W /etc/petasos")?;
    let begun = begun.lines().last().unwrap_or_default().parse::<u64>()?;
    ensure!(begun >= over, "the first change was made at {begun}, cloud-init was over at {over}");
    ensure!(host.sh("cloud-init status || :")?.contains("status: done"), "cloud-init was disturbed");
    // What it did last weakens what is wanted, and was seen.
    ensure!(host.sh("sshd -T -C user=ops,host=x,addr=192.0.2.1")?.contains("\npasswordauthentication no\n"));
    // A start without anything to do for it, and a package that came without a start, are not
    // waited for.
    let again = desk.petasos(&["up"])?.ended(0)?;
    ensure!(!again.all().contains("cloud-init is"), "{}", again.all());
    Ok(())
}

fn first_day() -> Result<()> {
    let (host, desk) = fresh("first", false)?;
    refused(&host, &desk, &FIRST)?;
    let said = up_while(&desk, vec![("] package ", Box::new(|| restart_under(&host, "dpkg")))])?;
    let said = converged(&desk, &host, said)?;
    ensure!(said.err.matches("the host is back").count() == 1, "not one absence:\n{}", said.err);
    Ok(())
}

fn second_day() -> Result<()> {
    let (host, desk) = fresh("second", false)?;
    refused(&host, &desk, &SECOND)?;
    converged(&desk, &host, desk.petasos(&["up"])?)?;
    // It restarts while a change is armed: that one is taken back, and so the run ends.
    let slowly = "check: [sh, -c, 'sleep 8; sshd -t -f \"$0\"', \"{}\"]";
    desk.edit("playbooks/10-base.yaml", "check: [sshd, -t, -f, \"{}\"]", slowly)?;
    desk.edit("templates/base/sshd.conf.tera", "MaxAuthTries 3\n", "MaxAuthTries 3\nPermitTTY no\n")?;
    let said = up_while(&desk, vec![("] file /etc/ssh/sshd_config.d/00-petasos.conf", Box::new(|| restart(&host)))])?;
    ensure!(said.code == 4, "it ended with {}, not 4:\n{}", said.code, said.all());
    said.says(&["was rolled back"])?;
    converged(&desk, &host, desk.petasos(&["up"])?).map(drop)
}

/// A package whose configuration takes as long as there is a file; dpkg is killed in the middle of
/// it.
const INTERRUPT: &str = r#"
mkdir -p /root/odd/DEBIAN
printf 'Package: badday\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: slow\n' >/root/odd/DEBIAN/control
printf '#!/bin/sh\nwhile [ -e /root/slow ]; do sleep 0.1; done\n' >/root/odd/DEBIAN/postinst
chmod 755 /root/odd/DEBIAN/postinst
dpkg-deb -b /root/odd /root/badday.deb >/dev/null
touch /root/slow
dpkg -i /root/badday.deb >/dev/null 2>&1 &
for n in $(seq 100); do pgrep -f badday.postinst >/dev/null && break; sleep 0.1; done
pkill -9 -x dpkg
rm /root/slow
sleep 0.3
dpkg --audit
"#;

/// Holds apt's lock for SECONDS, from where it does not hold anything else up.
fn hold_apt(host: &Host, file: &str, seconds: u32) -> Result<()> {
    let hold =
        format!("import fcntl, time; f = open('{file}', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep({seconds})");
    host.sh(&format!("setsid python3 -c \"{hold}\" </dev/null >/dev/null 2>&1 & sleep 0.5")).map(drop)
}

fn installs(host: &Host) -> Result<usize> {
    Ok(host
        .sh("cat /var/log/apt/history.log")?
        .lines()
        .filter(|line| line.starts_with("Commandline: ") && line.contains(" install"))
        .count())
}

fn packages() -> Result<()> {
    let shared = shared("bookworm")?;
    let (host, desk) = (&shared.host, &shared.desk);
    // Interrupted, and nothing to install.
    ensure!(host.sh(INTERRUPT)?.contains("badday"), "dpkg was not interrupted");
    desk.petasos(&["plan"])?.ended(2)?.says(&["dpkg: interrupted -> finished"])?;
    // While somebody is at work, half-way is no drift.
    hold_apt(host, "/var/lib/dpkg/lock-frontend", 5)?;
    desk.petasos(&["plan"])?.ended(0)?;
    std::thread::sleep(Duration::from_secs(5));
    converged(desk, host, desk.petasos(&["up"])?)?.says(&["dpkg: interrupted -> finished", ": 1 change,"])?;
    ensure!(host.sh("dpkg-query -W -f '${db:Status-Status}' badday")? == "installed");
    host.sh("apt-get -qq -y purge badday unattended-upgrades >/dev/null 2>&1")?;
    // The connection is lost at that step: its script is waited for, and nothing is installed
    // twice.
    hold_apt(host, "/var/lib/dpkg/lock-frontend", 12)?;
    let before = installs(host)?;
    let said = up_while(desk, vec![("apt is in use", Box::new(|| kill_ssh(desk)))])?;
    let said = converged(desk, host, said)?;
    said.says(&["the host went away", "a step that the lost connection started is still running", "the host is back"])?;
    ensure!(installs(host)? == before + 1, "installed {} times:\n{}", installs(host)? - before, said.all());
    Ok(())
}

/// Ends the connection of a run, without a word to the host: the run's own ssh is killed.
fn kill_ssh(desk: &Desk) -> Result<()> {
    std::thread::sleep(Duration::from_secs(2));
    let mine = "for p in $(pgrep -x ssh); do tr '\\0' ' ' </proc/$p/cmdline | grep -qF \"$0\" && kill -9 $p && echo $p; done; :";
    let mut command = Command::new("sh");
    command.args(["-c", mine, &desk.path("").display().to_string()]);
    ensure!(!Said::of(command, "")?.ended(0)?.out.is_empty(), "the run has no connection");
    Ok(())
}

fn locks() -> Result<()> {
    let (host, desk) = fresh("locks", false)?;
    converged(&desk, &host, desk.petasos(&["up"])?)?;
    host.sh("apt-get -qq -y install needrestart >/dev/null 2>&1")?;
    for file in ["/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"] {
        host.sh("apt-get -qq -y purge unattended-upgrades >/dev/null 2>&1; rm -rf /var/lib/apt/lists/*Packages*; apt-get clean")?;
        hold_apt(&host, file, 8)?;
        let said = converged(&desk, &host, desk.petasos(&["up"])?).with_context(|| file)?;
        said.says(&["apt is in use (python3, process "]).with_context(|| file)?;
        ensure!(said.took > Duration::from_secs(6), "{file} was not waited for: {:?}", said.took);
    }
    ensure!(host.sh("grep -c -i -E 'restart|kernel' /var/log/apt/term.log")?.trim() != "0", "needrestart did not run");
    never_ending(&host, &desk)
}

/// apt itself says who holds its lock for ever; here after two seconds, and not after ten minutes:
/// by wrappers around apt-get and the clock.
fn never_ending(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("apt-get -qq -y purge unattended-upgrades >/dev/null 2>&1")?;
    host.sh(
        "cd /usr/local/sbin
        printf '#!/bin/sh\nfor word; do shift; [ \"$word\" != DPkg::Lock::Timeout=600 ] || word=DPkg::Lock::Timeout=2; set -- \"$@\" \"$word\"; done\nexec /usr/bin/apt-get \"$@\"\n' >apt-get
        printf '#!/bin/sh\n[ \"$*\" = +%%s ] || exec /usr/bin/date \"$@\"\nn=$(($(cat /root/later 2>/dev/null || echo 0) + 700)); echo $n >/root/later; expr $(/usr/bin/date +%%s) + $n\n' >date
        chmod 755 apt-get date",
    )?;
    hold_apt(host, "/var/lib/dpkg/lock-frontend", 60)?;
    let said = desk.petasos(&["up"]);
    host.sh("rm -f /usr/local/sbin/apt-get /usr/local/sbin/date; pkill python3 || :")?;
    let said = said?;
    one_error(&said, &["waited 10 minutes: ", " by process ", "(python3)", "end it on the host"])?;
    converged(desk, host, desk.petasos(&["up"])?).map(drop)
}

fn restarts() -> Result<()> {
    let (host, desk) = fresh("restart", true)?;
    let deeds: Vec<(&str, Deed<'_>)> = vec![
        ("] package ", Box::new(|| restart_under(&host, "dpkg"))),
        ("] release ", Box::new(|| restart_under(&host, "uv"))),
    ];
    let said = up_while(&desk, deeds)?;
    let said = converged(&desk, &host, said)?;
    ensure!(said.err.matches("the host is back").count() == 2, "not two absences:\n{}", said.err);
    ensure!(host.unit("hermes.service", "ActiveState")? == "active");
    full_in_the_middle(&host, &desk)
}

/// The disk fills up while a release is built: nothing tells beforehand.
fn full_in_the_middle(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("rm -rf /opt/hermes/releases/*/.petasos-release; mount -t tmpfs -o size=90M none /opt/hermes/releases")?;
    let said = desk.petasos(&["up"]);
    // The last of its workers may be there for a moment.
    host.sh("umount -l /opt/hermes/releases")?;
    let said = said?;
    one_error(&said, &["`release 0.19.0` failed", "No space left on device", "hint: make room"])?;
    converged(desk, host, desk.petasos(&["up"])?).map(drop)
}

fn cable(host: &Host, state: &str) -> Result<()> {
    let address = host.address.to_string();
    let octet = address.rsplit('.').next().unwrap_or_default();
    let mut command = Command::new("ip");
    command.args(["-n", "petasos-inet", "link", "set", &format!("host{octet}"), state]);
    Said::of(command, "")?.ended(0).map(drop)
}

fn cut(host: &Host, seconds: u64) -> Result<()> {
    cable(host, "down")?;
    std::thread::sleep(Duration::from_secs(seconds));
    cable(host, "up")
}

fn cuts() -> Result<()> {
    for (seconds, absences) in [(20, 0), (70, 1)] {
        let (host, desk) = fresh("cut", true)?;
        let deed = || cut(&host, seconds);
        let said = up_while(&desk, vec![("] package ", Box::new(deed))])?;
        let said = converged(&desk, &host, said).with_context(|| anyhow!("a cut of {seconds} s"))?;
        ensure!(said.err.matches("the host is back").count() == absences, "{seconds} s:\n{}", said.err);
    }
    Ok(())
}
