//! `up`: from a name to a host that answers ssh.
use super::image::{self, Kind, Recipe};
use super::internet::Needs;
use super::machine::{self, Machine};
use super::record::Record;
use super::{Form, Lab, LabHost, NETWORK, SAME_HOST, Say, boot, host, index, limits, lock, need, net, python, vm};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::{Duration, Instant};

impl Lab {
    /// A running host of that name, made now if there is none.
    ///
    /// A host that runs is given as it is: it may have been hardened since, so nothing is asked of
    /// it.
    pub async fn up(&self, name: &str, form: &Form, say: Say<'_>) -> Result<LabHost> {
        host::check_name(name)?;
        let wants_machine = form.vm.is_some()
            || form.from.as_deref().is_some_and(|from| self.find_snapshot(from).is_ok_and(|kept| kept.vm.is_some()));
        need::install(if wants_machine { need::MACHINES } else { &[] }, say).await?;
        let _own = lock::acquire(&self.paths.lock(&format!("host-{name}")), SAME_HOST, say).await?;
        let running = Record::read(&self.paths, name).filter(|_| self.groups.alive(name));
        if let Some(record) = running.filter(|_| net::exists(name)) {
            form.check(&record)?;
            if !self.internet_is_up() {
                self.heal_internet(say).await?;
            }
            return Ok(self.shown(record));
        }
        let alive = Record::all(&self.paths).iter().filter(|record| self.groups.alive(&record.name)).count();
        limits::make_room(alive, say);
        self.has_room(limits::DISK)?;
        let machine = machine::look().await?;
        let suite = form.suite.as_deref().unwrap_or(machine.default_suite());
        // Before anything is built.
        if form.vm.is_some() {
            vm::check(&machine.codename, machine.is_debian())?;
        }
        let snapshot = form.from.as_deref().map(|from| self.find_snapshot(from)).transpose()?;
        let six = snapshot.as_ref().map_or(form.ipv6, |snapshot| snapshot.ipv6);
        let needs = self.prepare_internet(&machine, say).await?;
        if form.like.is_some() {
            python::ensure(&self.paths, &machine, say).await?;
        }
        let image = match &snapshot {
            Some(snapshot) => snapshot.image.clone(),
            None => self.host_image(&machine, &needs, (suite, form), say).await?,
        };
        // What is left of a dead one; outside the common lock, as a lived-in tree takes its time.
        self.remove(name).await?;
        let record = {
            let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
            self.ensure_internet(&machine, &needs, say).await?;
            if six && !net::internet_has_six() {
                let hint = "an older petasos started it, or this machine's kernel has no IPv6; `petasos lab down --all` ends it";
                bail!(Fault::new("the lab's internet runs without IPv6").hint(hint));
            }
            let address = host::free_address(&Record::all(&self.paths))?;
            let record = match &form.from {
                // Again, under the lock: from the record on it cannot be removed any more.
                Some(from) => self.find_snapshot(from)?.host(name, address),
                None => {
                    let (name, suite) = (name.to_owned(), suite.to_owned());
                    let Form { ipv6, ssh_socket, like, vm, .. } = *form;
                    Record { name, suite, address, image, ipv6, ssh_socket, like, vm, snapshots: Vec::new() }
                }
            };
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
            "lab host {name} ({}) answers ssh at {} after {:.1} s",
            form.from.as_deref().unwrap_or_else(|| record.like.map_or(&*record.suite, |like| like.name())),
            record.reached_at(),
            started.elapsed().as_secs_f64()
        ));
        Ok(self.shown(record))
    }

    /// The image of a host of this suite: a provider's, plus what this machine and the lab hand in.
    async fn host_image(
        &self,
        machine: &Machine,
        needs: &Needs,
        (suite, form): (&str, &Form),
        say: Say<'_>,
    ) -> Result<PathBuf> {
        let index = index::look(&needs.python).await?;
        let lab = std::fs::read_to_string(&needs.authority).context("cannot read the lab's authority")?;
        let mut authorities = vec![lab];
        authorities.extend(machine.authorities.iter().cloned());
        let sources = machine.sources.iter().map(|source| source.line(suite) + "\n").collect();
        let mut files = vec![
            ("etc/pip.conf".to_owned(), index.pip_conf()),
            ("etc/uv/uv.toml".to_owned(), index.uv_toml()),
            ("etc/apt/sources.list.d/provider.list".to_owned(), sources),
        ];
        if !machine.apt_settings.is_empty() {
            files.push(("etc/apt/apt.conf.d/90machine".to_owned(), machine.apt_settings.join("\n") + "\n"));
        }
        let kind = if form.vm.is_some() { Kind::Machine } else { Kind::Host };
        image::ensure(&self.paths, &Recipe { kind, suite, like: form.like, machine, authorities, files }, say).await
    }

    async fn boot(&self, record: &Record) -> Result<()> {
        net::build_host(&record.name).await?;
        host::attach(record).await?;
        host::prepare(&self.paths, record).await?;
        let dir = self.paths.host(&record.name);
        let patience = match record.vm {
            Some(accel) => {
                vm::disk::copy(&record.disk(&self.paths), &dir).await?;
                vm::seed::pack(&record.image, &dir).await?;
                vm::run::start(&self.groups, record, accel, &dir).await?;
                vm::START
            }
            None => {
                boot::start(&self.groups, &record.name, &record.layers(&self.paths), &dir, &host::boot_words()).await?;
                Duration::from_secs(90)
            }
        };
        host::wait_for_ssh(&self.paths, &self.groups, record, patience).await.map(drop)
    }

    /// Starts the internet under hosts that run on without it.
    async fn heal_internet(&self, say: Say<'_>) -> Result<()> {
        let machine = machine::look().await?;
        let needs = self.prepare_internet(&machine, say).await?;
        let _all = lock::acquire(&self.paths.lock("lab"), NETWORK, say).await?;
        self.ensure_internet(&machine, &needs, say).await
    }
}
