//! The table of providers and platforms, held to the pinned release: on a host, the release's own
//! Python is asked what it would do with each.

use super::harness::world::world;
use super::harness::{Desk, Host, Said, Shared, shared, trial};
use anyhow::{Context, Result, anyhow, ensure};
use libtest_mimic::Trial;
use petasos::config::packs::{Asked, Packs, Policy, Provider};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;

const TABLE: &str = include_str!("../../playbooks/data/packs.yaml");
const CHECK: &str = include_str!("providers.py");

/// Addresses of servers of all kinds: each provider is tried with the first two, and with all if it
/// has something to say of them.
const URLS: [&str; 9] = [
    "https://llm.example.org/v1",
    "https://llm.example.org/anthropic",
    "https://api.deepseek.example.net",
    "https://llm.example.org/anthropic/v1/",
    "https://eu.api.anthropic.com",
    "https://own.services.ai.azure.com/openai",
    "https://own.openai.azure.com/v1",
    "https://my-llm.example/v1",
    "http://127.0.0.1:8000/v1",
];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("providers::the release sees them as the table does", agrees),
        trial("providers::a wrong line is found", wrong_lines),
        trial("providers::a login reaches its provider", login),
    ]
}

/// What Petasos would do for each provider, without and with an address of its own.
fn cases(packs: &Packs) -> Vec<Value> {
    let urls = |row: &Provider| {
        let some = if matches!(row.base_url, Policy::Honoured | Policy::Ignored) { 2 } else { URLS.len() };
        URLS.iter().take(some).map(|url| Some(*url)).chain([None])
    };
    let each = packs.providers.iter().flat_map(|(id, row)| urls(row).map(move |url| (id, row, url)));
    let case = |(id, row, base_url): (&String, &Provider, Option<&str>)| {
        let asked = Asked { provider: id, base_url, platforms: Vec::new(), packs: &[], allow: &[] };
        let needs = packs.needs(&asked);
        let names = packs.names(&asked).unwrap_or_default();
        // Without an address there is nothing that the release could be asked.
        (needs.is_ok() || base_url.is_some()).then(|| {
            let refused = needs.is_err();
            let needs = needs.unwrap_or_default();
            json!({
                "provider": id, "base_url": base_url, "refused": refused, "keys": needs.keys, "usual_keys": row.keys,
                "login": needs.login, "extras": needs.extras, "names": names,
            })
        })
    };
    each.filter_map(case).collect()
}

/// What the release says of a table.
fn verdict(host: &Host, table: &str) -> Result<Vec<String>> {
    let packs = Packs::read("packs.yaml", table).map_err(|why| anyhow!(why))?;
    let platforms: BTreeMap<&String, Value> =
        packs.platforms.iter().map(|(id, row)| (id, json!({ "tokens": row.tokens }))).collect();
    let aliases: BTreeMap<&String, &String> =
        packs.providers.iter().flat_map(|(id, row)| row.aliases.iter().map(move |alias| (alias, id))).collect();
    let cases = cases(&packs);
    ensure!(cases.len() > packs.providers.len() * 2, "{} cases", cases.len());
    let input = json!({ "providers": cases, "platforms": platforms, "aliases": aliases }).to_string();
    let mut command = Command::new("timeout");
    command.arg("110").args(world().lab.console(&host.name)?);
    command.args(["runuser", "-u", "hermes", "--", "/opt/hermes/current/venv/bin/python", "-P", "-c", CHECK]);
    let said = Said::of(command, &input)?.ended(0)?;
    let (lines, last) = said.out.trim_end().rsplit_once('\n').unwrap_or(("", said.out.trim_end()));
    ensure!(last == format!("{} cases", cases.len()), "the release did not answer: {}", said.all());
    Ok(lines.lines().map(str::to_owned).collect())
}

fn agrees() -> Result<()> {
    let found = verdict(&shared("trixie")?.host, TABLE)?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// Each is one mistake, and what the release says of it.
const MISTAKES: [(&str, &str, &str); 17] = [
    ("keys: [HF_TOKEN]", "keys: [HUGGINGFACE_API_KEY]", "huggingface: HUGGINGFACE_API_KEY is not read"),
    (
        "keys: [GOOGLE_API_KEY, GEMINI_API_KEY]",
        "keys: [GEMINI_API_KEY, GOOGLE_API_KEY]",
        "gemini: GEMINI_API_KEY does not win",
    ),
    ("keys: [XAI_API_KEY]", "keys: []", "xai: neither a key nor a login in the table"),
    ("  openai-api:", "  openai:", "openai: the release does not know it"),
    ("  kimi-coding:", "  moonshot:", "moonshot: an alias of kimi-coding"),
    (
        "keys: [MINIMAX_API_KEY], extras: [anthropic]",
        "keys: [MINIMAX_API_KEY]",
        "minimax: speaks anthropic_messages, extras []",
    ),
    (
        "KIMI_CODING_API_KEY], extras: [anthropic]",
        "KIMI_CODING_API_KEY]",
        "moonshot: speaks anthropic_messages, extras []",
    ),
    ("[OPENCODE_GO_API_KEY], extras: [anthropic]", "[OPENCODE_GO_API_KEY]", "opencode-go: speaks anthropic_messages"),
    ("keys: [GMI_API_KEY]", "keys: [GMI_API_KEY], extras: [gmi]", "gmi: the release has no extra gmi"),
    ("[api.z.ai, open.bigmodel.cn]", "[api.z.ai]", "zai: dials open.bigmodel.cn, which the table lacks"),
    ("[api.novita.ai]", "[api.novita.ai, novita.example]", "novita: the release never names novita.example"),
    (
        "[api.x.ai, auth.x.ai], login: true",
        "[api.x.ai, auth.x.ai], keys: [XAI_TOKEN]",
        "xai-oauth: XAI_TOKEN is not read",
    ),
    ("[chatgpt.com, auth.openai.com]", "[chatgpt.com]", "openai-codex: reaches auth.openai.com, which the table lacks"),
    (
        "keys: [OPENROUTER_API_KEY], base_url: ignored",
        "keys: [OPENROUTER_API_KEY]",
        "openrouter at https://llm.example.org/v1: dials openrouter.ai, the address is ignored",
    ),
    (
        "keys: [DEEPSEEK_API_KEY]",
        "keys: [DEEPSEEK_API_KEY], base_url: ignored",
        "deepseek at https://llm.example.org/v1: the address is honoured, the table refuses it",
    ),
    (
        "aliases: [moonshot-cn, ",
        "aliases: [moonshot-cn, groq, qwen, ",
        "qwen: qwen-oauth in the release, kimi-coding-cn in the table",
    ),
    (
        "tokens: [SLACK_BOT_TOKEN, SLACK_APP_TOKEN]",
        "tokens: [SLACK_BOT_TOKEN]",
        "slack: tokens ['SLACK_APP_TOKEN', 'SLACK_BOT_TOKEN']",
    ),
];

fn wrong_lines() -> Result<()> {
    let shared = shared("trixie")?;
    // All at once: each is about a line of its own.
    let table = MISTAKES.iter().try_fold(TABLE.to_owned(), |table, (right, wrong, _)| {
        ensure!(table.contains(right), "the table has no `{right}`");
        Ok(table.replace(right, wrong))
    })?;
    let found = verdict(&shared.host, &table)?;
    for (_, wrong, said) in MISTAKES {
        ensure!(found.iter().any(|line| line.contains(said)), "nothing is said of `{wrong}`:\n{}", found.join("\n"));
    }
    Ok(())
}

/// The command that `petasos up` shows, typed on the host: it gets by name, through the proxy, to
/// the provider's own door. Further the lab does not lead.
fn login() -> Result<()> {
    let Shared { host, desk } = &*shared("trixie")?;
    let before = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{before}agent: {{ provider: nous }}\n"))?;
    let tried = logged_in(host, desk);
    desk.write("petasos.yaml", &before)?;
    desk.petasos(&["up"])?.ended(0)?;
    tried
}

fn logged_in(host: &Host, desk: &Desk) -> Result<()> {
    const DOOR: &str =
        "journalctl -o cat -t petasos_egress | grep -c '\"name\":\"portal.nousresearch.com\",.*\"allowed\":1' || :";
    let up = desk.petasos(&["up"])?.ended(0)?;
    up.says(&["`nous` uses a login, not a key"])?;
    let line = up.out.lines().find(|line| line.contains("`nous` uses a login, not a key")).context("no such line")?;
    let (_, command) = line.split_once(": sudo ").context("no command in it")?;
    ensure!(host.sh(DOOR)?.trim() == "0");
    let said = host.run(&command.replace("--pty", "--pipe --wait --quiet"))?;
    ensure!(host.sh(DOOR)?.trim() != "0", "it never got to the proxy: {}", said.all());
    leads_elsewhere(host, desk)
}

/// Where logins are the agent's own to write, one that leads elsewhere is seen by `verify`.
fn leads_elsewhere(host: &Host, desk: &Desk) -> Result<()> {
    const LOGINS: &str = "/home/hermes/.hermes/auth.json";
    let login = |url: &str| {
        let entry = json!({ "id": "1", "auth_type": "oauth", "access_token": "none", "base_url": url });
        let text = json!({ "version": 1, "credential_pool": { "nous": [entry] } }).to_string();
        // As the agent writes it.
        host.as_agent(&format!("cat >{LOGINS}.new <<'END'\n{text}\nEND\nmv -f {LOGINS}.new {LOGINS}"))
    };
    login("https://inference-api.nousresearch.com/v1")?;
    desk.petasos(&["verify"])?.ended(0)?;
    login("https://models.example.net/v1")?;
    desk.petasos(&["verify"])?.ended(2)?.says(&["in auth.json: https://models.example.net/v1"])?;
    host.as_agent(&format!("rm {LOGINS}")).map(drop)
}
