//! A lab host, by two ways: a real login over SSH, and its console, which asks no sshd.

use super::world::{lock, reap, world};
use anyhow::{Context, Result, ensure};
use petasos::lab::{Form, LabHost};
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Deref;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Said {
    pub fn of(mut command: Command, input: &str) -> Result<Said> {
        let began = Instant::now();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().with_context(|| format!("cannot run {command:?}"))?;
        let mut stdin = child.stdin.take().context("no input")?;
        let text = input.to_owned();
        // A program that reads nothing closes the pipe: how it ended tells why.
        let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        let Output { status, stdout, stderr } = child.wait_with_output()?;
        drop(writer.join());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Said { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr), took: began.elapsed() })
    }

    /// Ends the test unless the program ended with this code.
    pub fn ended(self, code: i32) -> Result<Said> {
        ensure!(self.code == code, "it ended with {}, not {code}:\n{}\n{}", self.code, self.out, self.err);
        Ok(self)
    }

    pub fn says(&self, words: &[&str]) -> Result<()> {
        for word in words {
            ensure!(self.all().contains(word), "it does not say `{word}`:\n{}", self.all());
        }
        Ok(())
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

pub struct Host {
    lab: LabHost,
}

/// The names of this run's hosts: a second of the same name would end the first.
static ALIVE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl Deref for Host {
    type Target = LabHost;
    fn deref(&self) -> &LabHost {
        &self.lab
    }
}

impl Host {
    /// A fresh host; whatever had its name before is gone.
    pub fn fresh(name: &str, suite: &str) -> Result<Host> {
        Host::formed(name, &Form::of_suite(suite))
    }

    /// The same, in another form than the usual one.
    pub fn formed(name: &str, form: &Form) -> Result<Host> {
        let world = world();
        let name = format!("t-{name}");
        ensure!(lock(&ALIVE).insert(name.clone()), "another test has a host {name}");
        reap(&name)?;
        let mut said = Vec::new();
        let made = world.runtime.block_on(async {
            world.lab.down(&name).await?;
            world.lab.up(&name, form, &mut |line| said.push(line.to_owned())).await
        });
        if made.is_err() {
            lock(&ALIVE).remove(&name);
        }
        Ok(Host { lab: made.with_context(|| said.join("\n"))? })
    }

    /// A host on top of what [`Host::keep`] kept.
    pub fn from(name: &str, snapshot: &str) -> Result<Host> {
        Host::formed(name, &Form { from: Some(format!("t-{snapshot}")), ..Form::default() })
    }

    /// Stops the host, and keeps its disk under a name; whatever had that name before is gone.
    pub fn keep(self, snapshot: &str) -> Result<()> {
        let world = world();
        let snapshot = format!("t-{snapshot}");
        reap(&format!("+{snapshot}"))?;
        world.runtime.block_on(async {
            let upon = world.lab.snapshots().into_iter().filter(|other| other.below.contains(&snapshot));
            for other in upon {
                world.lab.remove_snapshot(&other.name).await?;
            }
            world.lab.remove_snapshot(&snapshot).await?;
            world.lab.snapshot(&self.name, &snapshot).await
        })
    }

    /// Pulls the host's cable, or plugs it in again.
    pub fn plug(&self, plugged: bool) -> Result<()> {
        let world = world();
        world.runtime.block_on(world.lab.plug(&self.name, plugged))
    }

    /// How many times longer than others this host may take: an emulated processor is that slow.
    pub fn slowness(&self) -> u32 {
        if self.vm.is_some() { 8 } else { 1 }
    }

    /// A script as root on the console.
    pub fn run(&self, script: &str) -> Result<Said> {
        self.with_args(script, &[])
    }

    pub fn with_args(&self, script: &str, args: &[&str]) -> Result<Said> {
        let words = world().lab.console(&self.name)?;
        let mut command = Command::new("timeout");
        command.arg((120 * self.slowness()).to_string()).args(words).args(["sh", "-eus", "--"]).args(args);
        Said::of(command, script)
    }

    /// The same, where it must succeed; what it said.
    pub fn sh(&self, script: &str) -> Result<String> {
        let said = self.run(script)?;
        ensure!(said.code == 0, "on {}, `{script}` ended with {}:\n{}", self.name, said.code, said.all());
        Ok(said.out)
    }

    /// Whether a script succeeds.
    pub fn holds(&self, script: &str) -> Result<bool> {
        Ok(self.run(script)?.code == 0)
    }

    /// A real login, with the lab's key unless the options say otherwise.
    pub fn login(&self, user: &str, options: &[&str], command: &str) -> Result<Said> {
        self.login_with(user, options, command, &[])
    }

    pub fn login_with(&self, user: &str, options: &[&str], line: &str, env: &[(&str, &str)]) -> Result<Said> {
        let mut command = Command::new("ssh");
        // The first value of an option wins: those here do over those of the file.
        command.args(options.iter().flat_map(|option| ["-o", option]));
        command.arg("-F").arg(&self.ssh_config).arg(format!("{user}@{}", self.address)).arg(line);
        command.envs(env.iter().copied());
        Said::of(command, "")
    }

    /// Goes down and comes up again; ends when this user's login works.
    pub fn reboot(&self, user: &str) -> Result<Duration> {
        self.reboot_to(user, 22)
    }

    /// The same, where SSH is at another port.
    pub fn reboot_to(&self, user: &str, port: u16) -> Result<Duration> {
        // Of a container the first, of a machine the second is another then.
        const STARTED: &str = "cut -d' ' -f22 /proc/1/stat; cat /proc/sys/kernel/random/boot_id";
        let before = self.sh(STARTED)?;
        // The host goes down under its own command, which may not return.
        let _ = self.run("systemctl reboot");
        let began = Instant::now();
        let since = || self.run(STARTED).ok().filter(|said| said.code == 0).is_some_and(|said| said.out != before);
        let port = format!("Port={port}");
        let patience = Duration::from_secs(60) * self.slowness();
        while !since() || self.login(user, &[&port, "ConnectTimeout=2"], "true")?.code != 0 {
            ensure!(began.elapsed() < patience, "{} does not come back:\n{}", self.name, self.talk());
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(began.elapsed())
    }

    /// The end of what the host said on its console.
    fn talk(&self) -> String {
        let talk = std::fs::read(self.ssh_config.with_file_name("console.log")).unwrap_or_default();
        String::from_utf8_lossy(talk.get(talk.len().saturating_sub(2000)..).unwrap_or_default()).into_owned()
    }

    /// Waits until the host is through with its start, in which nothing failed.
    pub fn started(&self) -> Result<()> {
        let state = self.run("systemctl is-system-running --wait")?;
        let failed = self.run("systemctl list-units --failed --plain --no-legend")?;
        ensure!(state.out.trim() == "running", "{} started as {}{}", self.name, state.all(), failed.all());
        Ok(())
    }

    /// What systemd says of a unit.
    pub fn unit(&self, unit: &str, property: &str) -> Result<String> {
        Ok(self.sh(&format!("systemctl show --value -p {property} {unit}"))?.trim().to_owned())
    }

    /// As the agent's user, in its unit's own view of the host.
    pub fn as_agent(&self, script: &str) -> Result<String> {
        let enter = "pid=$(systemctl show --value -p MainPID hermes.service); exec nsenter --target $pid --mount -- setpriv --reuid hermes --regid hermes --clear-groups sh -c \"$1\"";
        Ok(self.with_args(enter, &[script])?.ended(0)?.out)
    }

    /// Waits until the agent's API does.
    pub fn answers(&self) -> Result<()> {
        let wait = "for n in $(seq $1); do curl -sf -m 2 -o /dev/null http://127.0.0.1:8642/health && exit; sleep 1; done; exit 1";
        let answered = self.with_args(wait, &[&(60 * self.slowness()).to_string()])?;
        answered.ended(0).map(drop).with_context(|| format!("the agent on {} does not answer", self.name))
    }

    /// Talks to the agent through its API on the host's loopback; the key stays there.
    pub fn chat(&self, message: &str) -> Result<String> {
        let words = world().lab.console(&self.name)?;
        let mut command = Command::new("timeout");
        command.arg((150 * self.slowness()).to_string()).args(words).args(["python3", "-I", "-", message]);
        let said = Said::of(command, include_str!("chat.py"))?.ended(0)?;
        Ok(said.out.trim().to_owned())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let world = world();
        lock(&ALIVE).remove(&self.lab.name);
        if let Err(error) = world.runtime.block_on(world.lab.down(&self.lab.name)) {
            eprintln!("warning: {error:#}");
        }
    }
}
