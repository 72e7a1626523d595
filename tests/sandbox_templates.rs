//! The sandbox's templates, rendered: golden files in `tests/render/sandbox`, judged by systemd,
//! systemd-tmpfiles and nginx; and its runner's own tests. What a sandbox withstands is tried on a
//! host, by `tests/sandbox`.
mod judge;

use judge::{complaints_about_unit, folder, golden, judge as tool, render, verdict};
use serde_json::{Value, json};

/// The agent's list has other names than the sandbox's.
fn vars() -> Value {
    json!({
        "agent": { "sandbox": { "network": "names", "timeout": 180, "memory": "1G", "processes": 128, "file_size": "512M" } },
        "network": { "egress": { "mode": "names", "enforce": true } },
        "host": { "nameservers": ["127.0.0.53"], "ipv6": true },
        "egress": {
            "exact": ["openrouter.ai"], "below": [], "ports": [], "proxy": 10054,
            "sandbox": { "exact": ["pypi.org"], "below": ["example.net"], "ports": [{ "name": "git.example.com", "port": 22 }] },
        },
    })
}

const UNITS: [&str; 2] = ["petasos-sandbox@.service", "petasos-sandbox-net@.service"];
const SOCKETS: [&str; 2] = ["petasos-sandbox.socket", "petasos-sandbox-net.socket"];

fn agent(name: &str) -> String {
    render(&format!("agent/{name}.tera"), &vars())
}

#[test]
fn golden_files() {
    for name in UNITS.into_iter().chain(SOCKETS).chain(["petasos-sandbox.conf"]) {
        golden(&format!("sandbox/{name}"), &agent(name));
    }
    for name in ["sandbox-names", "proxy.conf"] {
        golden(&format!("sandbox/{name}"), &render(&format!("egress/{name}.tera"), &vars()));
    }
}

#[test]
fn the_units_are_what_systemd_accepts() {
    for name in UNITS {
        let text = agent(name);
        assert_eq!(complaints_about_unit(name, &text), "");
        let planted = text.replace("ProtectSystem=strict", "ProtectSystem=strictly");
        assert!(complaints_about_unit(name, &planted).contains("strictly"), "a wrong value must be named");
    }
}

#[test]
fn the_units_are_as_closed_as_they_were_meant_to_be() {
    for name in UNITS {
        let text = agent(name);
        let exposure = |text: &str| {
            let (_dir, path) = folder(name, text);
            // 15 stands for 1.5.
            verdict(tool("systemd-analyze", "systemd").args(["security", "--offline=yes", "--threshold=15"]).arg(path))
        };
        let (closed, output) = exposure(&text);
        assert!(closed, "{output}");
        assert!(!exposure(&text.replace("PrivateNetwork=yes\n", "")).0, "{name} with a network must be over the limit");
    }
}

/// The one unit's commands have no way to the other's.
#[test]
fn only_the_unit_with_network_has_the_way_to_the_proxy() {
    let [without, with] = UNITS.map(agent);
    assert!(with.contains(":/egress/https") && with.contains("/run/petasos-proxy/sandbox-1:/egress/1"));
    assert!(!without.contains("/egress") && !without.contains("PETASOS_NETWORK"));
}

/// Not one name of the agent's, and not one of the sandbox's for the agent.
#[test]
fn each_has_its_own_names() {
    let proxy = render("egress/proxy.conf.tera", &vars());
    let map = |of: &str| {
        let from = proxy.find(of).unwrap_or_else(|| panic!("no {of}"));
        proxy[from..].split('}').next().expect("a part").to_owned()
    };
    let (agents, sandboxes) = (map("_name $allowed {"), map("_name $sandbox_allowed {"));
    assert!(agents.contains("openrouter.ai 1;") && !agents.contains("pypi.org"));
    assert!(sandboxes.contains("pypi.org 1;") && sandboxes.contains("*.example.net 1;"));
    assert!(!sandboxes.contains("openrouter.ai"));
    let mut none = vars();
    none["egress"].as_object_mut().expect("a map").remove("sandbox");
    assert!(!render("egress/proxy.conf.tera", &none).contains("sandbox"), "no sandbox, no door");
}

/// Process 1 of a command, with orphans without end.
#[test]
fn orphans_do_not_hold_up_a_command() {
    let mut command = tool("python3", "python3");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox");
    command.args(["-B", "-m", "unittest", "-v", "test_reap"]).current_dir(folder);
    let (passed, said) = verdict(&mut command);
    assert!(passed && said.contains("\nOK"), "{said}");
}
