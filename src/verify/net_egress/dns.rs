//! By name: the resolver that asks nobody, and all the other ways to a resolver.

use super::super::attack::PositiveControl::ByRoot;
use super::super::attack::{Attack, PositiveControl, attack};
use super::super::call::{Call, Endpoint, PathCall, Placeholder, Transport};
use super::super::claims::Claims;
use super::direct::tcp;
use super::{NOBODY, outward};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a thief would say in a question about a name.
const STOLEN: &str = "736b2d6f722d76312d346164356330666665653064646261313164";

/// Public resolvers, which answer anybody.
const CLOUDFLARE: Ipv4Addr = Ipv4Addr::new(1, 1, 1, 1);
const CLOUDFLARE6: Ipv6Addr = Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111);
const GOOGLE: Ipv4Addr = Ipv4Addr::new(8, 8, 8, 8);
const GOOGLE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888);
const QUAD9: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
/// Where systemd-resolved listens.
const STUB: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let foreign = claims.foreign_name();
    let mut attacks = foreign_resolvers(claims, foreign);
    let Some(allowed) = claims.allowed_name() else { return attacks };
    // The control is the agent's: the same question about an allowed name has an answer.
    let name = |id: &str, what: String, call: Call, control: Call| {
        attack(id, what, call, PositiveControl::ByAgent("the same with an allowed name", control))
    };
    let question = |transport: Transport, name: &str| Call::Dns {
        transport,
        to: Endpoint::new(claims.resolver_addr, 53),
        name: name.to_owned(),
        any_answer: false,
    };
    let asked = |id: &str, what: &str, transport: Transport, name_: &str| {
        name(id, format!("{what} ({name_})"), question(transport, name_), question(transport, allowed))
    };
    let lookup = |name: &str| Call::Lookup { name: name.to_owned() };
    let sockets = |paths: &'static [&'static str]| Call::AnyOf { name: PathCall::Unix, paths };
    let (tunnel, below) = (format!("{STOLEN}.{foreign}"), format!("{STOLEN}.{allowed}"));
    attacks.extend([
        asked("names.foreign", "a name that is not allowed", Transport::Udp, foreign),
        asked("names.foreign-tcp", "the same over TCP", Transport::Tcp, foreign),
        asked("names.tunnel", "a secret in a name", Transport::Udp, &tunnel),
        asked("names.tunnel-below", "a secret in a name below an allowed one", Transport::Udp, &below),
        name(
            "names.library",
            format!("the C library and all its resolvers ({foreign})"),
            lookup(foreign),
            lookup(allowed),
        ),
        name(
            "names.library-tunnel",
            "a secret in a name, by the C library".to_owned(),
            lookup(&tunnel),
            lookup(allowed),
        ),
        attack(
            "names.varlink",
            "systemd-resolved by varlink",
            sockets(&["/run/systemd/resolve/io.systemd.Resolve", "/run/systemd/resolve/io.systemd.Resolve.Monitor"]),
            PositiveControl::SameByRoot,
        ),
        attack(
            "names.bus",
            "systemd-resolved and others by D-Bus",
            sockets(&["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"]),
            PositiveControl::SameByRoot,
        ),
        attack(
            "names.allowed",
            format!("an allowed name has an address ({allowed})"),
            lookup(allowed),
            PositiveControl::MustWork,
        ),
    ]);
    attacks
}

fn foreign_resolvers(claims: &Claims, foreign: &str) -> Vec<Attack> {
    let question =
        |transport: Transport, to: Endpoint| Call::Dns { transport, to, name: foreign.to_owned(), any_answer: true };
    let on_loopback = |transport: Transport| {
        let listener = match transport {
            Transport::Udp => Placeholder::Udp,
            Transport::Tcp => Placeholder::Tcp,
        };
        question(transport, Endpoint::loopback(listener))
    };
    let asked = |id: &str, what: &str, transport: Transport, server: IpAddr| {
        let call = question(transport, Endpoint::new(server, 53));
        outward(claims, id, &format!("{what} ({server})"), call, on_loopback(transport))
    };
    // On loopback a host's own resolver listens, which asks others; where none does, the control
    // has a listener of its own.
    let local = |id: &str, what: &str, server: IpAddr| {
        let call = question(Transport::Udp, Endpoint::new(server, 53));
        let control = ByRoot("the same probe as root, to a listener on loopback", on_loopback(Transport::Udp));
        attack(id, format!("{what} ({server})"), call, control)
    };
    vec![
        local("names.stub", "systemd-resolved's own address", STUB.into()),
        local("names.local", "a resolver on loopback", Ipv4Addr::LOCALHOST.into()),
        local("names.local6", "the same over IPv6", Ipv6Addr::LOCALHOST.into()),
        asked("names.udp", "a public resolver", Transport::Udp, CLOUDFLARE.into()),
        asked("names.udp8", "another one", Transport::Udp, GOOGLE.into()),
        asked("names.tcp", "a public resolver, over TCP", Transport::Tcp, QUAD9.into()),
        asked("names.udp6", "a public resolver, over IPv6", Transport::Udp, CLOUDFLARE6.into()),
        asked("names.own", "a resolver of the attacker", Transport::Udp, NOBODY.into()),
        // Port 853 is tried at an address of nobody's: among the ways.
        tcp(claims, "names.doh", "a public resolver over HTTPS, by its address", CLOUDFLARE, 443),
        tcp(claims, "names.doh8", "another one", GOOGLE, 443),
        tcp(claims, "names.doh6", "a public resolver over HTTPS, by its IPv6 address", GOOGLE6, 443),
    ]
}
