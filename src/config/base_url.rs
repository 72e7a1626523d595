//! `agent.base_url`: an address of the provider that is not the usual one, and what the agent reads
//! out of it (as of release 0.19.0; a test asks the pinned release).

use super::egress::{Allowed, LOCALHOST};
use crate::fault::Fault;
use crate::name::EnvName;

/// `https://host[:port]/path`, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    host: String,
    port: String,
    path: String,
}

/// Servers whose key has a fixed name.
const KEYS: [(&str, &str); 4] = [
    ("ollama.com", "OLLAMA_API_KEY"),
    ("openai.com", "OPENAI_API_KEY"),
    ("openai.azure.com", "OPENAI_API_KEY"),
    ("openrouter.ai", "OPENROUTER_API_KEY"),
];

impl BaseUrl {
    pub fn of(url: &str) -> Self {
        let url = url.trim().to_ascii_lowercase();
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", &url));
        let (place, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (place, if scheme == "http" { "80" } else { "443" }),
        };
        Self { host: host.to_owned(), port: port.to_owned(), path: path.to_owned() }
    }

    /// What stands before `://`, where that is no HTTP.
    pub fn foreign_scheme(url: &str) -> Option<&str> {
        let (scheme, _) = url.trim().split_once("://")?;
        (!["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))).then_some(scheme)
    }

    /// What must be allowed for it.
    ///
    /// # Errors
    /// When it names no host, or one by its address.
    pub fn allowed(&self) -> Result<Allowed, Fault> {
        let loopback = self.host.starts_with("127.") || self.host == "[::1]";
        let name = if loopback { LOCALHOST } else { &self.host };
        let hint = "write an address such as `https://llm.example.org/v1`";
        Allowed::try_from(format!("{name}:{}", self.port)).map_err(|fault| fault.at("agent.base_url").hint(hint))
    }

    /// The server, as the agent will name it: a host, or a loopback's `localhost`, and a port that
    /// is not HTTPS's.
    pub fn server(&self) -> String {
        let loopback = self.host.starts_with("127.") || self.host == "[::1]";
        let host = if loopback { LOCALHOST } else { self.host.trim_matches(['[', ']']) };
        if self.port == "443" { host.to_owned() } else { format!("{host}:{}", self.port) }
    }

    fn is_below(&self, domain: &str) -> bool {
        self.host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The variables that the agent reads the key of such a server from, where its provider has no
    /// key of its own: `EXAMPLE_API_KEY` for `llm.example.org`.
    pub fn keys(&self) -> Vec<EnvName> {
        let fixed = KEYS.iter().filter(|(domain, _)| self.is_below(domain)).map(|(_, key)| (*key).to_owned());
        let labels: Vec<&str> = self.host.split('.').skip_while(|label| matches!(*label, "api" | "www")).collect();
        let name = |label: &str| label.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_ascii_uppercase();
        let vendor = match labels[..] {
            [.., vendor, last] if !last.contains(|c: char| c.is_ascii_digit() || c == ':') => name(vendor),
            _ => String::new(),
        };
        let fits = vendor.starts_with(|c: char| c.is_ascii_uppercase())
            && !matches!(vendor.as_str(), "OPENAI" | "OPENROUTER" | "OLLAMA");
        let vendor = fits.then(|| format!("{vendor}_API_KEY"));
        fixed.chain(vendor).filter_map(|key| EnvName::new(key).ok()).collect()
    }

    /// Whether the agent speaks Anthropic's API there.
    pub fn speaks_anthropic(&self) -> bool {
        self.host == "api.anthropic.com"
            || self.path.ends_with("/anthropic")
            || self.path.ends_with("/anthropic/v1")
            || self.host == "api.kimi.com" && self.path.contains("/coding")
    }

    /// Whether the agent's provider `anthropic` takes it; any other one it ignores.
    pub fn suits_anthropic(&self) -> bool {
        let theirs = [".anthropic.com", ".claude.com", ".azure.com"];
        self.speaks_anthropic() || theirs.iter().any(|domain| self.host.ends_with(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_allowed_by_name_and_the_host_itself_by_port() {
        for (url, allowed) in [
            ("https://llm.example.com/v1", "llm.example.com"),
            ("HTTPS://user@LLM.Example.com:8443/v1?x=/y", "llm.example.com:8443"),
            ("http://127.0.0.1:8000/v1", "localhost:8000"),
            ("http://localhost/v1", "localhost:80"),
            ("https://[::1]:8443", "localhost:8443"),
            ("https://[::1]", "localhost:443"),
            ("llm.example.com", "llm.example.com"),
        ] {
            assert_eq!(BaseUrl::of(url).allowed().map(|name| name.to_string()), Ok(allowed.to_owned()), "{url}");
        }
        for bad in ["https://203.0.113.7/v1", "https://", "/v1"] {
            assert!(BaseUrl::of(bad).allowed().is_err_and(|why| why.message.starts_with("agent.base_url: ")), "{bad}");
        }
    }

    /// The examples are those of the release's own comments, and of its guards against lookalikes.
    #[test]
    fn a_key_is_named_after_the_server() {
        for (url, keys) in [
            ("https://llm.example.org/v1", "EXAMPLE_API_KEY"),
            ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
            ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
            ("https://my-llm.io", "MY_LLM_API_KEY"),
            ("https://api.deepseek.com.attacker.test", "ATTACKER_API_KEY"),
            ("https://x.openai.azure.com/", "OPENAI_API_KEY AZURE_API_KEY"),
            ("https://ollama.com/v1", "OLLAMA_API_KEY"),
            ("https://openai.example.net", "EXAMPLE_API_KEY"),
            ("https://api.internal", ""),
            ("http://localhost:11434/v1", ""),
            ("http://10.0.0.8:8000/v1", ""),
            ("https://[2001:db8::1]/v1", ""),
        ] {
            let found: Vec<String> = BaseUrl::of(url).keys().iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), keys, "{url}");
        }
    }
}
