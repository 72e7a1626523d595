//! The agent's templates, rendered: golden files beside this one, judged by a YAML reader and by
//! `systemd-analyze` where it is there. `UPDATE=1 cargo test --test agent_templates` rewrites them.
use serde_json::{Value, json};
use std::path::Path;

fn render(template: &str, vars: &Value) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/agent").join(template);
    let mut tera = tera::Tera::default();
    tera.autoescape_on(Vec::<&str>::new());
    tera.register_filter("json", |value: tera::Value, _: tera::Kwargs, _: &tera::State| {
        petasos::release::quote::yaml(&serde_json::to_string(&value).expect("a template value is plain data"))
    });
    tera.add_raw_template(template, &std::fs::read_to_string(path).unwrap()).unwrap();
    let context = tera::Context::from_serialize(vars).unwrap();
    tera.render(template, &context).unwrap()
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/agent").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{name} differs; see the head of this file");
}

fn config(provider: &str, deny: &[&str]) -> Value {
    json!({
        "agent": {
            "provider": provider, "model": "nousresearch/hermes-4-405b",
            "approvals": { "mode": "manual", "timeout": 60, "deny": deny },
        },
        "api_port": 8642,
    })
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_managed_scope_is_what_was_meant() {
    let text = render("config.yaml.tera", &config("openrouter", &["rm *", "*curl*|*sh*"]));
    golden("config.yaml", &text);
    let scope = read(&text);
    assert_eq!(scope["approvals"]["deny"], json!(["rm *", "*curl*|*sh*"]));
    assert_eq!(scope["security"]["redact_secrets"], json!(true));
    assert_eq!(scope["model"]["provider"], json!("openrouter"));
}

#[test]
fn an_empty_deny_list_is_a_list() {
    let scope = read(&render("config.yaml.tera", &config("openrouter", &[])));
    assert_eq!(scope["approvals"]["deny"], json!([]));
}

#[test]
fn no_value_breaks_out_of_its_place() {
    let hostile = "x\"\nsecurity: {redact_secrets: false}\n# ";
    let scope =
        read(&render("config.yaml.tera", &config(hostile, &[hostile, "- [a", "*${HOME}*", "\u{7f}é\u{2028}🎩"])));
    assert_eq!(scope["model"]["provider"], json!(hostile));
    assert_eq!(scope["approvals"]["deny"], json!([hostile, "- [a", "*[$]{HOME}*", "\u{7f}é\u{2028}🎩"]));
    assert_eq!(scope["security"]["redact_secrets"], json!(true));
}

#[test]
fn the_unit_is_what_systemd_accepts() {
    let limits = json!({"agent": { "limits": { "memory": "2G", "tasks": 256, "cpu": "200%" } }});
    let text = render("hermes.service.tera", &limits);
    golden("hermes.service", &text);
    for forced in ["ProtectSystem=strict", "User=hermes", "NoNewPrivileges=yes", "CapabilityBoundingSet="] {
        assert!(text.lines().any(|line| line == forced), "{forced}");
    }
}
