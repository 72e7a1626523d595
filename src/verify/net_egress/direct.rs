//! By address, port and protocol: what is refused whatever names are allowed.

use super::super::attack::{Attack, PositiveControl, attack};
use super::super::claims::Claims;
use super::outward;
use serde_json::json;

/// For documentation (RFC 5737, RFC 3849): nobody is there. The lab has a host there that answers.
pub const NOBODY: &str = "203.0.113.25";
pub const NOBODY6: &str = "2001:db8:4::cb00:7119";

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
const UDP: [(&str, &str, &str, u16); 4] = [
    ("egress.quic", "QUIC, IPv4", NOBODY, 443),
    ("egress.quic6", "QUIC, IPv6", NOBODY6, 443),
    ("egress.ntp", "the time", NOBODY, 123),
    ("egress.udp", "a high port over UDP", NOBODY, 31337),
];

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let tcp = |id: &str, what: &str, address: &str, port: u16| {
        outward(
            claims,
            id,
            &format!("{what} ({address} port {port})"),
            json!(["tcp", address, port]),
            json!(["tcp", "127.0.0.1", "@tcp"]),
        )
    };
    let udp = |id: &str, what: &str, address: &str, port: u16| {
        outward(
            claims,
            id,
            &format!("{what} ({address} port {port})"),
            json!(["udp", address, port]),
            json!(["udp", "127.0.0.1", "@udp"]),
        )
    };
    let mut attacks: Vec<Attack> = TCP.iter().map(|(id, what, port)| tcp(id, what, NOBODY, *port)).collect();
    attacks.extend(UDP.iter().map(|(id, what, address, port)| udp(id, what, address, *port)));
    attacks.extend([
        tcp("egress.ssh6", "SSH, IPv6", NOBODY6, 22),
        tcp("egress.smtp6", "mail, SMTP, IPv6", NOBODY6, 25),
        tcp("egress.metadata", "the cloud's metadata service", "169.254.169.254", 80),
        tcp("egress.metadata6", "the cloud's metadata service, IPv6", "fd00:ec2::254", 80),
        outward(
            claims,
            "egress.ping",
            "an echo by the kernel's ping socket",
            json!(["ping", "socket", NOBODY]),
            json!(["ping", "raw", "127.0.0.1"]),
        ),
        outward(
            claims,
            "egress.raw",
            "an echo by a raw socket",
            json!(["ping", "raw", NOBODY]),
            json!(["ping", "raw", "127.0.0.1"]),
        ),
    ]);
    // The kernel's ping socket is for groups that it lists, and root's is seldom one of them.
    for attack in attacks.iter_mut().filter(|attack| claims.full && attack.id == "egress.ping") {
        attack.control = PositiveControl::ByRoot("the same by a raw socket, as root", json!(["ping", "raw", NOBODY]));
    }
    if claims.by_name() {
        let local: Vec<u16> =
            claims.allowed.iter().filter(|name| name.is_local()).filter_map(|name| name.port).collect();
        let question = json!(["udp", "127.0.0.1", "@planted-udp"]);
        let planted = |id: &str, what: &str, address: &str, port: &str| {
            attack(id, what, json!(["neighbour", address, port]), PositiveControl::SameByRoot)
        };
        attacks.extend([
            tcp("egress.ipv4", "HTTPS to an address, IPv4", NOBODY, 443),
            tcp("egress.ipv6", "HTTPS to an address, IPv6", NOBODY6, 443),
            attack(
                "egress.others",
                "what other users serve on this host",
                json!(["others", "@others", local]),
                PositiveControl::SameByRoot,
            ),
            planted(
                "egress.neighbour",
                "a service of root's on loopback, at a high port, opened for this",
                "127.0.0.1",
                "@planted",
            ),
            planted("egress.neighbour6", "the same over IPv6", "::1", "@planted6"),
            attack("egress.neighbour-udp", "the same over UDP", question.clone(), PositiveControl::SameByRoot),
            attack(
                "egress.taken",
                "a question to it from the port that root asked it from before",
                json!(["udp", "127.0.0.1", "@planted-udp", "petasos", "@left"]),
                PositiveControl::ByRoot("the same as root, from any port", question),
            ),
        ]);
        if let Some(own) = &claims.own_address {
            attacks.push(tcp("egress.own", "this host's own SSH, by its public address", own, claims.ssh_port));
        }
    }
    attacks
}
