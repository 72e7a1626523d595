//! Units of systemd's, and parameters of the kernel.

use super::{Drift, HERMES, NO_CAPABILITIES, PLAIN, UNIT};

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "a unit is stopped",
        inject: "systemctl stop hermes.service",
        expect: &[("unit hermes.service", "running")],
        sound: "systemctl -q is-active hermes.service && python3 -c 'import urllib.request; urllib.request.urlopen(\"http://127.0.0.1:8642/health\")'",
        restarts: HERMES,
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a unit was started too often, and systemd gave it up",
        inject: "systemctl stop hermes.service; mv /opt/hermes/current /opt/hermes/away; for n in $(seq 20); do systemctl restart hermes.service 2>/dev/null || break; done; mv /opt/hermes/away /opt/hermes/current; ! systemctl start hermes.service 2>/dev/null",
        expect: &[("unit hermes.service", "running")],
        sound: "systemctl -q is-active hermes.service",
        restarts: HERMES,
        undo: "systemctl reset-failed hermes.service",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a unit is disabled",
        inject: "systemctl -q disable hermes.service",
        expect: &[("unit hermes.service", "enabled")],
        sound: "systemctl -q is-enabled hermes.service",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a timer is masked",
        inject: "systemctl -q mask --now apt-daily-upgrade.timer",
        expect: &[
            ("unit apt-daily-upgrade.timer", "masked"),
            ("unit apt-daily-upgrade.timer", "enabled"),
            ("unit apt-daily-upgrade.timer", "running"),
        ],
        sound: "systemctl -q is-enabled apt-daily-upgrade.timer && systemctl -q is-active apt-daily-upgrade.timer",
        undo: "systemctl unmask apt-daily-upgrade.timer",
        ..PLAIN
    },
    Drift {
        name: "a unit is edited, and systemd not told",
        inject: "sed -i 's/^NoNewPrivileges=yes/NoNewPrivileges=no/' /etc/systemd/system/hermes.service",
        expect: &[
            ("file /etc/systemd/system/hermes.service", "content"),
            ("unit hermes.service", "loaded"),
            ("unit hermes.service", "read"),
        ],
        restarts: HERMES,
        sound: "[ \"$(systemctl show --value -p NeedDaemonReload hermes.service)\" = no ] && grep -qx NoNewPrivileges=yes /etc/systemd/system/hermes.service",
        writes: &[UNIT],
        ..PLAIN
    },
    Drift {
        name: "a unit is edited, and systemd told",
        inject: "sed -i 's/^NoNewPrivileges=yes/NoNewPrivileges=no/' /etc/systemd/system/hermes.service; systemctl daemon-reload",
        expect: &[("file /etc/systemd/system/hermes.service", "content"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "[ \"$(systemctl show --value -p NoNewPrivileges hermes.service)\" = yes ]",
        writes: &[UNIT],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a unit is edited, and runs that way",
        inject: "sed -i 's/^CapabilityBoundingSet=$/CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN/' /etc/systemd/system/hermes.service; systemctl daemon-reload; systemctl reset-failed hermes.service; systemctl restart hermes.service; sleep 0.5",
        expect: &[("file /etc/systemd/system/hermes.service", "content"), ("unit hermes.service", "read")],
        sound: NO_CAPABILITIES,
        restarts: HERMES,
        writes: &[UNIT],
        undo: "rm -f /var/lib/petasos/stamps/hermes.service",
        long: true,
    },
    Drift {
        name: "a drop-in is added, and systemd not told",
        inject: "mkdir -p /etc/systemd/system/hermes.service.d; printf '[Service]\\nNoNewPrivileges=no\\n' >/etc/systemd/system/hermes.service.d/x.conf",
        expect: &[("unit hermes.service", "drop-in"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "! ls /etc/systemd/system/hermes.service.d/*.conf",
        undo: "rm -rf /etc/systemd/system/hermes.service.d; systemctl daemon-reload",
        ..PLAIN
    },
    Drift {
        name: "a drop-in is added, and systemd told",
        inject: "mkdir -p /run/systemd/system/hermes.service.d; printf '[Service]\\nNoNewPrivileges=no\\n' >/run/systemd/system/hermes.service.d/x.conf; systemctl daemon-reload",
        expect: &[("unit hermes.service", "drop-in"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "[ \"$(systemctl show --value -p NoNewPrivileges hermes.service)\" = yes ]",
        undo: "rm -rf /run/systemd/system/hermes.service.d; systemctl daemon-reload",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a drop-in is added, and the unit runs with it",
        inject: "mkdir -p /etc/systemd/system/hermes.service.d; printf '[Service]\\nCapabilityBoundingSet=CAP_NET_ADMIN\\n' >/etc/systemd/system/hermes.service.d/x.conf; systemctl daemon-reload; systemctl reset-failed hermes.service; systemctl restart hermes.service; sleep 0.5",
        expect: &[("unit hermes.service", "drop-in"), ("unit hermes.service", "read")],
        sound: NO_CAPABILITIES,
        restarts: HERMES,
        undo: "rm -rf /etc/systemd/system/hermes.service.d /var/lib/petasos/stamps/hermes.service; systemctl daemon-reload",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a kernel parameter is changed live",
        inject: "sysctl -qw net.ipv4.conf.all.accept_redirects=1",
        expect: &[("sysctl net.ipv4.conf.all.accept_redirects", "value")],
        sound: "[ \"$(cat /proc/sys/net/ipv4/conf/all/accept_redirects)\" = 0 ]",
        ..PLAIN
    },
];
