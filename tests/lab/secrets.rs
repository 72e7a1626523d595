//! Where no secret may show: in what petasos says, in any process list, in the journal, in another
//! user's reach.

use super::harness::world::lock;
use super::harness::{SECRET, Said, Shared, converged, shared, ssh_config, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("secrets::none in anything that petasos prints", prints),
        trial("secrets::none in a process list or the journal while they are written", travels),
        trial("secrets::none readable to others on the host", at_rest),
        trial("secrets::a key that only the encrypted file has lets the agent answer", stored),
    ]
}

/// The key of the agent's API, which the host made for itself.
fn api_key(shared: &Shared) -> Result<String> {
    let key = shared.host.sh("sed -n \"s/^API_SERVER_KEY=//p\" /etc/hermes/secrets.env")?.trim().to_owned();
    ensure!(key.len() == 64, "no key of 32 bytes");
    Ok(key)
}

fn prints() -> Result<()> {
    let shared = &*shared("trixie")?;
    let (host, desk) = (&shared.host, &shared.desk);
    let secrets = [api_key(shared)?, SECRET.to_owned(), "somebody-elses".to_owned()];
    host.sh("echo \"NOTE='somebody-elses'\" >>/etc/hermes/.env; sed -i 's/manual/smart/' /etc/hermes/config.yaml")?;
    let mut said = 0;
    for words in [
        &["plan"][..],
        &["plan", "--diff"],
        &["plan", "--json"],
        &["plan", "--diff", "--json"],
        &["facts"],
        &["render"],
        &["up", "--json"],
        &["up"],
    ] {
        let run = desk.petasos(words)?;
        ensure!(matches!(run.code, 0 | 2), "{words:?}: {}", run.all());
        said += run.all().len();
        for secret in &secrets {
            ensure!(!run.all().contains(secret.as_str()), "`petasos {}` shows a secret", words.join(" "));
        }
    }
    ensure!(said > 5000, "they said hardly anything");
    let kept = host.sh("cat /etc/hermes/.env /etc/hermes/secrets.env")?;
    ensure!(
        !kept.contains("somebody") && kept.contains(SECRET) && kept.contains(&secrets[0]),
        "the file is not healed"
    );
    Ok(())
}

fn travels() -> Result<()> {
    let mut shared = shared("trixie")?;
    let new = SECRET.replace("4ad5", "5eed");
    shared.desk.set("OPENROUTER_API_KEY", Some(&new));
    let key = api_key(&shared)?;
    let (stop, lines) = (AtomicBool::new(false), Mutex::new(String::new()));
    // The command lines of all processes of the host, and of this machine, as often as it goes.
    let watch = || {
        while !stop.load(Ordering::Relaxed) {
            let there = shared.host.run("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").map(|said| said.out);
            let own: Vec<u8> = std::fs::read_dir("/proc")
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
                .flatten()
                .collect();
            lock(&lines).push_str(&format!("{}{}\n", there.unwrap_or_default(), String::from_utf8_lossy(&own)));
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let began = shared.host.sh("date +%s")?;
    let up = std::thread::scope(|scope| {
        scope.spawn(watch);
        let up = shared.desk.petasos(&["up"]);
        stop.store(true, Ordering::Relaxed);
        up
    })?;
    up.ended(0)?.says(&["file /etc/hermes/secrets.env: content: other (secret) -> new (secret)"])?;
    ensure!(shared.host.sh("cat /etc/hermes/secrets.env")?.contains(&new), "the new value did not arrive");
    let journal = shared.host.sh(&format!("journalctl --sync; journalctl -q -o export --since=@{}", began.trim()))?;
    let seen = lock(&lines);
    // The controls: the run was watched, and the journal is the right one.
    ensure!(seen.contains("sh -s") && seen.contains("petasos"), "the watcher saw no run");
    ensure!(journal.contains("hermes.service") && journal.contains("sshd"), "this journal knows nothing of the run");
    for secret in [&key, &new, SECRET] {
        ensure!(!seen.contains(secret), "a secret was in a command line");
        ensure!(!journal.contains(secret), "a secret is in the journal");
    }
    Ok(())
}

fn at_rest() -> Result<()> {
    let shared = &*shared("trixie")?;
    let host = &shared.host;
    let modes = host.sh("cd /etc/hermes; stat -c '%U:%G %a' secrets.env .env .")?;
    ensure!(modes == "root:root 600\nroot:hermes 640\nroot:hermes 751\n", "{modes}");
    let key = api_key(shared)?;
    // The control: the search finds the key where it belongs. Where else it is (what an undo
    // needs), only root can read it.
    let places = "/etc /var/log /var/lib/petasos /var/cache/petasos /run /tmp /home /root /opt/hermes/tools";
    let found = host.with_args(&format!("grep -rlsF -e \"$1\" {places} || :"), &[&key])?.ended(0)?.out;
    ensure!(found.lines().any(|path| path == "/etc/hermes/secrets.env"), "the search finds nothing: {found}");
    for path in found.lines().filter(|path| *path != "/etc/hermes/secrets.env") {
        ensure!(path.starts_with("/var/lib/petasos/"), "the API's key is in {path}");
        ensure!(
            !host.holds(&format!("runuser -u hermes -- cat '{path}' || runuser -u ops -- cat '{path}'"))?,
            "{path}"
        );
    }
    for user in ["nobody", "hermes", "ops"] {
        ensure!(!host.holds(&format!("runuser -u {user} -- cat /etc/hermes/secrets.env"))?, "{user} reads it");
    }
    // The agent has them all the same, and nobody who runs as it finds them there.
    let look = "p=$(systemctl show --value -p MainPID hermes.service); ! runuser -u hermes -- cat /proc/$p/environ && \
                ! tr '\\0' '\\n' </proc/$p/environ | grep -q ^API_SERVER_KEY= && \
                ! runuser -u hermes -- ls /proc/$p/fd && ls /proc/$p/fd >/dev/null";
    ensure!(host.holds(look)?, "the gateway's memory is open");
    ensure!(host.chat("hello")?.contains("hello"), "the agent does not answer");
    Ok(())
}

fn stored() -> Result<()> {
    let Shared { host, mut desk } = converged("stored", "trixie")?;
    desk.set("OPENROUTER_API_KEY", None);
    host.sh("sed -i /^OPENROUTER_API_KEY=/d /etc/hermes/secrets.env")?;
    desk.petasos(&["up"])?.ended(0)?.says(&["`OPENROUTER_API_KEY` is neither set in this environment nor stored"])?;
    // The control: without a key nobody answers.
    let answers = || host.chat("hello").is_ok_and(|answer| answer.contains("hello"));
    ensure!(!answers(), "the agent answers without a key");

    // Encrypted for the administrator's key, which is the lab's.
    let config = ssh_config(&[&host])?;
    let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile ")).context("no IdentityFile")?;
    let set = desk.command(&["secret", "set", "OPENROUTER_API_KEY", "--age-identity", key]);
    Said::of(set, &format!("{SECRET}\n"))?.ended(0)?;
    ensure!(!desk.read("secrets.yaml.age")?.contains(SECRET), "the file is not encrypted");
    let other = desk.petasos(&["up", "--age-identity", "/etc/hostname"])?;
    other.ended(1)?.says(&["no private key that can decrypt"])?;
    let up = desk.petasos(&["up", "--age-identity", key])?.ended(0)?;
    up.says(&["file /etc/hermes/secrets.env: content: other (secret) -> new (secret)"])?;
    ensure!(host.sh("cat /etc/hermes/secrets.env")?.contains(SECRET), "the value did not arrive");
    ensure!(answers(), "the agent does not answer");
    for words in [&["up"][..], &["plan", "--diff"], &["render"], &["secret", "list"]] {
        let said = desk.petasos(&[words, &["--age-identity", key]].concat())?.ended(0)?;
        ensure!(!said.all().contains(SECRET), "`petasos {}` shows the secret", words.join(" "));
        if words == ["up"] {
            said.says(&[": 0 changes,"])?;
        }
    }
    // The environment wins.
    desk.set("OPENROUTER_API_KEY", Some(&SECRET.replace("4ad5", "5eed")));
    desk.petasos(&["up", "--age-identity", key])?.ended(0)?;
    ensure!(host.sh("cat /etc/hermes/secrets.env")?.contains("5eed"), "the stored value won");
    Ok(())
}
