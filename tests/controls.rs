//! Which controls of `petasos verify` a change counts for: those that the entries of a playbook
//! name, and where a service has not read a file yet, those of whatever claims the file.
mod common_cases;

use common_cases::plan;
use petasos::plan::Plan;
use petasos::resource::digest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn controls(plan: &Plan, id: &str, field: &str) -> Vec<String> {
    let found = plan.steps.iter().find(|step| step.id == id && step.change.field == field);
    let step = found.unwrap_or_else(|| panic!("no {id}/{field} in {plan:?}"));
    step.controls.iter().cloned().collect()
}

#[test]
fn a_change_counts_for_the_controls_of_what_it_is_about() {
    const UNIT: &str = "/etc/systemd/system/hermes.service";
    let entries = json!([
        { "name": "policy", "control": ["approve.mode", "msg.allow"], "file": { "path": "/etc/hermes/config.yaml", "mode": "0640", "content": "new" } },
        { "name": "secrets", "control": "redact.secrets", "env_file": { "path": "/etc/hermes/.env", "mode": "0640", "secrets": ["TOKEN"] } },
        { "name": "walls", "control": "fs.strict", "file": { "path": UNIT, "mode": "0644", "content": "same" } },
        { "name": "it runs", "control": "user.nonroot", "unit": { "name": "hermes.service", "running": true, "no_drop_ins": true, "watches": ["/etc/hermes/config.yaml", "/etc/hermes/.env", UNIT] } },
    ]);
    let state = |active: &str, reload: bool, drop_ins: &[&str]| json!({ "is": { "file_state": "enabled", "active": active, "sub": "", "need_reload": reload, "fragment": UNIT, "drop_ins": drop_ins, "invocation": "" } });
    let (old, env, same) = (digest("old"), digest("TOKEN=x\n"), digest("same"));
    let is =
        |digest: &str| json!({ "is": { "kind": { "file": digest }, "owner": "root", "group": "root", "mode": 0o640 } });
    let host = |unit: Value, config: &str, dotenv: &str, stamp: String| {
        let unit_file = json!({ "is": { "kind": { "file": same }, "owner": "root", "group": "root", "mode": 0o644 } });
        plan(
            &entries,
            json!({
                "units": { "hermes.service": unit },
                "paths": { "/etc/hermes/config.yaml": is(config), "/etc/hermes/.env": is(dotenv), UNIT: unit_file },
                "texts": { "/var/lib/petasos/stamps/hermes.service": { "is": stamp } },
            }),
        )
    };
    let stamp = |config: &str, dotenv: &str| {
        format!("{config}  /etc/hermes/config.yaml\n{dotenv}  /etc/hermes/.env\n{same}  {UNIT}\n")
    };
    let new = digest("new");
    let read = |config: &str, dotenv: &str| host(state("active", false, &[]), config, dotenv, stamp(config, dotenv));

    // The settings alone are stale, and the file of the secrets, which no control knew of.
    let of_config = read(&old, &env);
    assert_eq!(controls(&of_config, "file /etc/hermes/config.yaml", "content"), ["approve.mode", "msg.allow"]);
    assert_eq!(controls(&of_config, "unit hermes.service", "read"), ["approve.mode", "msg.allow"]);
    let of_env = read(&new, &old);
    assert_eq!(controls(&of_env, "file /etc/hermes/.env", "content"), ["redact.secrets"]);
    assert_eq!(controls(&of_env, "unit hermes.service", "read"), ["redact.secrets"]);
    // Both: the one that sorts first hides nothing.
    let of_both = controls(&read(&old, &old), "unit hermes.service", "read");
    assert_eq!(of_both, ["approve.mode", "msg.allow", "redact.secrets"]);

    let drop_in =
        host(state("active", true, &["/etc/systemd/system/hermes.service.d/x.conf"]), &new, &env, stamp(&new, &env));
    assert_eq!(controls(&drop_in, "unit hermes.service", "drop-in"), ["fs.strict"]);
    assert_eq!(controls(&drop_in, "unit hermes.service", "read"), ["fs.strict"]);
    let reload = host(state("active", true, &[]), &new, &env, stamp(&new, &env));
    assert_eq!(controls(&reload, "unit hermes.service", "loaded"), ["fs.strict"]);
    let stopped = host(state("inactive", false, &[]), &new, &env, stamp(&new, &env));
    assert_eq!(controls(&stopped, "unit hermes.service", "running"), ["user.nonroot"]);

    let blind = host(json!({ "unreadable": "it is odd" }), &new, &env, stamp(&new, &env));
    let unknown = blind.unknown.first().expect("it cannot be told");
    assert_eq!(unknown.controls, BTreeSet::from(["user.nonroot".to_owned()]));
    assert_eq!(blind.controls.len(), 5, "all that any entry names");
}
