//! Firewalls: UFW's, and the filter of the agent's way out.

use super::{Drift, PLAIN, SMTP_REFUSED};

/// Nobody answers a first message of TLS with an allowed name and an Encrypted Client Hello.
const ENCRYPTED_REFUSED: &str = r#"cat >/run/hello.py <<'END'
import socket, struct, sys
part = lambda number, body: struct.pack("!2H", number, len(body)) + body
name = b"openrouter.ai"
parts = part(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name) + part(0xFE0D, b"\1")
body = b"\3\3" + bytes(32) + b"\0\0\2\x13\1\1\0" + struct.pack("!H", len(parts)) + parts
hello = b"\1\0" + struct.pack("!H", len(body)) + body
peer = socket.create_connection(("192.0.2.1", 443), 5)
peer.settimeout(5)
peer.sendall(b"\x16\3\1" + struct.pack("!H", len(hello)) + hello)
try:
    sys.exit(len(peer.recv(9)))
except ConnectionResetError:
    sys.exit(0)
END
runuser -u hermes -- python3 - </run/hello.py"#;

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "a ufw rule is deleted",
        // Of IPv6 alone: the other one is the way in.
        inject: "ufw --force delete 2",
        expect: &[("ufw firewall", "allow 22/tcp")],
        sound: "iptables -C ufw-user-input -p tcp --dport 22 -j ACCEPT && ip6tables -C ufw6-user-input -p tcp --dport 22 -j ACCEPT",
        writes: &["/etc/ufw/"],
        ..PLAIN
    },
    Drift {
        name: "a rule of ufw's is deleted in the kernel",
        inject: "ip6tables -D ufw6-user-input -p tcp --dport 22 -j ACCEPT",
        expect: &[("ufw firewall", "kernel rules")],
        sound: "ip6tables -C ufw6-user-input -p tcp --dport 22 -j ACCEPT",
        writes: &["/etc/ufw/"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a port is opened with ufw",
        inject: "ufw allow 8080/tcp",
        expect: &[
            // One change: one command takes it away for both address families.
            ("ufw firewall", "allow in proto tcp from any to any port 8080"),
        ],
        sound: "! iptables -C ufw-user-input -p tcp --dport 8080 -j ACCEPT && ! ip6tables -C ufw6-user-input -p tcp --dport 8080 -j ACCEPT",
        writes: &["/etc/ufw/"],
        undo: "ufw --force delete allow 8080/tcp",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a port is opened with ufw, for one network and with a comment",
        inject: "ufw allow proto tcp from 192.0.2.0/24 to any port 5432 comment 'for a while'",
        expect: &[("ufw firewall", "allow in proto tcp from 192.0.2.0/24 to any port 5432")],
        sound: "! iptables -S ufw-user-input | grep -q 5432",
        writes: &["/etc/ufw/"],
        undo: "ufw --force delete allow proto tcp from 192.0.2.0/24 to any port 5432",
        ..PLAIN
    },
    Drift {
        name: "a port is opened in the kernel, past ufw's own files",
        inject: "iptables -I ufw-user-input -p tcp --dport 8081 -j ACCEPT",
        expect: &[("ufw firewall", "kernel rules")],
        sound: "! iptables -C ufw-user-input -p tcp --dport 8081 -j ACCEPT",
        writes: &["/etc/ufw/"],
        ..PLAIN
    },
    Drift {
        name: "ufw's chains are unhooked in the kernel",
        inject: "iptables -D INPUT -j ufw-before-input; iptables -P INPUT ACCEPT",
        expect: &[("ufw firewall", "active")],
        sound: "iptables -C INPUT -j ufw-before-input && iptables -S INPUT | grep -qx -e '-P INPUT DROP'",
        writes: &["/etc/ufw/"],
        undo: "ufw disable; ufw --force enable",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "ufw is off",
        inject: "ufw disable",
        expect: &[("ufw firewall", "active")],
        sound: "iptables -S INPUT | grep -qx -e '-P INPUT DROP' && ufw status | grep -qx 'Status: active'",
        writes: &["/etc/ufw/"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "ufw lets everything in",
        inject: "ufw default allow incoming",
        expect: &[("ufw firewall", "default incoming"), ("ufw firewall", "active")],
        sound: "iptables -S INPUT | grep -qx -e '-P INPUT DROP'",
        writes: &["/etc/ufw/", "/etc/default/ufw"],
        ..PLAIN
    },
    Drift {
        name: "the egress table is gone",
        inject: "nft delete table inet petasos",
        expect: &[("nft inet petasos", "loaded")],
        sound: SMTP_REFUSED,
        ..PLAIN
    },
    Drift {
        name: "an egress rule is inserted in the kernel",
        inject: "nft insert rule inet petasos agent tcp dport 25 accept",
        expect: &[("nft inet petasos", "rules")],
        sound: SMTP_REFUSED,
        ..PLAIN
    },
    Drift {
        name: "the egress file is edited and loaded",
        inject: "sed -i 's/ip6 daddr ::1 jump here/&\\n\\t\\ttcp dport 25 accept/' /etc/petasos/egress.nft; systemctl reload petasos-egress.service",
        expect: &[
            ("file /etc/petasos/egress.nft", "content"),
            ("unit petasos-egress.service", "read"),
            ("nft inet petasos", "rules"),
        ],
        sound: SMTP_REFUSED,
        writes: &["/etc/petasos/egress.nft"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a name is added for the agent by hand",
        inject: "sed -i 's/openrouter.ai 1;/& foreign.example.net 1;/' /etc/petasos/proxy.conf; echo host-record=foreign.example.net,192.0.2.1 >>/etc/petasos/resolver.conf; systemctl reload petasos-proxy.service; systemctl restart petasos-resolver.service; sleep 1",
        expect: &[
            ("file /etc/petasos/resolver.conf", "content"),
            ("unit petasos-resolver.service", "read"),
            ("file /etc/petasos/proxy.conf", "content"),
            ("unit petasos-proxy.service", "read"),
        ],
        sound: "! runuser -u hermes -- curl -sk -m 5 -o /dev/null --resolve foreign.example.net:443:192.0.2.1 https://foreign.example.net/",
        writes: &["/etc/petasos/proxy.conf", "/etc/petasos/resolver.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the proxy is to let encrypted names through",
        inject: "sed -i 's/return true;/return false;/' /etc/petasos/proxy-hello.js; systemctl reload petasos-proxy.service; sleep 1",
        expect: &[("file /etc/petasos/proxy-hello.js", "content"), ("unit petasos-proxy.service", "read")],
        sound: ENCRYPTED_REFUSED,
        writes: &["/etc/petasos/proxy-hello.js"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the agent's egress is shut",
        inject: "systemctl disable -q --now petasos-proxy.service; systemctl stop petasos-resolver.service",
        expect: &[
            ("unit petasos-resolver.service", "running"),
            ("unit petasos-proxy.service", "enabled"),
            ("unit petasos-proxy.service", "running"),
        ],
        sound: "timeout 20 sh -c 'until runuser -u hermes -- curl -sk -m 5 -o /dev/null --resolve openrouter.ai:443:192.0.2.1 https://openrouter.ai/; do sleep 0.2; done'",
        long: true,
        ..PLAIN
    },
];
