//! What this machine uses itself, to be handed in to its lab hosts: package sources, apt's network
//! settings and extra certificate authorities. Nothing here knows a mirror's name.
use super::{need, tool};
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// The bundle that Debian and Ubuntu build from all trusted authorities.
pub const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Settings of apt that decide whether a mirror is reached and believed.
const APT_SETTINGS: &[&str] =
    &["Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date"];

#[derive(Debug, Clone)]
pub struct Machine {
    pub codename: String,
    pub sources: Vec<Source>,
    /// Lines for an apt.conf file.
    pub apt_settings: Vec<String>,
    /// Certificate authorities that this machine trusts beside its distribution's, one PEM block
    /// each.
    pub authorities: Vec<String>,
}

/// One line of the machine's own distribution, with the suite's name left open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub uri: String,
    /// What follows the codename: nothing, `-updates` or `-security`.
    pub suffix: String,
    pub components: BTreeSet<String>,
}

impl Source {
    pub fn line(&self, suite: &str) -> String {
        let components: Vec<&str> = self.components.iter().map(String::as_str).collect();
        format!("deb {} {suite}{} {}", self.uri, self.suffix, components.join(" "))
    }
}

pub async fn look() -> Result<Machine> {
    let release = std::fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let Some(codename) = field(&release, "VERSION_CODENAME") else {
        bail!(Fault::new("/etc/os-release names no VERSION_CODENAME").hint("run the lab on Debian or Ubuntu"));
    };
    let mut sources = sources(&targets().await?, &codename);
    if sources.is_empty() {
        // apt lists only what it has indexes of.
        need::apt(&["update"]).await?;
        sources = self::sources(&targets().await?, &codename);
    }
    if sources.is_empty() {
        bail!(
            Fault::new(format!("apt on this machine has no source for its own suite `{codename}`"))
                .hint("look at /etc/apt/sources.list.d")
        );
    }
    let dump = tool::run(&["apt-config", "dump"], tool::SHORT).await?;
    Ok(Machine { sources, apt_settings: settings(&dump), authorities: authorities()?, codename })
}

impl Machine {
    pub fn is_debian(&self) -> bool {
        ["bullseye", "bookworm", "trixie", "forky", "sid"].contains(&self.codename.as_str())
    }

    /// The suite of a host that names none.
    pub fn default_suite(&self) -> &str {
        if self.is_debian() { "trixie" } else { &self.codename }
    }

    /// Whether the machine's mirrors have a suite.
    pub async fn offers(&self, suite: &str) -> Result<bool> {
        let Some(source) = self.sources.iter().find(|source| source.suffix.is_empty()) else { return Ok(false) };
        let folder = tempfile::tempdir().context("cannot create a scratch directory")?;
        let url = format!("{}/dists/{suite}/InRelease", source.uri.trim_end_matches('/'));
        let file = folder.path().join("InRelease");
        Ok(tool::holds(&["/usr/lib/apt/apt-helper", "download-file", &url, &*file.to_string_lossy()]).await)
    }

    /// The URLs of apt's proxies, where the machine has any.
    pub fn apt_proxies(&self) -> impl Iterator<Item = String> {
        self.apt_settings
            .iter()
            .filter(|setting| setting.contains("::Proxy "))
            .filter_map(|setting| Some(setting.split('"').nth(1)?.to_owned()))
    }
}

async fn targets() -> Result<String> {
    let argv = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"];
    tool::run(&argv, tool::SHORT).await
}

fn field(text: &str, key: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// The distribution's own sources; a third party's have other suites and stay out.
fn sources(targets: &str, codename: &str) -> Vec<Source> {
    let mut found: Vec<Source> = Vec::new();
    for line in targets.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [uri, release, component] = words.as_slice() else {
            continue;
        };
        let Some(suffix) = release.strip_prefix(codename) else {
            continue;
        };
        if !["", "-updates", "-security"].contains(&suffix) {
            continue;
        }
        let same = |source: &&mut Source| source.uri == *uri && source.suffix == suffix;
        match found.iter_mut().find(same) {
            Some(source) => {
                source.components.insert((*component).to_owned());
            }
            None => found.push(Source {
                uri: (*uri).to_owned(),
                suffix: suffix.to_owned(),
                components: BTreeSet::from([(*component).to_owned()]),
            }),
        }
    }
    found
}

fn settings(dump: &str) -> Vec<String> {
    dump.lines()
        .filter(|line| APT_SETTINGS.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(' '))))
        .map(str::to_owned)
        .collect()
}

/// The bundle's certificates that do not come from the ca-certificates package.
fn authorities() -> Result<Vec<String>> {
    let Ok(bundle) = std::fs::read_to_string(BUNDLE) else {
        return Ok(Vec::new());
    };
    let mut packaged = BTreeSet::new();
    let mozilla = Path::new("/usr/share/ca-certificates/mozilla");
    if mozilla.is_dir() {
        for entry in std::fs::read_dir(mozilla)? {
            packaged.extend(blocks(&std::fs::read_to_string(entry?.path())?));
        }
    }
    Ok(blocks(&bundle).into_iter().filter(|block| !packaged.contains(block)).collect())
}

/// The PEM certificates in a text, without the remarks between them.
fn blocks(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    text.split(BEGIN)
        .skip(1)
        .filter_map(|rest| rest.split_once(END))
        .map(|(body, _)| format!("{BEGIN}\n{}\n{END}\n", body.trim().replace("\r\n", "\n")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distributions_own_sources_are_taken() {
        let targets = "http://m.test/debian/ bookworm main\n\
            http://m.test/debian/ bookworm contrib\n\
            http://m.test/sec/ bookworm-security main\n\
            http://other.test/ bookworm-pgdg main\n\
            http://other.test/ nodistro main\n";
        let lines: Vec<String> = sources(targets, "bookworm").iter().map(|s| s.line("trixie")).collect();
        assert_eq!(
            lines,
            ["deb http://m.test/debian/ trixie contrib main", "deb http://m.test/sec/ trixie-security main"]
        );
    }

    #[test]
    fn certificates_are_found_between_remarks() {
        let text = "# one\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\nx\n-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----";
        assert_eq!(blocks(text).len(), 2);
    }

    #[test]
    fn settings_are_matched_by_whole_key() {
        let dump = "Acquire::http::Proxy \"http://p:1\";\nAcquire::http::Proxy-Auto-Detect \"x\";\n";
        assert_eq!(settings(dump), ["Acquire::http::Proxy \"http://p:1\";"]);
    }
}
