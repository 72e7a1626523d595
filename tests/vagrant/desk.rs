//! The machine of somebody who uses Vagrant.

use crate::MACHINE;
use anyhow::{Context, Result, ensure};
use petasos::lab::{Form, Lab, LabHost};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;
use tokio::runtime::Runtime;

pub struct Desk {
    runtime: Runtime,
    lab: Lab,
    host: LabHost,
}

/// What a program said on either stream, and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    all: String,
}

impl Said {
    pub fn ended(self, code: i32) -> Result<Said> {
        ensure!(self.code == Some(code), "it ended with {:?}, not {code}:\n{}", self.code, self.all);
        Ok(self)
    }

    pub fn says(&self, words: &[&str]) -> Result<()> {
        for word in words {
            ensure!(self.all.contains(word), "it does not say `{word}`:\n{}", self.all);
        }
        Ok(())
    }
}

impl Desk {
    /// A machine with Vagrant, this repository's `vagrant`, a pinned release, and that box under
    /// bento's name.
    pub fn with_box(machine: &str, name: &str) -> Result<Desk> {
        let (runtime, lab) = (Runtime::new()?, Lab::open()?);
        let host = runtime.block_on(async {
            lab.down(machine).await?;
            lab.up(machine, &Form::of_suite("trixie"), &mut |line| eprintln!("{line}")).await
        })?;
        let desk = Desk { runtime, lab, host };
        desk.step("packages", include_str!("packages.sh"), None)?.ended(0)?;
        let program = File::open(env!("CARGO_BIN_EXE_petasos"))?;
        desk.step("petasos", "cat >/usr/local/bin/petasos; chmod +x /usr/local/bin/petasos", Some(program))?
            .ended(0)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vagrant");
        for file in ["Vagrantfile", "petasos.yaml", "box"] {
            let text = File::open(folder.join(file)).with_context(|| file.to_owned())?;
            desk.step(file, &format!("mkdir -p vagrant; cat >vagrant/{file}"), Some(text))?.ended(0)?;
        }
        desk.step("pin", "cd vagrant && petasos pin 0.19.0", None)?.ended(0)?;
        desk.step("box", &format!("sh vagrant/box {name}"), None)?.ended(0)?;
        desk.step("box add", &format!("vagrant box add --name bento/{name} {name}.box"), None)?.ended(0)?;
        Ok(desk)
    }

    /// `vagrant`, called for the machine in its folder; `settings` are words of the shell before
    /// it.
    pub fn run(&self, settings: &str, verb: &str) -> Result<Said> {
        let script =
            format!("cd vagrant; OPENROUTER_API_KEY=sk-or-v1-for-the-lab-only {settings} vagrant {verb} {MACHINE}");
        self.step(&format!("{settings} vagrant {verb}"), &script, None)
    }

    /// The same, where it must end with that code.
    pub fn vagrant(&self, settings: &str, verb: &str, code: i32) -> Result<Said> {
        self.run(settings, verb)?.ended(code)
    }

    /// Nothing is left to do.
    pub fn unchanged(&self) -> Result<()> {
        self.vagrant("", "up", 0)?.says(&[": 0 changes,", "1 round trip"])
    }

    /// A script in Vagrant's folder.
    pub fn sh(&self, script: &str) -> Result<Said> {
        self.step(script, &format!("cd vagrant; {script}"), None)?.ended(0)
    }

    /// A script as root in the virtual machine, by the login that the Vagrantfile wrote.
    pub fn guest(&self, script: &str) -> Result<Said> {
        let login = format!("ssh -F .vagrant/ssh_config.{MACHINE} {MACHINE} sudo sh -eus");
        self.step(script, &format!("cd vagrant; {login} <<'GUEST'\n{script}\nGUEST"), None)?.ended(0)
    }

    /// The key that petasos.lock has for the machine.
    pub fn host_key(&self) -> Result<String> {
        let said = self.sh("grep -o 'SHA256:[^\"]*' petasos.lock")?;
        ensure!(!said.out.trim().is_empty(), "petasos.lock has no host key");
        Ok(said.out)
    }

    /// From now on Vagrant reaches the machine at 127.0.0.1, port 2222.
    pub fn forward(&self) -> Result<()> {
        self.step("forward", include_str!("forward.sh"), None)?.ended(0).map(drop)
    }

    /// A login by the library that Vagrant logs in with.
    pub fn net_ssh(&self) -> Result<Said> {
        let script = include_str!("net-ssh.rb");
        let key = format!(".vagrant/machines/{MACHINE}/libvirt/private_key");
        let place = format!("$(awk '/HostName|Port/ {{ print $2 }}' .vagrant/ssh_config.{MACHINE})");
        self.step("net-ssh", &format!("cd vagrant; ruby - {place} {key} <<'RUBY'\n{script}\nRUBY\n"), None)
    }

    fn step(&self, what: &str, script: &str, input: Option<File>) -> Result<Said> {
        let began = Instant::now();
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.host.ssh_config).arg(format!("root@{}", self.host.address));
        // As a script of its own, the standard input of which is free for a file.
        command.arg(format!("set -eu\n{script}"));
        command.stdin(input.map_or_else(Stdio::null, Stdio::from));
        let Output { status, stdout, stderr } = command.output().context("cannot run ssh")?;
        let out = String::from_utf8_lossy(&stdout).into_owned();
        let mut all = out.clone();
        let _ = write!(all, "{}", String::from_utf8_lossy(&stderr));
        let line = format!("{what}: {:.0} s, ended with {:?}", began.elapsed().as_secs_f64(), status.code());
        let _ = writeln!(std::io::stderr(), "{line}");
        Ok(Said { code: status.code(), out, all })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Err(error) = self.runtime.block_on(self.lab.down(&self.host.name)) {
            eprintln!("warning: {error:#}");
        }
    }
}
