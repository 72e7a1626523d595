//! The agent's templates, rendered: golden files in `tests/render/agent`, judged by a YAML reader
//! and by systemd.
mod judge;

use judge::{complaints_about_unit, folder, golden, judge as tool, render, verdict};
use serde_json::{Value, json};

fn config(provider: &str, deny: &[&str]) -> Value {
    json!({
        "agent": {
            "provider": provider, "model": "nousresearch/hermes-4-405b",
            "approvals": { "mode": "manual", "timeout": 60, "deny": deny }, "sandbox": sandbox(),
        },
        "api_port": 8642,
    })
}

fn sandbox() -> Value {
    json!({ "network": "none", "timeout": 180, "memory": "1G", "processes": 128, "file_size": "512M", "allow": [], "packages": [] })
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_managed_scope_is_what_was_meant() {
    let text = render("agent/config.yaml.tera", &config("openrouter", &["rm *", "*curl*|*sh*"]));
    golden("agent/config.yaml", &text);
    let scope = read(&text);
    assert_eq!(scope["approvals"]["deny"], json!(["rm *", "*curl*|*sh*"]));
    assert_eq!(scope["security"]["redact_secrets"], json!(true));
    assert_eq!(scope["model"]["provider"], json!("openrouter"));
}

/// What `pin` asks a release's source for is what a host's agent is given.
#[test]
fn pin_asks_for_every_setting_and_variable() {
    fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                map.iter().for_each(|(key, value)| paths(value, &format!("{path}.{key}"), found));
            }
            _ => found.push(path.trim_start_matches('.').to_owned()),
        }
    }
    let table = petasos::review::Table::built_in().unwrap();
    let mut agent = config("custom", &[]);
    agent["agent"]["base_url"] = json!("http://127.0.0.1:1/v1");
    let mut settings = Vec::new();
    paths(&read(&render("agent/config.yaml.tera", &agent)), "", &mut settings);
    settings.retain(|setting| setting != "_config_version");
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(sorted(table.settings), sorted(settings));
    let book = include_str!("../playbooks/20-agent.yaml");
    let set = book.split("    set:\n").nth(1).unwrap().lines().take_while(|line| line.starts_with("      "));
    let names = set.filter_map(|line| line.trim().split_once(':')).filter(|(name, _)| !name.starts_with('#'));
    let unit = include_str!("../templates/agent/hermes.service.tera").split_whitespace();
    let unit = unit.filter_map(|word| word.trim_start_matches("Environment=").split_once('='));
    let unit = unit.filter(|(name, _)| name.starts_with("HERMES_"));
    let mut variables: Vec<String> = names.chain(unit).map(|(name, _)| name.to_owned()).collect();
    variables.push("API_SERVER_KEY".into());
    assert_eq!(sorted(table.environment), sorted(variables));
}

#[test]
fn commands_run_in_the_sandbox_unless_it_is_off() {
    let mut vars = config("openrouter", &[]);
    vars["agent"]["approvals"]["mode"] = "allowlist".into();
    let scope = read(&render("agent/config.yaml.tera", &vars));
    assert_eq!(scope["terminal"]["backend"], json!("ssh"));
    assert_eq!(scope["terminal"]["ssh_host"], json!("petasos-sandbox.invalid"));
    // The agent itself knows no such mode, and would take it for another one.
    assert_eq!(scope["approvals"]["mode"], json!("manual"));
    vars["agent"]["sandbox"] = Value::Null;
    vars["agent"]["approvals"]["mode"] = "smart".into();
    let scope = read(&render("agent/config.yaml.tera", &vars));
    assert_eq!(scope["terminal"]["backend"], json!("local"));
    assert_eq!(scope["approvals"]["mode"], json!("smart"));
}

#[test]
fn an_empty_deny_list_is_a_list() {
    let scope = read(&render("agent/config.yaml.tera", &config("openrouter", &[])));
    assert_eq!(scope["approvals"]["deny"], json!([]));
}

#[test]
fn no_value_breaks_out_of_its_place() {
    let hostile = "x\"\nsecurity: {redact_secrets: false}\n# ";
    let scope = read(&render("agent/config.yaml.tera", &config(hostile, &[hostile, "- [a", "*${HOME}*"])));
    assert_eq!(scope["model"]["provider"], json!(hostile));
    assert_eq!(scope["approvals"]["deny"], json!([hostile, "- [a", "*[$]{HOME}*"]));
    assert_eq!(scope["security"]["redact_secrets"], json!(true));
}

fn unit(mode: &str) -> Value {
    let limits = json!({ "memory": "2G", "tasks": 256, "cpu": "200%" });
    let egress = json!({ "sink_net": "192.0.2.0/24", "sink_net6": "100::/64", "helper_ports": "10053-10255" });
    json!({ "agent": { "limits": limits, "sandbox": sandbox() }, "admin": { "user": "ops" }, "network": { "egress": { "mode": mode } }, "egress": egress, "places": petasos::places::vars(false) })
}

#[test]
fn the_unit_is_what_systemd_accepts() {
    let text = render("agent/hermes.service.tera", &unit("names"));
    golden("agent/hermes.service", &text);
    let open = render("agent/hermes.service.tera", &unit("open"));
    assert!(
        text.contains("IPAddressDeny=any") && !open.contains("IPAddressDeny"),
        "the second lock goes with the names"
    );
    let mut vars = unit("names");
    vars["agent"]["sandbox"] = Value::Null;
    let off = render("agent/hermes.service.tera", &vars);
    let requires =
        |text: &str, name: &str| text.lines().any(|line| line.starts_with("Requires=") && line.contains(name));
    assert!(requires(&text, "petasos-sandbox.socket") && !requires(&off, "petasos-sandbox.socket"));
    assert!(requires(&text, "petasos-audit.socket") && requires(&off, "petasos-audit.socket"));
    for forced in [
        "ReadWritePaths=/home/hermes/.hermes",
        "BindReadOnlyPaths=/run/petasos-agent",
        "ProtectSystem=strict",
        "User=hermes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
    ] {
        assert!(text.lines().any(|line| line == forced), "{forced}");
    }
    // The agent is not on this machine: any program stands for it.
    let here = text.replace("/opt/hermes/current/venv/bin/python ", "/bin/true ");
    // The units that it needs are no part of this folder.
    let others = ["petasos-egress.service", "petasos-audit.socket", "petasos-sandbox.socket", "petasos-data.service"];
    let complaints = complaints_about_unit("hermes.service", &here);
    let own = complaints.lines().filter(|line| !others.iter().any(|other| line.contains(other)));
    assert_eq!(own.collect::<Vec<_>>(), Vec::<&str>::new());
    let planted =
        complaints_about_unit("hermes.service", &here.replace("ProtectSystem=strict", "ProtectSystem=strictly"));
    assert!(planted.contains("strictly"), "a wrong value must be named: {planted}");
}

#[test]
fn systemd_accepts_the_audit_writers_units() {
    for name in ["petasos-audit.socket", "petasos-audit.service", "petasos-data.service"] {
        let text = render(&format!("agent/{name}.tera"), &unit("names"));
        golden(&format!("agent/{name}"), &text);
        // The one needs the other, which is no part of this folder.
        let complaints = complaints_about_unit(name, &text);
        let own = complaints.lines().filter(|line| !(line.contains("petasos-audit") && line.contains("not")));
        assert_eq!(own.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
        if name == "petasos-audit.service" {
            let (closed, output) = exposure(name, &text, 10);
            assert!(closed, "{name}: {output}");
        }
    }
}

/// Whether systemd rates a unit's exposure at or under a tenth of this.
fn exposure(name: &str, text: &str, most: u32) -> (bool, String) {
    let (_dir, path) = folder(name, text);
    let most = format!("--threshold={most}");
    verdict(tool("systemd-analyze", "systemd").args(["security", "--offline=yes", &most]).arg(path))
}

#[test]
fn the_unit_is_as_closed_as_it_was_meant_to_be() {
    let text = render("agent/hermes.service.tera", &unit("names"));
    let exposure = |text: &str| exposure("hermes.service", text, 12);
    let (closed, output) = exposure(&text);
    assert!(closed, "{output}");
    let open =
        text.replace("NoNewPrivileges=yes", "NoNewPrivileges=no").replace("ProtectSystem=strict", "ProtectSystem=no");
    assert!(!exposure(&open).0, "an open unit must be over the limit");
}
