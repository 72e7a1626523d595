//! Through the proxy: every trick to make it connect to somebody else than an allowed name.

use super::super::attack::{Attack, PositiveControl, attack};
use super::super::claims::Claims;
use super::direct::NOBODY;
use super::outward;
use serde_json::{Value, json};

/// Where the lab has a host that speaks TLS for any name; for documentation elsewhere.
const STRANGER: &str = "203.0.113.82";

pub fn attacks(claims: &Claims) -> Vec<Attack> {
    let foreign = claims.foreign_name();
    let Some(allowed) = claims.allowed_name() else { return Vec::new() };
    let [here, here6] = &claims.here;
    // Whoever answers anything has let the attack through: the control sees such an answer.
    let tls = |id: &str, what: String, address: &str, port: u16, name: Option<&str>, how: &str| {
        let control = if claims.full {
            PositiveControl::ByRoot(
                "the same as root, to the place itself",
                json!(["tls", STRANGER, 443, foreign, how]),
            )
        } else {
            PositiveControl::ByRoot(
                "the same probe as root, to a listener on loopback",
                json!(["tls", "127.0.0.1", "@tcp", name, how]),
            )
        };
        attack(id, what, json!(["tls", address, port, name, how]), control)
    };
    let through = |id: &str, what: String, name: Option<&str>, how: &str| tls(id, what, here, 443, name, how);
    // Below a wildcard anything is allowed that ends like it, if only the end is looked at.
    let wild = claims.allowed.iter().find(|name| name.below).map_or(allowed, |name| name.name.as_str());
    let odd: String =
        foreign.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let plain = |id: &str, what: String, call: Value| {
        attack(
            id,
            what,
            call,
            PositiveControl::ByRoot(
                "the same probe as root, to a listener on loopback",
                json!(["speak", "127.0.0.1", "@tcp", "GET / HTTP/1.1\r\n\r\n"]),
            ),
        )
    };
    let connect = format!("CONNECT {STRANGER}:443 HTTP/1.1\r\nHost: {STRANGER}:443\r\n\r\n");
    let get = format!("GET / HTTP/1.1\r\nHost: {allowed}\r\nConnection: close\r\n\r\n");
    let stolen = "736b2d6f722d76312d3461643563306666";
    let mut attacks = vec![
        through("proxy.foreign", format!("a foreign name through the proxy ({foreign})"), Some(foreign), "whole"),
        tls("proxy.foreign6", "the same over IPv6".into(), here6, 443, Some(foreign), "whole"),
        tls("proxy.port", "the same at the proxy's own port".into(), "127.0.0.1", claims.proxy, Some(foreign), "whole"),
        through(
            "proxy.doh",
            "a public resolver over HTTPS, by its name (dns.google)".into(),
            Some("dns.google"),
            "whole",
        ),
        through("proxy.case", format!("the foreign name in odd letters ({odd})"), Some(&odd), "whole"),
        through("proxy.dot", "the foreign name with a dot at its end".into(), Some(&format!("{foreign}.")), "whole"),
        through(
            "proxy.suffix",
            "an allowed name as the beginning of a foreign one".into(),
            Some(&format!("{allowed}.{foreign}")),
            "whole",
        ),
        through(
            "proxy.prefix",
            "an allowed name as the end of a foreign label".into(),
            Some(&format!("x{allowed}")),
            "whole",
        ),
        through("proxy.nul", "an allowed name behind a NUL".into(), Some(&format!("{foreign}\0.{allowed}")), "whole"),
        through(
            "proxy.socket",
            "a path of a socket, behind it a NUL and the end of an allowed name".into(),
            Some(&format!("unix:/run/systemd/journal/stdout\0.{wild}")),
            "whole",
        ),
        through("proxy.space", "an allowed name behind a space".into(), Some(&format!("{foreign} {allowed}")), "whole"),
        through(
            "proxy.tunnel",
            "a secret in a name below an allowed one".into(),
            Some(&format!("{stolen}.{allowed}")),
            "whole",
        ),
        through("proxy.address", "an address in place of a name".into(), Some(STRANGER), "whole"),
        through("proxy.loopback", "loopback in place of a name".into(), Some("localhost"), "whole"),
        through("proxy.nameless", "no name at all".into(), None, "whole"),
        through("proxy.packets", "the foreign name, in two packets".into(), Some(foreign), "packets"),
        through("proxy.records", "the foreign name, in two records".into(), Some(foreign), "records"),
        through("proxy.bytes", "the foreign name, its first bytes one by one".into(), Some(foreign), "bytes"),
        outward(
            claims,
            "proxy.elsewhere",
            &format!("an allowed name said to a foreign address ({allowed} to {STRANGER})"),
            json!(["tls", STRANGER, 443, allowed]),
            json!(["tls", "127.0.0.1", "@tcp", allowed]),
        ),
        plain("proxy.plain", "plain HTTP to port 443".into(), json!(["speak", here, 443, get])),
        plain("proxy.http", "plain HTTP to port 80".into(), json!(["speak", here, 80, get])),
        plain(
            "proxy.connect",
            "CONNECT, at the proxy's own port".into(),
            json!(["speak", "127.0.0.1", claims.proxy, connect]),
        ),
        plain("proxy.connect-here", "CONNECT, at the allowed address".into(), json!(["speak", here, 443, connect])),
        plain(
            "proxy.mail",
            "mail through the proxy's own port".into(),
            json!(["speak", "127.0.0.1", claims.proxy, format!("EHLO {NOBODY}\r\n")]),
        ),
        attack("proxy.open", "the way to the proxy is there", json!(["tcp", here, 443]), PositiveControl::MustWork),
    ];
    // Else no word of the agent's reaches anybody because of us.
    if claims.full {
        let what = format!("an allowed name answers through the proxy ({allowed})");
        attacks.push(attack("proxy.allowed", what, json!(["tls", here, 443, allowed]), PositiveControl::MustWork));
        let odd = allowed.to_ascii_uppercase();
        let what = format!("an allowed name in capitals is the same name ({odd})");
        attacks.push(attack("proxy.capitals", what, json!(["tls", here, 443, odd]), PositiveControl::MustWork));
    }
    attacks
}
