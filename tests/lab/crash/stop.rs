//! A run that stops after a step of our choice, without a hook in the product: a program on the
//! host counts what the run's script asks.

use super::super::harness::{Desk, Host};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

pub struct Run<'a> {
    host: &'a Host,
    child: Child,
    talk: PathBuf,
    began: Instant,
}

impl<'a> Run<'a> {
    /// `petasos up`, which will stop after that step; 0 for none.
    pub fn start(host: &'a Host, desk: &Desk, after: usize) -> Result<Run<'a>> {
        let prepare =
            "mkdir -p /run/t-crash /usr/local/sbin; cd /run/t-crash; rm -f hit go; echo 0 >count; echo \"$1\" >at
            printf %s \"$2\" >/usr/local/sbin/stat; chmod 755 /usr/local/sbin/stat";
        host.with_args(prepare, &[&after.to_string(), include_str!("stat.sh")])?.ended(0)?;
        let talk = desk.path("talk");
        let file = File::create(&talk)?;
        let mut command = desk.command(&["up"]);
        command.stdout(file.try_clone()?).stderr(file);
        Ok(Run { host, child: command.spawn()?, talk, began: Instant::now() })
    }

    /// What the client has said.
    pub fn talk(&self) -> String {
        std::fs::read_to_string(&self.talk).unwrap_or_default()
    }

    /// Waits until the step is done and the run stands still; says which step was the last that the
    /// client knew of.
    pub fn stopped(&mut self) -> Result<String> {
        while !self
            .host
            .holds("for n in $(seq 20); do [ ! -e /run/t-crash/hit ] || exit 0; sleep 0.05; done; exit 1")?
        {
            ensure!(self.child.try_wait()?.is_none(), "the run ended before that step:\n{}", self.talk());
            ensure!(
                self.began.elapsed() < Duration::from_secs(300) * self.host.slowness(),
                "the run hangs:\n{}",
                self.talk()
            );
        }
        Ok(self.talk().lines().last().unwrap_or("nothing said yet").to_owned())
    }

    /// Lets what stands still on the host go on; later runs are counted no more.
    pub fn go_on(&self) -> Result<()> {
        self.host.sh("rm -f /usr/local/sbin/stat; : >/run/t-crash/go").map(drop)
    }

    /// SIGKILL, while the host stands still.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.go_on()
    }

    /// Waits for the end; what the client said until then, or none if it still runs.
    pub fn ends(&mut self, limit: Duration) -> Result<Option<String>> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.child.try_wait()?.is_some() {
                return Ok(Some(self.talk()));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(None)
    }

    /// A run that nobody disturbs: how long it took, how many steps it had, and what it said.
    pub fn ends_well(mut self) -> Result<(Duration, usize, String)> {
        let status = self.child.wait()?;
        let took = self.began.elapsed();
        ensure!(status.success(), "the undisturbed run failed:\n{}", self.talk());
        self.go_on()?;
        let count = self.host.sh("cat /run/t-crash/count")?;
        Ok((took, count.trim().parse().context("no count")?, self.talk()))
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
