//! The folder that `petasos demo` leaves: nothing in it but what a user would have there.

use crate::config::Config;
use crate::config::lock::LockFile;
use crate::fault::Fault;
use crate::lab::LabHost;
use crate::ui;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

const CONFIG: &str = "petasos.yaml";
const LOCK: &str = "petasos.lock";
const SSH: &str = "ssh_config";

pub struct Folder {
    pub path: PathBuf,
    host: String,
    /// The address that petasos.yaml has for the host; none while there is no such file.
    address: Option<String>,
}

impl Folder {
    /// A folder that is not there, has none of the demo's files, or has them all from the last
    /// time.
    ///
    /// # Errors
    /// When its files are somebody else's: nothing of theirs is touched.
    pub fn open(path: &Path, host: &str) -> Result<Self> {
        let folder = Self { path: path.to_owned(), host: host.to_owned(), address: None };
        let config = folder.config();
        let others = |file: &Path| {
            let fault = Fault::new(format!("`{}` is not the demo's: it has no host `{host}`", file.display()));
            fault.hint("name another folder: `petasos demo FOLDER`")
        };
        let text = match std::fs::read_to_string(&config) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match [folder.lock(), folder.path.join(SSH)].iter().find(|file| file.exists()) {
                    Some(file) => bail!(others(file)),
                    None => Ok(folder),
                };
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", config.display())),
        };
        match Config::read(&config.display().to_string(), &text)?.address(host) {
            Ok(target) => Ok(Self { address: Some(target.host.clone()), ..folder }),
            Err(_) => bail!(others(&config)),
        }
    }

    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub fn lock(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// Writes what is not there yet; what the user made of petasos.yaml stays. `fresh`: the host
    /// was made just now, so what petasos.lock says of an earlier one is no longer true.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, host: &LabHost, fresh: bool) -> Result<()> {
        let write = |name: &str, text: &str| {
            let path = self.path.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
        };
        std::fs::create_dir_all(&self.path).with_context(|| format!("cannot make `{}`", self.path.display()))?;
        let ssh = std::fs::read_to_string(&host.ssh_config)
            .with_context(|| format!("cannot read `{}`", host.ssh_config.display()))?;
        write(SSH, &ssh)?;
        let address = host.address.to_string();
        match &self.address {
            None => write(CONFIG, &example(&self.host, &address))?,
            Some(old) if *old == address => {}
            Some(old) => write(CONFIG, &std::fs::read_to_string(self.config())?.replace(old, &address))?,
        }
        if fresh && self.lock().exists() {
            let mut lock = LockFile::load(&self.lock())?;
            if lock.hosts.remove(&self.host).is_some() {
                lock.save(&self.lock())?;
            }
        }
        Ok(())
    }

    /// Removes what [`Folder::write`] wrote, and petasos.lock; and the folder, if nothing else is
    /// in it.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(&self) -> Result<()> {
        if self.address.is_none() {
            ui::note(&format!(
                "there is no folder `{}` of the demo's: the host alone was removed",
                self.path.display()
            ));
            return Ok(());
        }
        for file in [CONFIG, LOCK, SSH].map(|name| self.path.join(name)) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove `{}`", file.display()));
                }
                _ => {}
            }
        }
        // Whoever is in it may name it `.`, which has no name to be removed by.
        let path = std::fs::canonicalize(&self.path)?;
        if path.read_dir()?.next().is_some() {
            ui::note(&format!("`{}` stays: there is more in it", path.display()));
            return Ok(());
        }
        std::fs::remove_dir(&path).with_context(|| format!("cannot remove `{}`", path.display()))
    }
}

fn example(host: &str, address: &str) -> String {
    format!(
        "# Written by `petasos demo`. `petasos init` writes one that explains every key.
hosts:
  {host}: {{ address: root@{address} }}
# How ssh reaches the host: with the lab's own key. Your own hosts do not need this.
ssh: {{ config: {SSH} }}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::lock::HostFacts;

    fn lab_host(folder: &Path, address: &str) -> LabHost {
        let ssh_config = folder.join("lab-ssh-config");
        std::fs::write(&ssh_config, format!("Host {address}\n")).unwrap();
        let (name, suite) = ("demo".to_owned(), "trixie".to_owned());
        LabHost {
            name,
            suite,
            like: None,
            vm: None,
            address: address.parse().unwrap(),
            ipv6: "::1".parse().unwrap(),
            ssh_config,
        }
    }

    fn open(path: &Path) -> Result<Folder> {
        Folder::open(path, "demo")
    }

    #[test]
    fn what_it_leaves_is_sound_and_follows_the_host() {
        let lab = tempfile::tempdir().unwrap();
        let path = lab.path().join("demo");
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.10"), true).unwrap();
        let yaml = path.join(CONFIG);
        let edited = std::fs::read_to_string(&yaml).unwrap() + "guard: { confirm_timeout: 30 }\n";
        std::fs::write(&yaml, &edited).unwrap();
        let mut lock = LockFile::default();
        lock.hosts.insert("demo".into(), HostFacts::default());
        lock.hosts.insert("other".into(), HostFacts::default());
        lock.save(&path.join(LOCK)).unwrap();
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.10"), false).unwrap();
        assert_eq!(std::fs::read_to_string(&yaml).unwrap(), edited);
        assert_eq!(LockFile::load(&path.join(LOCK)).unwrap(), lock);
        // Another host by that name.
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.11"), true).unwrap();
        let text = std::fs::read_to_string(&yaml).unwrap();
        let config = Config::read(CONFIG, &text).unwrap();
        assert_eq!(config.address("demo").unwrap().to_string(), "root@198.51.100.11");
        assert_eq!(config.settings(Some("demo")).unwrap().guard.confirm_timeout_secs, 30);
        assert!(std::fs::read_to_string(path.join(SSH)).unwrap().contains("198.51.100.11"));
        lock.hosts.remove("demo");
        assert_eq!(LockFile::load(&path.join(LOCK)).unwrap(), lock);
    }

    #[test]
    fn it_takes_away_what_it_brought_and_nothing_else() {
        let lab = tempfile::tempdir().unwrap();
        let path = lab.path().join("demo");
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.10"), true).unwrap();
        std::fs::write(path.join("notes"), "mine").unwrap();
        open(&path).unwrap().remove().unwrap();
        let left: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes"]);
        std::fs::remove_file(path.join("notes")).unwrap();
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.10"), true).unwrap();
        open(&path).unwrap().remove().unwrap();
        assert!(!path.exists());
        open(&path).unwrap().remove().unwrap();
        open(&path).unwrap().write(&lab_host(lab.path(), "198.51.100.10"), true).unwrap();
        open(&path.join(".")).unwrap().remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn somebody_elses_folder_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [(CONFIG, "hosts: { web: { address: root@192.0.2.7 } }\n"), (LOCK, "version: 1\n"), (SSH, "")]
        {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let refused = open(folder.path()).map(drop).unwrap_err();
            assert!(refused.to_string().contains("is not the demo's"), "{refused}");
            std::fs::remove_file(file).unwrap();
        }
        assert!(open(folder.path()).is_ok());
    }
}
