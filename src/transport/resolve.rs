//! What ssh makes of a host's name, with the user's own configuration: `ssh -G`.

use super::SshOptions;
use crate::config::Target;
use crate::fault::Fault;
use std::path::PathBuf;
use std::process::Command;

/// What the user's ssh configuration has for a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    pub port: u16,
    /// The host's name or address, which is dialled.
    pub address: String,
    /// Whether the way leads through another host, or another program.
    pub through_another: bool,
    /// The host's name or address, or the alias that stands for it in known_hosts.
    pub name: String,
    /// Whether hosts that known_hosts has not are refused.
    pub strict: bool,
    pub known_hosts: Vec<PathBuf>,
    /// Files of private keys, whether they are there or not.
    pub identities: Vec<PathBuf>,
    /// The socket of ssh-agent, where it is not the one of the environment.
    pub agent: Option<String>,
    /// Whether keys come from a token's library too.
    pub other_keys: bool,
    pub key_exchanges: Vec<String>,
}

impl Resolved {
    /// As known_hosts has the host at a port, or at its own.
    pub fn known_as(&self, port: Option<u16>) -> String {
        match port.unwrap_or(self.port) {
            22 => self.name.clone(),
            port => format!("[{}]:{port}", self.name),
        }
    }
}

/// Asks ssh; it connects nowhere.
///
/// # Errors
/// When ssh cannot be run, or does not like its configuration.
pub fn resolve(target: &Target, options: &SshOptions) -> Result<Resolved, Fault> {
    let mut command = Command::new("ssh");
    command.arg("-G").args(options.config.iter().flat_map(|file| ["-F".into(), file.clone().into_os_string()]));
    command.args(target.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
    let output = command.args(["-l", target.user.as_str(), &target.host]).output();
    let output =
        output.map_err(|error| Fault::new(format!("cannot run `ssh`: {error}")).hint("install OpenSSH's client"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).replace('\r', "");
        return Err(Fault::new(stderr.trim()).at("the ssh configuration"));
    }
    Ok(read(&String::from_utf8_lossy(&output.stdout)))
}

fn read(text: &str) -> Resolved {
    let pairs = || text.lines().filter_map(|line| line.split_once(' '));
    let value = |key: &str| pairs().find(|(name, _)| *name == key).map_or("", |(_, value)| value).to_owned();
    let port = value("port").parse().unwrap_or(22);
    let set = |key| !matches!(value(key).as_str(), "" | "none");
    let name = [value("hostkeyalias"), value("hostname")].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let home = std::env::var_os("HOME").unwrap_or_default();
    let path = |text: &str| {
        text.strip_prefix("~/").map_or_else(|| PathBuf::from(text), |rest| PathBuf::from(&home).join(rest))
    };
    let files = ["userknownhostsfile", "globalknownhostsfile"].map(value);
    Resolved {
        port,
        address: value("hostname"),
        through_another: set("proxyjump") || set("proxycommand"),
        name,
        strict: matches!(value("stricthostkeychecking").as_str(), "true" | "yes"),
        known_hosts: files
            .iter()
            .flat_map(|files| files.split(' '))
            .filter(|path| !path.is_empty())
            .map(path)
            .collect(),
        identities: pairs().filter(|(name, _)| *name == "identityfile").map(|(_, file)| path(file)).collect(),
        agent: Some(value("identityagent")).filter(|agent| !matches!(agent.as_str(), "" | "SSH_AUTH_SOCK")),
        other_keys: set("pkcs11provider"),
        key_exchanges: value("kexalgorithms").split(',').map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ssh_are_understood() {
        let options = SshOptions::default();
        let target = Target::try_from("ops@198.51.100.7:2222".to_owned()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = SshOptions { config: Some(file.path().to_owned()), ..options };
        std::fs::write(file.path(), "Host 198.51.100.7\n  UserKnownHostsFile /a ~/b\n  StrictHostKeyChecking yes\n")
            .unwrap();
        let resolved = resolve(&target, &options).unwrap();
        assert_eq!(
            (resolved.port, resolved.known_as(None).as_str(), resolved.strict),
            (2222, "[198.51.100.7]:2222", true)
        );
        assert_eq!(resolved.known_hosts.first(), Some(&PathBuf::from("/a")));
        assert!(!resolved.identities.is_empty() && resolved.agent.is_none() && !resolved.other_keys);
        assert!(resolved.key_exchanges.iter().any(|name| name == "curve25519-sha256"), "{resolved:?}");
        std::fs::write(file.path(), "Port 2022\nIdentityFile /k\nIdentityAgent /a\nPKCS11Provider /p\n").unwrap();
        let target = Target::try_from("ops@web".to_owned()).unwrap();
        let resolved = resolve(&target, &options).unwrap();
        assert_eq!((resolved.port, resolved.agent.as_deref(), resolved.other_keys), (2022, Some("/a"), true));
        assert_eq!(resolved.identities, [PathBuf::from("/k")]);
        std::fs::write(file.path(), "NoSuchKeyword x\n").unwrap();
        assert!(resolve(&target, &options).unwrap_err().message.contains("nosuchkeyword"));
    }
}
