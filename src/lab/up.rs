//! `up`: from a name to a host that answers ssh.
use super::host::{self, Record};
use super::{Lab, LabHost, NETWORK, SAME_HOST, Say, boot, lock, machine, need, net};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

impl Lab {
    /// A running host of that name, made now if there is none.
    ///
    /// A host that runs is given as it is: it may have been hardened since, so nothing is asked of it.
    pub async fn up(&self, name: &str, suite: Option<&str>, say: Say<'_>) -> Result<LabHost> {
        host::check_name(name)?;
        need::install(say).await?;
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        let running = Record::read(&self.paths, name).filter(|_| self.groups.alive(name));
        if let Some(record) = running.filter(|_| net::exists(name)) {
            if let Some(other) = suite.filter(|suite| *suite != record.suite) {
                bail!(
                    "lab host `{name}` runs {}, not {other}\nhint: `petasos lab down {name}` first, or take another name",
                    record.suite
                );
            }
            if !self.internet_is_up() {
                self.heal_internet(say).await?;
            }
            return Ok(self.shown(record));
        }
        let machine = machine::look().await?;
        let suite = suite.unwrap_or(machine.default_suite());
        let needs = self.prepare_internet(&machine, say).await?;
        let image = self.host_image(&machine, &needs, suite, say).await?;
        // What is left of a dead one; outside the common lock, as a lived-in tree takes its time.
        self.remove(name).await?;
        let record = {
            let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
            self.ensure_internet(&machine, &needs, say).await?;
            let address = host::free_address(&Record::all(&self.paths))?;
            let (name, suite) = (name.to_owned(), suite.to_owned());
            let record = Record { name, suite, address, image };
            record.write(&self.paths)?;
            record
        };
        let started = Instant::now();
        if let Err(error) = self.boot(&record).await {
            // The tree stays for a look; the next `up` or `down` of this name clears it.
            self.groups.kill(name).await?;
            return Err(error);
        }
        say(&format!(
            "lab host {name} ({suite}) answers ssh at {} after {:.1} s",
            record.address,
            started.elapsed().as_secs_f64()
        ));
        Ok(self.shown(record))
    }

    async fn boot(&self, record: &Record) -> Result<()> {
        net::build_host(&record.name, record.address).await?;
        host::prepare(&self.paths, record).await?;
        let dir = self.paths.host(&record.name);
        boot::start(&self.groups, &record.name, &record.image, &dir, &host::boot_words()).await?;
        host::wait_for_ssh(&self.paths, &self.groups, record, Duration::from_secs(90)).await.map(drop)
    }

    /// Starts the internet under hosts that run on without it.
    async fn heal_internet(&self, say: Say<'_>) -> Result<()> {
        let machine = machine::look().await?;
        let needs = self.prepare_internet(&machine, say).await?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        self.ensure_internet(&machine, &needs, say).await
    }
}
