//! What the table makes of a wish. Whether its lines are right, the pinned release says
//! (tests/lab/providers.rs).

use super::*;
use crate::config::platform::PlatformName;
use std::collections::BTreeSet;

const SHIPPED: &str = include_str!("../../../playbooks/data/packs.yaml");

fn shipped() -> Packs {
    Packs::read("packs.yaml", SHIPPED).unwrap()
}

fn asked<'a>(provider: &'a str, base_url: Option<&'a str>) -> Asked<'a> {
    Asked { provider, base_url, platforms: Vec::new(), packs: &[], allow: &[] }
}

fn joined<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    list.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_line_is_complete() {
    let packs = shipped();
    let mut spellings = BTreeSet::new();
    for (id, provider) in &packs.providers {
        let Provider { names, keys, login, base_url, aliases, .. } = provider;
        assert_eq!(names.is_empty(), *base_url == Policy::Required, "{id}: names, or an address of the user's");
        assert!(*login != (!keys.is_empty() || id == "custom"), "{id}: keys, or a login");
        for spelling in aliases.iter().chain([id]) {
            assert!(spellings.insert(spelling.clone()), "`{spelling}` stands for two providers");
        }
    }
    let platforms: Vec<&str> = packs.platforms.keys().map(String::as_str).collect();
    assert_eq!(platforms, PlatformName::ALL.map(PlatformName::as_str), "petasos.yaml and the table have the same");
    for (id, platform) in &packs.platforms {
        assert!(!platform.tokens.is_empty(), "{id}");
        assert!(packs.names(&Asked { platforms: vec![id], ..asked("openrouter", None) }).is_ok(), "{id}");
    }
}

/// The names are those that the release 0.19.0 has in its sources; none follows from the id.
#[test]
fn a_key_has_the_name_that_the_agent_reads() {
    let packs = shipped();
    for (id, keys) in [
        ("openrouter", "OPENROUTER_API_KEY"),
        ("huggingface", "HF_TOKEN"),
        ("copilot", "COPILOT_GITHUB_TOKEN"),
        ("kimi-coding", "KIMI_API_KEY KIMI_CODING_API_KEY"),
        ("alibaba", "DASHSCOPE_API_KEY"),
        ("gemini", "GOOGLE_API_KEY GEMINI_API_KEY"),
        ("nous", ""),
    ] {
        assert_eq!(joined(packs.needs(&asked(id, None)).unwrap().keys), keys, "{id}");
    }
    let url = |provider, url| joined(packs.needs(&asked(provider, Some(url))).unwrap().keys);
    assert_eq!(url("custom", "https://llm.example.org/v1"), "EXAMPLE_API_KEY");
    assert_eq!(url("custom", "http://127.0.0.1:8000/v1"), "");
    assert_eq!(url("gemini", "https://llm.example.org/v1"), "GOOGLE_API_KEY GEMINI_API_KEY");
    assert!(packs.needs(&asked("nous", None)).unwrap().login);
}

#[test]
fn extras_come_with_the_provider_or_with_the_address() {
    let packs = shipped();
    let extras = |provider, url| joined(packs.needs(&asked(provider, url)).unwrap().extras);
    assert_eq!(extras("openrouter", None), "");
    assert_eq!(extras("minimax", None), "anthropic");
    assert_eq!(extras("custom", Some("https://llm.example.org/v1")), "");
    assert_eq!(extras("custom", Some("https://llm.example.org/Anthropic/")), "anthropic");
}

#[test]
fn platforms_bring_their_tokens() {
    let wish = Asked { platforms: vec!["telegram", "slack"], ..asked("openrouter", None) };
    let tokens = shipped().needs(&wish).unwrap().tokens;
    assert_eq!(joined(tokens), "SLACK_APP_TOKEN SLACK_BOT_TOKEN TELEGRAM_BOT_TOKEN");
}

#[test]
fn an_unknown_provider_is_named_with_the_one_that_was_meant() {
    let message = |id| shipped().needs(&asked(id, None)).unwrap_err().to_string();
    for (wrong, right) in [
        ("openai", "openai-api"),
        ("moonshot", "kimi-coding"),
        ("Claude", "anthropic"),
        ("azure", "azure-foundry"),
        ("ollama", "custom"),
    ] {
        let message = message(wrong);
        assert!(message.starts_with(&format!("agent.provider: unknown provider `{wrong}`\n")), "{message}");
        assert!(message.ends_with(&format!("hint: did you mean `{right}`?")), "{message}");
    }
    assert!(message("openruoter").contains("\nhint: did you mean `openrouter`? "));
    let message = message("bedrock");
    assert!(message.contains("`agent.base_url`") && message.contains("known are "), "{message}");
    assert!(shipped().names(&asked("openai", Some("https://llm.example.org/v1"))).is_err());
}

#[test]
fn an_address_that_the_agent_would_ignore_is_refused() {
    let packs = shipped();
    let message = |id, url| packs.needs(&asked(id, url)).err().map(|error| error.to_string()).unwrap_or_default();
    let url = Some("https://llm.example.org/v1");
    for id in ["openrouter", "nous", "openai-codex"] {
        assert!(message(id, url).starts_with("agent.base_url: the agent ignores it"), "{id}");
        assert_eq!(message(id, None), "", "{id}");
    }
    assert!(message("anthropic", url).contains("does not speak Anthropic's API"));
    for good in ["https://llm.example.org/anthropic", "https://x.azure.com/y", "https://eu.api.anthropic.com"] {
        assert_eq!(message("anthropic", Some(good)), "", "{good}");
    }
    assert!(message("custom", None).contains("`custom` has no usual address"));
    assert_eq!(message("custom", url), "");
}

#[test]
fn conversations_go_to_the_provider_and_to_what_is_allowed_by_hand() {
    let models = |provider, url, allow: &[Allowed]| {
        shipped().models(&Asked { allow, ..asked(provider, url) }).unwrap().join(" ")
    };
    assert_eq!(models("openrouter", None, &[]), "openrouter.ai");
    let allow = ["*.example.com", "git.example.org:22"].map(|name| Allowed::try_from(name.to_owned()).unwrap());
    assert_eq!(models("openrouter", None, &allow), "*.example.com git.example.org:22 openrouter.ai");
    assert_eq!(models("custom", Some("http://127.0.0.1:11434/v1"), &[]), "localhost:11434");
    assert_eq!(models("custom", Some("https://llm.example.org/v1"), &[]), "llm.example.org");
    assert_eq!(models("custom", Some("http://10.0.0.5:8000/v1"), &[]), "10.0.0.5:8000");
}

#[test]
fn a_contradiction_is_an_error() {
    let packs = Packs::read(
        "packs.yaml",
        "packs: { github: [github.com] }\nproviders: { own: { names: [own.example], keys: [OWN] } }\n\
         platforms: { telegram: { needs: [api.telegram.org], names: [], tokens: [] } }\n",
    );
    let packs = packs.unwrap();
    let github = ["github".to_owned()];
    let without = packs.names(&asked("own", None)).unwrap();
    assert_eq!(joined(without), "own.example");
    let wrong = ["gihtub".to_owned()];
    let wrong = packs.names(&Asked { packs: &wrong, ..asked("own", None) }).unwrap_err();
    assert!(wrong.to_string().contains("network.egress.packs: unknown pack `gihtub`"), "{wrong}");
    assert!(wrong.to_string().contains("did you mean `github`?"), "{wrong}");
    let names = |base_url, allow: &[Allowed], platforms: &[&str]| {
        packs.names(&Asked { provider: "own", base_url, platforms: platforms.to_vec(), packs: &github, allow })
    };
    let error = names(None, &[], &["telegram"]).unwrap_err();
    assert!(error.fault.message.starts_with("telegram is enabled, but api.telegram.org is not allowed"), "{error}");
    let star = [Allowed::try_from("*.telegram.org".to_owned()).unwrap()];
    assert!(names(None, &star, &["telegram"]).is_ok());
    assert_eq!(joined(names(None, &[], &[]).unwrap()), "github.com own.example");
    assert_eq!(joined(names(Some("https://llm.example.com/v1"), &[], &[]).unwrap()), "github.com llm.example.com");
    assert!(names(Some("https://203.0.113.7/v1"), &[], &[]).is_err());
    assert!(
        names(None, &[], &["slack"]).unwrap_err().fault.message.starts_with("agent.platforms: `slack` has no line")
    );
}

#[test]
fn a_mistake_in_the_table_has_its_line() {
    let of =
        |line: &str| Packs::read("packs.yaml", &format!("packs: {{}}\nproviders:\n  x: {line}\nplatforms: {{}}\n"));
    for (line, part) in [
        ("{ kyes: [X] }", "did you mean `keys`?"),
        ("{ base_url: ignord }", "did you mean `ignored`?"),
        ("{ keys: [x-y] }", "`x-y` is not the name of an environment variable"),
        ("[x.example]", "packs.yaml:3"),
        ("{ keys: [\"{{ x }}\"] }", "`{{ x }}` in packs.yaml"),
    ] {
        let message = of(line).unwrap_err();
        assert!(message.to_string().contains(part), "{message}");
    }
}
