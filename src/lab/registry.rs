//! The package registries that this machine itself uses: their names, and a relay for each.
//!
//! The lab's resolver gives such a name an address of this machine; a socket-activated proxy of
//! systemd's listens there and connects to the real host. TLS goes from end to end.
use super::cgroup::Groups;
use super::machine::Machine;
use super::names::Place;
use super::paths::{Paths, write};
use super::{index, net, tool};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

/// The control group of the relays; not a host's name.
pub const GROUP: &str = "inet-relay";
const PROXY: &str = "/lib/systemd/systemd-socket-proxyd";
const RELAY: &str = include_str!("../../remote/lab/relay.sh");
const ASK: &str = include_str!("../../remote/lab/registries.py");

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    pub name: String,
    pub address: Ipv4Addr,
    pub ports: BTreeSet<u16>,
}

impl Registry {
    pub fn place(&self) -> Place {
        Place { address: self.address, six: net::six(self.address), names: vec![self.name.clone()] }
    }
}

/// What the package index answered, kept with the question.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    asked: Vec<String>,
    urls: Vec<String>,
}

/// All registries of this machine: apt's mirrors, the Python index and the host of its files.
pub async fn find(paths: &Paths, machine: &Machine, python: &Path) -> Result<Vec<Registry>> {
    let asked = index::look(python).await?.urls();
    let kept: Option<Kept> = std::fs::read(paths.registries()).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let urls = match kept.filter(|kept| kept.asked == asked) {
        Some(kept) => kept.urls,
        None => {
            let python = python.to_string_lossy();
            let mut argv = vec![&*python, "-c", ASK];
            argv.extend(asked.iter().map(String::as_str));
            let urls: Vec<String> = tool::run(&argv, Duration::from_secs(120))
                .await
                .context("cannot ask the Python package index where its files are")?
                .lines()
                .map(str::to_owned)
                .collect();
            let kept = Kept { asked, urls };
            write(&paths.registries(), serde_json::to_vec_pretty(&kept).context("cannot encode the registries")?)?;
            kept.urls
        }
    };
    let apt = machine.sources.iter().map(|source| source.uri.clone()).chain(machine.apt_proxies());
    Ok(addressed(apt.chain(urls)))
}

/// One address of this machine per distinct host name.
fn addressed(urls: impl Iterator<Item = String>) -> Vec<Registry> {
    let mut found: Vec<Registry> = Vec::new();
    for (name, port) in urls.filter_map(|url| host_and_port(&url)) {
        // An index on an address has no name to answer for.
        if name.parse::<Ipv4Addr>().is_ok() {
            continue;
        }
        let ports = BTreeSet::from([80, 443, port]);
        match found.iter_mut().find(|registry| registry.name == name) {
            Some(registry) => registry.ports.extend(ports),
            None => {
                let octet = 200_u8.saturating_add(u8::try_from(found.len()).unwrap_or(u8::MAX)).min(254);
                found.push(Registry { name, address: net::host_address(octet), ports });
            }
        }
    }
    found
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    match host.split_once(':') {
        Some((name, port)) => Some((name.to_owned(), port.parse().ok()?)),
        None => Some((host.to_owned(), usual)),
    }
}

/// Starts one relay per registry and port, all in one control group.
pub async fn start_relays(groups: &Groups, registries: &[Registry], dir: &Path) -> Result<()> {
    groups.create(GROUP)?;
    let log = dir.join("relay.log");
    let said = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let members = groups.members(GROUP);
    for registry in registries {
        for port in &registry.ports {
            let mut command = tool::command(&["setsid", "--fork", "sh", "-c"]);
            command
                .args([RELAY, "relay"])
                .arg(&members)
                .arg("systemd-socket-activate")
                .arg(format!("--listen={}:{port}", registry.address))
                .args(net::has_six().then(|| format!("--listen=[{}]:{port}", net::six(registry.address))))
                .args([PROXY, "--connections-max=128"])
                .arg(format!("{}:{port}", registry.name))
                .stdout(said.try_clone().context("cannot share the relays' log")?)
                .stderr(said.try_clone().context("cannot share the relays' log")?)
                .current_dir("/");
            let status = command.status().await.context("cannot run `setsid`")?;
            anyhow::ensure!(status.success(), "cannot start the relay to a registry: {status}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_hosts_and_ports() {
        assert_eq!(host_and_port("https://u:p@a.test/simple"), Some(("a.test".into(), 443)));
        assert_eq!(host_and_port("http://a.test:3142/x"), Some(("a.test".into(), 3142)));
        assert_eq!(host_and_port("file:///srv/x"), None);
    }

    #[test]
    fn a_name_has_one_address_and_all_its_ports() {
        let urls = ["http://a.test/", "https://b.test/", "http://a.test:8080/", "http://10.0.0.1/"];
        let found = addressed(urls.into_iter().map(str::to_owned));
        assert_eq!(found.len(), 2);
        assert!(found.iter().any(|r| r.name == "a.test" && r.ports.contains(&8080) && r.ports.contains(&443)));
    }

    /// A relay that ends at once, each time.
    #[test]
    fn a_relay_that_ended_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (members, starts) = (path("members"), path("starts"));
        let note = ["sh", "-c", r#"echo started >>"$0"; exit 3"#, &starts];
        let mut relay = std::process::Command::new("sh")
            .args(["-c", RELAY, "relay", &members])
            .args(note)
            .stdout(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let began = std::time::Instant::now();
        while read(&starts).lines().count() < 2 {
            assert!(began.elapsed() < Duration::from_secs(20), "it was started {:?}", read(&starts));
            std::thread::sleep(Duration::from_millis(20));
        }
        relay.kill().unwrap();
        relay.wait().unwrap();
        assert_eq!(read(&members).trim(), relay.id().to_string());
        assert!(read(&path("log")).contains("ended with 3"), "{}", read(&path("log")));
    }
}
