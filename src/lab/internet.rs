//! The lab's internet: its namespace, its services, and the relays to the registries.
use super::image::{Kind, Recipe};
use super::machine::Machine;
use super::names::{self, Place};
use super::paths::{create_dir, remove_tree, write};
use super::record::Record;
use super::{InternetHold, Lab, Say, boot, ca, github, net, registry, tools};
use crate::fault::Fault;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What must be built before the internet can start.
#[derive(Debug)]
pub(super) struct Needs {
    /// The Python of the lab's tools.
    pub python: PathBuf,
    /// The certificate of the lab's authority.
    pub authority: PathBuf,
    pub image: PathBuf,
}

impl Lab {
    /// One line of JSON per request that reached the internet's stub.
    pub fn internet_log(&self) -> PathBuf {
        self.paths.internet_logs().join("requests.jsonl")
    }

    /// One line of JSON per call that reached the internet's Telegram.
    pub fn telegram_log(&self) -> PathBuf {
        self.paths.internet_logs().join("telegram.jsonl")
    }

    /// Bare repositories: `<owner>/<repo>.git` in here is `https://github.com/<owner>/<repo>`.
    pub fn git_dir(&self) -> PathBuf {
        self.paths.git()
    }

    /// Starts the internet without a host, for what this machine itself asks of it; it stays at
    /// least as long as what this returns.
    pub async fn internet_up(&self, say: Say<'_>) -> Result<InternetHold> {
        super::need::install(&[], say).await?;
        let machine = super::machine::look().await?;
        let needs = self.prepare_internet(&machine, say).await?;
        let _all = super::lock::acquire(&self.paths.lock("lab"), super::NETWORK, say).await?;
        self.ensure_internet(&machine, &needs, say).await?;
        self.hold_internet()
    }

    /// Variables with which `https://github.com`, and what this machine pins of it, is the lab's:
    /// settings of git's, and the table of Pythons where one was made.
    pub fn environment(&self) -> Vec<(String, String)> {
        let authority = self.paths.authority().join("ca.crt");
        let settings = [
            ("http.curloptResolve".to_owned(), format!("github.com:443:{}", net::ROUTER)),
            ("http.sslCAInfo".to_owned(), authority.to_string_lossy().into_owned()),
        ];
        let mut environment = vec![("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string())];
        for (n, (key, value)) in settings.into_iter().enumerate() {
            environment.push((format!("GIT_CONFIG_KEY_{n}"), key));
            environment.push((format!("GIT_CONFIG_VALUE_{n}"), value));
        }
        // This variable would win over the setting.
        environment.push(("GIT_SSL_CAINFO".to_owned(), authority.to_string_lossy().into_owned()));
        let pythons = self.paths.pythons();
        if pythons.exists() {
            environment.push(("PETASOS_PYTHONS".to_owned(), pythons.to_string_lossy().into_owned()));
        }
        environment
    }

    /// Whether the internet runs, and answers this machine too.
    pub fn has_internet(&self) -> bool {
        self.internet_is_up()
    }

    pub(super) fn internet_is_up(&self) -> bool {
        net::internet_stands() && self.groups.alive(net::INTERNET) && self.groups.alive(registry::GROUP)
    }

    /// Builds what the internet is made of; long the first time, so it holds no lock of the
    /// network.
    pub(super) async fn prepare_internet(&self, machine: &Machine, say: Say<'_>) -> Result<Needs> {
        let python = tools::python(&self.paths, say).await?;
        github::ensure(&self.paths, say).await?;
        let authority = ca::authority(&self.paths, say).await?;
        let recipe = Recipe {
            kind: Kind::Internet,
            like: None,
            suite: machine.default_suite(),
            machine,
            authorities: Vec::new(),
            files: Vec::new(),
        };
        let image = super::image::ensure(&self.paths, &recipe, say).await?;
        Ok(Needs { python, authority, image })
    }

    /// Starts the internet unless it runs, as far as it does not; the caller holds the lab's lock.
    /// One that another petasos started, which serves other things, is restarted unless somebody
    /// uses it.
    pub(super) async fn ensure_internet(&self, machine: &Machine, needs: &Needs, say: Say<'_>) -> Result<()> {
        // Gone with the services, whoever ends them.
        let mark = self.paths.internet().join("upper/srv/lab/image");
        let image = needs.image.to_string_lossy();
        let ours = std::fs::read_to_string(&mark).is_ok_and(|started| started == image);
        if self.internet_is_up() && (ours || self.internet_is_used()) {
            return Ok(());
        }
        let started = Instant::now();
        let registries = registry::find(&self.paths, machine, &needs.python).await?;
        self.stop_services().await?;
        if !net::internet_stands() {
            let names: Vec<String> = registries.iter().map(|registry| registry.name.clone()).collect();
            net::check_addresses(&names).await?;
            net::build_internet().await?;
            remove_tree(&self.paths.internet_logs())?;
            self.attach_hosts().await?;
        } else {
            // It may be one that an older petasos built.
            net::give_six().await?;
        }
        let mut places = names::places();
        let dir = self.paths.internet();
        let tls: Vec<String> = places.iter().flat_map(|place| place.names.clone()).collect();
        ca::server(&self.paths, &tls, &dir.join("upper/srv/lab/tls")).await?;
        let relays: Vec<Place> = registries.iter().map(registry::Registry::place).collect();
        let addresses = |places: &[Place]| places.iter().flat_map(Place::addresses).collect::<Vec<_>>();
        net::give_addresses(&addresses(&places), &addresses(&relays)).await?;
        places.extend(relays);
        write(&dir.join("upper/srv/lab/hosts"), names::hosts_file(&places))?;
        write(&mark, image.as_ref())?;
        create_dir(&self.paths.internet_logs())?;
        boot::start(&self.groups, net::INTERNET, std::slice::from_ref(&needs.image), &dir, &self.service_words())
            .await?;
        registry::start_relays(&self.groups, &registries, &dir).await?;
        self.wait_for_internet(&dir).await?;
        say(&format!("the lab's internet is up after {:.1} s", started.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Words for systemd-nspawn: no system, only the services and what they serve.
    fn service_words(&self) -> Vec<String> {
        vec![
            "--as-pid2".to_owned(),
            format!("--bind-ro={}:/srv/git", self.paths.git().display()),
            format!("--bind={}:/var/log/internet", self.paths.internet_logs().display()),
            "bash".to_owned(),
            "/srv/lab/run.sh".to_owned(),
        ]
    }

    /// Hosts that outlived their bridge get a new cable.
    async fn attach_hosts(&self) -> Result<()> {
        for record in Record::all(&self.paths) {
            if self.groups.alive(&record.name) && net::exists(&record.name) {
                super::host::attach(&record).await?;
            }
        }
        Ok(())
    }

    async fn wait_for_internet(&self, dir: &Path) -> Result<()> {
        let started = Instant::now();
        loop {
            // nginx starts last and answers through the stub.
            let tcp = tokio::net::TcpStream::connect((net::ROUTER, 443));
            if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(1), tcp).await {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(20) {
                let (router, tail) = (net::ROUTER, boot::console_tail(dir));
                bail!(
                    Fault::new(format!("the lab's internet does not answer at {router}:443\n  {tail}"))
                        .hint(format!("its logs are in `{}`", self.paths.internet_logs().display()))
                );
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn stop_services(&self) -> Result<()> {
        self.groups.kill(registry::GROUP).await?;
        self.groups.kill(net::INTERNET).await?;
        for part in ["upper", "work", "root"] {
            remove_tree(&self.paths.internet().join(part))?;
        }
        Ok(())
    }

    pub(super) async fn stop_internet(&self) -> Result<()> {
        self.stop_services().await?;
        net::remove(net::INTERNET).await?;
        if net::names().is_empty() {
            self.groups.remove_root()?;
            net::forget_directory().await;
        }
        Ok(())
    }
}
