//! What goes wrong on the way to a host and on it: one clear error each, and the right exit code.
//! What needs no host is in tests/cli.

use super::harness::{Desk, Host, Said, shared, ssh_config, trial};
use anyhow::{Context, Result, anyhow, ensure};
use libtest_mimic::Trial;
use std::process::Command;
use std::sync::OnceLock;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("errors::a closed port", closed_port),
        trial("errors::an address that nobody has", nobody),
        trial("errors::a key that the host does not accept", wrong_key),
        trial("errors::a host key that changed", changed_host_key),
        trial("errors::a user without sudo", no_sudo),
        trial("errors::not Debian or Ubuntu", not_debian),
        trial("errors::a secret that nobody has", missing_secret),
        trial("errors::a bad host does not stop a good one", bad_and_good),
        trial("errors::a package that the distribution does not have", no_such_package),
        trial("errors::another run is in progress on the host", locked),
    ]
}

/// Exactly one error, that says all these words; and a hint.
fn one_error(said: &Said, code: i32, words: &[&str]) -> Result<()> {
    ensure!(said.code == code, "it ended with {}, not {code}:\n{}", said.code, said.all());
    ensure!(said.err.matches("error: ").count() == 1, "not one error:\n{}", said.err);
    said.says(words)?;
    ensure!(said.err.contains("hint: "), "no hint:\n{}", said.err);
    ensure!(!said.err.contains("panicked"), "{}", said.err);
    Ok(())
}

/// A fresh host to be spoilt, and a desk for it.
fn fresh(name: &str) -> Result<(Host, Desk)> {
    let host = Host::fresh(name, "trixie")?;
    let desk = Desk::of(&[&host])?;
    Ok((host, desk))
}

/// A fresh host that nobody changes, and a desk for it.
fn untouched() -> Result<(&'static Host, Desk)> {
    static HOST: OnceLock<Result<Host, String>> = OnceLock::new();
    let host = HOST.get_or_init(|| Host::fresh("untouched", "trixie").map_err(|error| format!("{error:#}")));
    let host = host.as_ref().map_err(|why| anyhow!("{why}"))?;
    Ok((host, Desk::of(&[host])?))
}

fn closed_port() -> Result<()> {
    let (host, desk) = untouched()?;
    desk.write("petasos.yaml", &format!("hosts: {{ web: {{ address: \"root@{}:2222\" }} }}\n", host.address))?;
    one_error(&desk.petasos(&["up"])?, 1, &["cannot reach", ":2222", "refused"])
}

fn nobody() -> Result<()> {
    let (_, desk) = untouched()?;
    desk.write("petasos.yaml", "hosts: { web: { address: root@198.51.100.199 } }\n")?;
    one_error(&desk.petasos(&["plan"])?, 1, &["cannot reach", "198.51.100.199"])
}

fn keygen(desk: &Desk) -> Result<String> {
    let file = desk.path("other-key").display().to_string();
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f", &file]);
    Said::of(command, "")?.ended(0)?;
    Ok(file)
}

fn wrong_key() -> Result<()> {
    let (host, desk) = untouched()?;
    let key = keygen(&desk)?;
    let config = ssh_config(&[host])?;
    let without: Vec<&str> = config.lines().filter(|line| !line.contains("IdentityFile ")).collect();
    desk.write("ssh_config", &format!("{}\n", without.join("\n")))?;
    one_error(&desk.petasos(&["up", "--identity", &key])?, 1, &["refused the login", "Permission denied"])
}

fn changed_host_key() -> Result<()> {
    let (host, desk) = fresh("other-key")?;
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh.service")?;
    one_error(&desk.petasos(&["up"])?, 1, &["host key", "does not match the recorded one", "ssh-keygen -R"])
}

fn no_sudo() -> Result<()> {
    let (host, desk) = fresh("no-sudo")?;
    host.sh("useradd --create-home --shell /bin/bash deploy; install -d -o deploy -g deploy -m 700 ~deploy/.ssh")?;
    host.sh("install -o deploy -g deploy -m 600 /root/.ssh/authorized_keys ~deploy/.ssh/")?;
    desk.edit("petasos.yaml", "root@", "deploy@")?;
    // Sudo wants a password; sudo says no; there is no sudo.
    for made_so in [
        "usermod -aG sudo deploy; echo deploy:Correct-horse-7 | chpasswd",
        "gpasswd -d deploy sudo",
        "rm -f /usr/bin/sudo",
    ] {
        host.sh(made_so)?;
        let said = desk.petasos(&["up"])?;
        one_error(&said, 1, &["`deploy` cannot become root", "passwordless sudo"]).with_context(|| made_so)?;
    }
    Ok(())
}

fn not_debian() -> Result<()> {
    let (host, desk) = fresh("not-debian")?;
    host.sh("rm /etc/os-release; printf 'ID=fedora\\nVERSION_ID=42\\n' >/etc/os-release")?;
    let before = host.sh("dpkg-query -W | wc -l; ls /etc | wc -l")?;
    one_error(&desk.petasos(&["up"])?, 1, &["this is fedora, not Debian or Ubuntu"])?;
    one_error(&desk.petasos(&["plan"])?, 1, &["this is fedora, not Debian or Ubuntu"])?;
    ensure!(host.sh("dpkg-query -W | wc -l; ls /etc | wc -l")? == before, "it changed the host all the same");
    Ok(())
}

fn missing_secret() -> Result<()> {
    let (host, desk) = untouched()?;
    let yaml = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{yaml}agent: {{ secrets: [WEATHER_API_KEY] }}\n"))?;
    let words = ["the secret `WEATHER_API_KEY` is missing", "in the environment"];
    one_error(&desk.petasos(&["up"])?, 1, &words)?;
    ensure!(!host.holds("id ops")?, "it changed the host all the same");
    Ok(())
}

fn bad_and_good() -> Result<()> {
    let shared = shared("bookworm")?;
    let yaml = shared.desk.read("petasos.yaml")?;
    let bad = yaml.replacen("hosts:\n", "hosts:\n  nowhere: { address: \"root@127.0.0.1:1\" }\n", 1);
    shared.desk.write("petasos.yaml", &bad)?;
    shared.host.sh("rm /etc/apt/apt.conf.d/zz-petasos-upgrades")?;
    let up = shared.desk.petasos(&["up"]);
    shared.desk.write("petasos.yaml", &yaml)?;
    let up = up?;
    one_error(&up, 1, &["cannot reach", "t-bookworm (", ": 1 change,"])?;
    shared.host.sh("test -f /etc/apt/apt.conf.d/zz-petasos-upgrades").map(drop)
}

/// The oracle of what there is, is apt-get itself.
fn no_such_package() -> Result<()> {
    let shared = shared("bookworm")?;
    let yaml = shared.desk.read("petasos.yaml")?;
    let done = misspelt(&shared.host, &shared.desk, &yaml);
    shared.desk.write("petasos.yaml", &yaml)?;
    shared.host.sh("rm -f /usr/local/sbin/apt-cache /run/asked")?;
    done
}

fn misspelt(host: &Host, desk: &Desk, yaml: &str) -> Result<()> {
    let packages =
        |names: &str| desk.write("petasos.yaml", &format!("{yaml}agent: {{ sandbox: {{ packages: [{names}] }} }}\n"));
    let caret = format!("petasos.yaml:{}:41", yaml.lines().count() + 1);
    let misspelt = ["Debian 12 has no package `nodjs`", &caret, "did you mean `nodejs`?"];
    // Whoever asks apt leaves a mark; a host that has all that is named is not asked.
    host.sh("printf '#!/bin/sh\\ntouch /run/asked; exec /usr/bin/apt-cache \"$@\"\\n' >/usr/local/sbin/apt-cache; chmod +x /usr/local/sbin/apt-cache")?;
    desk.petasos(&["plan"])?.ended(0)?;
    ensure!(!host.holds("test -e /run/asked")?, "apt was asked about what is installed");
    host.sh("! apt-get -qq -s install nodjs 2>&1 && apt-get -qq -s install nodejs")?;
    packages("ripgrep, nodejs")?;
    desk.petasos(&["plan"])?.ended(2)?.says(&[": 1 change", "nodejs: absent -> installed"])?;
    ensure!(host.holds("test -e /run/asked")?, "apt was not asked about what is not installed");
    packages("ripgrep, nodjs, no-such")?;
    one_error(&desk.petasos(&["plan"])?, 1, &misspelt)?;
    const RECORD: &str = "cat /var/lib/petasos/history.jsonl; dpkg-query -W | wc -l";
    let before = host.sh(RECORD)?;
    one_error(&desk.petasos(&["up"])?, 1, &misspelt)?;
    ensure!(host.sh(RECORD)? == before, "it changed the host all the same");
    // Old lists do not know what is new: apt fetches them, and then says the same.
    host.sh("find /var/lib/apt/lists -maxdepth 1 -type f -exec touch -d '2 days ago' {} +")?;
    desk.petasos(&["plan"])?.ended(2).map(drop)?;
    one_error(&desk.petasos(&["up"])?, 1, &misspelt)
}

fn locked() -> Result<()> {
    let shared = shared("bookworm")?;
    let (host, desk) = (&shared.host, &shared.desk);
    host.sh("apt-get -qq -y remove unattended-upgrades >/dev/null 2>&1; rm /etc/apt/apt.conf.d/zz-petasos-upgrades")?;
    // The first run waits for dpkg, which somebody else holds.
    let hold = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(60)";
    let hold = format!("setsid python3 -c \"{hold}\" </dev/null >/dev/null 2>&1 & echo $!");
    let holder = host.sh(&hold)?;
    let (first, second, file) = std::thread::scope(|scope| {
        let first = scope.spawn(|| desk.petasos(&["up"]));
        let waits =
            host.sh("for n in $(seq 300); do pgrep -f 'apt-get .*install' >/dev/null && break; sleep 0.1; done");
        let second = waits.and_then(|_| desk.petasos(&["up"]));
        let file = host.holds("test -e /etc/apt/apt.conf.d/zz-petasos-upgrades");
        let freed = host.run(&format!("kill {}", holder.trim()));
        let first = first.join().map_err(|_| anyhow!("the first run's thread died"));
        (first, freed.and(second), file)
    });
    one_error(&second?, 1, &["another run is in progress", "process "])?;
    ensure!(!file?, "the second run changed the host all the same");
    first??.ended(0)?.says(&[": 2 changes,"])
}
