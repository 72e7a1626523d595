//! The Python package index as this machine has it set, for pip and for uv on the hosts.
use super::machine::BUNDLE;
use super::tool;
use anyhow::{Context, Result};
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The one index; pip's own default where nothing is set.
    pub url: String,
    /// Whether somebody set it.
    pub set: bool,
    pub extra: Vec<String>,
    pub trusted: Vec<String>,
}

/// What pip says, and what uv's variables say where they are set.
pub async fn look(python: &Path) -> Result<Index> {
    let python = python.to_string_lossy();
    let settings = tool::run(&[&*python, "-m", "pip", "config", "list"], tool::SHORT).await?;
    let mut index = Index { url: String::new(), set: true, extra: Vec::new(), trusted: Vec::new() };
    index.url = variable(&["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
        .or_else(|| values(&settings, "index-url").pop())
        .unwrap_or_default();
    index.extra = values(&settings, "extra-index-url");
    index.trusted = values(&settings, "trusted-host");
    if let Some(more) = variable(&["UV_INDEX", "UV_EXTRA_INDEX_URL"]) {
        index.extra.extend(more.split_whitespace().map(str::to_owned));
    }
    if index.url.is_empty() {
        const DEFAULT: &str = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";
        let said = tool::run(&[&*python, "-c", DEFAULT], tool::SHORT).await;
        index.url = said.context("pip does not tell its default index")?.trim().to_owned();
        index.set = false;
    }
    Ok(index)
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.trim().is_empty())
}

/// The values of one key in `pip config list`; later ones win, so the last is the one in force.
fn values(settings: &str, key: &str) -> Vec<String> {
    settings
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| name.rsplit('.').next() == Some(key))
        .flat_map(|(_, value)| {
            let plain = value.trim_matches(['\'', '"']).replace("\\n", " ");
            plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

impl Index {
    pub fn urls(&self) -> Vec<String> {
        let mut urls = vec![self.url.clone()];
        urls.extend(self.extra.iter().cloned());
        urls.dedup();
        urls
    }

    /// For /etc/pip.conf.
    pub fn pip_conf(&self) -> String {
        let mut text = format!("[global]\ncert = {BUNDLE}\n");
        if self.set {
            text += &format!("index-url = {}\n", self.url);
        }
        for (key, values) in [("extra-index-url", &self.extra), ("trusted-host", &self.trusted)] {
            if !values.is_empty() {
                text += &format!("{key} = {}\n", values.join("\n  "));
            }
        }
        text
    }

    /// For /etc/uv/uv.toml.
    pub fn uv_toml(&self) -> String {
        let mut text = "system-certs = true\n".to_owned();
        let extra = self.extra.iter().map(|url| (url, false));
        let own = self.set.then_some((&self.url, true));
        for (url, default) in extra.chain(own) {
            // TOML's basic strings are quoted as JSON's are.
            let url = serde_json::Value::from(url.as_str());
            text += &format!("\n[[index]]\nurl = {url}\ndefault = {default}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_settings_are_read_by_key() {
        let said = ":env:.cert='/c.crt'\nglobal.index-url='https://a.test/simple'\nglobal.extra-index-url='\\nhttps://b.test\\nhttps://c.test'\n";
        assert_eq!(values(said, "index-url"), ["https://a.test/simple"]);
        assert_eq!(values(said, "extra-index-url"), ["https://b.test", "https://c.test"]);
    }
}
