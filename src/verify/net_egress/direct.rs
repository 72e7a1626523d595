//! By address, port and protocol: what is refused whatever names are allowed.

use super::super::attack::{Attack, PositiveControl, attack};
use super::super::call::{Call, Endpoint, Listeners, PingSocket, Placeholder};
use super::super::claims::Claims;
use super::{NOBODY, outward};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The same of IPv6 (RFC 3849).
const NOBODY6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0xcb00, 0x7119);
/// The metadata service of a cloud.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const METADATA6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

const TCP: [(&str, &str, u16); 13] = [
    ("egress.ssh", "SSH", 22),
    ("egress.telnet", "telnet", 23),
    ("egress.smtp", "mail, SMTP", 25),
    ("egress.smtps", "mail, SMTP over TLS", 465),
    ("egress.submission", "mail, submission", 587),
    ("egress.http", "plain HTTP", 80),
    ("egress.dot", "DNS over TLS", 853),
    ("egress.mysql", "a database, MySQL", 3306),
    ("egress.postgres", "a database, PostgreSQL", 5432),
    ("egress.irc", "IRC, a classic of botnets", 6667),
    ("egress.proxy", "a web proxy", 8080),
    ("egress.https-alt", "HTTPS on another port", 8443),
    ("egress.high", "a high port", 31337),
];
const UDP: [(&str, &str, IpAddr, u16); 4] = [
    ("egress.quic", "QUIC, IPv4", IpAddr::V4(NOBODY), 443),
    ("egress.quic6", "QUIC, IPv6", IpAddr::V6(NOBODY6), 443),
    ("egress.ntp", "the time", IpAddr::V4(NOBODY), 123),
    ("egress.udp", "a high port over UDP", IpAddr::V4(NOBODY), 31337),
];

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let mut attacks = filtered(claims);
    if claims.by_name() {
        attacks.extend(by_name(claims));
    }
    attacks
}

/// A connection to somewhere else.
pub fn tcp(claims: &Claims, id: &str, what: &str, address: impl Into<IpAddr>, port: u16) -> Attack {
    let address = address.into();
    outward(
        claims,
        id,
        &format!("{what} ({address} port {port})"),
        Call::Tcp(Endpoint::new(address, port)),
        Call::Tcp(Endpoint::loopback(Placeholder::Tcp)),
    )
}

fn udp(to: Endpoint) -> Call {
    Call::Udp { to, own: None }
}

fn ping(kind: PingSocket, address: Ipv4Addr) -> Call {
    Call::Ping { kind, address }
}

/// Where ports are filtered, whatever the names.
fn filtered(claims: &Claims) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = TCP.iter().map(|(id, what, port)| tcp(claims, id, what, NOBODY, *port)).collect();
    attacks.extend(UDP.map(|(id, what, address, port)| {
        let what = format!("{what} ({address} port {port})");
        outward(claims, id, &what, udp(Endpoint::new(address, port)), udp(Endpoint::loopback(Placeholder::Udp)))
    }));
    attacks.extend([
        tcp(claims, "egress.ssh6", "SSH, IPv6", NOBODY6, 22),
        tcp(claims, "egress.smtp6", "mail, SMTP, IPv6", NOBODY6, 25),
        tcp(claims, "egress.metadata", "the cloud's metadata service", METADATA, 80),
        tcp(claims, "egress.metadata6", "the cloud's metadata service, IPv6", METADATA6, 80),
        outward(
            claims,
            "egress.ping",
            "an echo by the kernel's ping socket",
            ping(PingSocket::Socket, NOBODY),
            ping(PingSocket::Raw, Ipv4Addr::LOCALHOST),
        ),
        outward(
            claims,
            "egress.raw",
            "an echo by a raw socket",
            ping(PingSocket::Raw, NOBODY),
            ping(PingSocket::Raw, Ipv4Addr::LOCALHOST),
        ),
    ]);
    // The kernel's ping socket is for groups that it lists, and root's is seldom one of them.
    for attack in attacks.iter_mut().filter(|attack| claims.full && attack.id == "egress.ping") {
        attack.control = PositiveControl::ByRoot("the same by a raw socket, as root", ping(PingSocket::Raw, NOBODY));
    }
    attacks
}

/// Where names are: no address at all, and nothing of others on this host.
fn by_name(claims: &Claims) -> Vec<Attack> {
    let allowed = claims.allowed.iter().filter(|name| name.is_local()).filter_map(|name| name.port).collect();
    let planted = Endpoint::loopback(Placeholder::PlantedUdp);
    let neighbour =
        |id: &str, what: &str, to: Endpoint| attack(id, what, Call::Neighbour(to), PositiveControl::SameByRoot);
    let mut attacks = vec![
        tcp(claims, "egress.ipv4", "HTTPS to an address, IPv4", NOBODY, 443),
        tcp(claims, "egress.ipv6", "HTTPS to an address, IPv6", NOBODY6, 443),
        attack(
            "egress.others",
            "what other users' programs serve on this host",
            Call::Others { listeners: Listeners::Others, allowed },
            PositiveControl::SameByRoot,
        ),
        neighbour(
            "egress.neighbour",
            "a service of root on loopback, at a high port, started for this",
            Endpoint::loopback(Placeholder::Planted),
        ),
        neighbour("egress.neighbour6", "the same over IPv6", Endpoint::new(Ipv6Addr::LOCALHOST, Placeholder::Planted6)),
        attack("egress.neighbour-udp", "the same over UDP", udp(planted), PositiveControl::SameByRoot),
        attack(
            "egress.taken",
            "a request to it from the source port that root used before",
            Call::Udp { to: planted, own: Some(Placeholder::Left.into()) },
            PositiveControl::ByRoot("the same as root, from any port", udp(planted)),
        ),
    ];
    if let Some(own) = claims.own_address {
        let what = "this host's own SSH, by its public address";
        attacks.push(tcp(claims, "egress.own", what, own, claims.ssh_port));
    }
    attacks
}
