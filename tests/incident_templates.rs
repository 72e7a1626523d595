//! The templates of a quarantine, rendered: golden files in `tests/render/incident`, judged by nft
//! and systemd.
mod judge;

use judge::{complaints_about_unit, folder, golden, judge as tool, render, verdict};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

fn host(address: &str, family: &str) -> Value {
    let store = json!({ "name": "box", "kind": "vault", "known": true, "address": address, "family": family, "port": 2200, "user": "petasos-vault", "key": "ssh-ed25519 AAAA", "secrets": "" });
    json!({ "ssh_port": "22", "backup": { "name": "production", "store": store } })
}

fn alone() -> Value {
    json!({ "ssh_port": "2222", "backup": null })
}

#[test]
fn nft_accepts_the_quarantine() {
    // The users of a host are not on this machine.
    let known = |text: &str| text.replace("\"hermes\"", "4001").replace("\"petasos-backup\"", "4002");
    let accepts = |text: &str| {
        let (_dir, path) = folder("quarantine.nft", &known(text));
        let mut unshare = tool("unshare", "util-linux");
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
            unshare.arg("--map-root-user");
        }
        verdict(unshare.args(["--net", "/usr/sbin/nft", "-c", "-f"]).arg(path))
    };
    tool("nft", "nftables");
    for (name, vars, says) in [
        (
            "quarantine.nft",
            host("203.0.113.9", "ip"),
            "meta skuid { 0, \"petasos-backup\" } ip daddr 203.0.113.9 tcp dport 2200 accept",
        ),
        (
            "quarantine-v6.nft",
            host("2001:db8::9", "ip6"),
            "meta skuid { 0, \"petasos-backup\" } ip6 daddr 2001:db8::9 tcp dport 2200 accept",
        ),
        ("quarantine-name.nft", host("vault.example.com", ""), "tcp dport 22 accept"),
        ("quarantine-alone.nft", alone(), "tcp dport 2222 accept"),
    ] {
        let text = render("incident/quarantine.nft.tera", &vars);
        golden(&format!("incident/{name}"), &text);
        assert!(text.contains(says), "{name}: {text}");
        let (accepted, said) = accepts(&text);
        assert!(accepted, "{name}: {said}");
        assert!(!accepts(&text.replace("policy drop", "policy dorp")).0, "{name}: nothing is judged");
    }
    for vars in [alone(), host("vault.example.com", "")] {
        let without = render("incident/quarantine.nft.tera", &vars);
        assert!(!without.contains("petasos-backup"), "without an address nobody has a way to one");
    }
}

#[test]
fn systemd_accepts_the_units() {
    for name in ["petasos-quarantine.service", "petasos-incident.service"] {
        let text = render(&format!("incident/{name}.tera"), &host("203.0.113.9", "ip"));
        golden(&format!("incident/{name}"), &text);
        let complaints = |text: &str| {
            let said = complaints_about_unit(name, text);
            said.lines().filter(|line| !line.contains("not found")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(complaints(&text), Vec::<String>::new(), "{name}");
        assert_ne!(complaints(&text.replacen("Type=", "Typ=", 1)), Vec::<String>::new(), "{name}: nothing is judged");
    }
}
