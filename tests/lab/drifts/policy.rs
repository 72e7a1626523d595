//! What stands between the agent and the host: the policy, the audit writer, the sandbox.

use super::{Drift, HERMES, PLAIN};

const POLICY: &str = "/etc/hermes/policies/";
const WRITER: &[&str] = &["petasos-audit.service"];
const BOTH: &[&str] = &["hermes.service", "petasos-audit.service"];

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "the policy's code is changed",
        inject: "echo '# drift' >>/usr/lib/petasos/petasos_policy/launch.py",
        expect: &[("file /usr/lib/petasos/petasos_policy/launch.py", "content"), ("unit hermes.service", "read")],
        sound: "! grep -q drift /usr/lib/petasos/petasos_policy/launch.py",
        restarts: HERMES,
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a part of the policy's code is gone",
        inject: "rm /usr/lib/petasos/petasos_policy/chokes.py",
        expect: &[("file /usr/lib/petasos/petasos_policy/chokes.py", "exists"), ("unit hermes.service", "read")],
        sound: "test -f /usr/lib/petasos/petasos_policy/chokes.py",
        restarts: HERMES,
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the policy's code belongs to the agent",
        inject: "chown hermes /usr/lib/petasos/petasos_policy/kernel_lock.py /usr/lib/petasos/petasos_policy /usr/lib/petasos",
        expect: &[
            ("file /usr/lib/petasos/petasos_policy/kernel_lock.py", "owner"),
            ("directory /usr/lib/petasos/petasos_policy", "owner"),
            ("directory /usr/lib/petasos", "owner"),
        ],
        sound: "! runuser -u hermes -- test -w /usr/lib/petasos/petasos_policy/kernel_lock.py && ! runuser -u hermes -- test -w /usr/lib/petasos",
        undo: "chown -R root:root /usr/lib/petasos",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the agent's rules are edited",
        inject: "sed -i 's/\"mode\": \"manual\"/\"mode\": \"smart\"/' /etc/hermes/policies/0.19.0.json",
        expect: &[("file /etc/hermes/policies/0.19.0.json", "content"), ("unit hermes.service", "read")],
        sound: "grep -q '\"mode\": \"manual\"' /etc/hermes/policy.json",
        restarts: HERMES,
        writes: &[POLICY],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the agent's rules are writable to their group",
        inject: "chmod 0664 /etc/hermes/policies/0.19.0.json",
        expect: &[("file /etc/hermes/policies/0.19.0.json", "mode")],
        sound: "[ \"$(stat -c %a /etc/hermes/policies/0.19.0.json)\" = 644 ]",
        writes: &[POLICY],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the agent goes by rules of somebody else's",
        inject: "cp /etc/hermes/policies/0.19.0.json /etc/hermes/mine.json; ln -sfn /etc/hermes/mine.json /etc/hermes/policy.json",
        expect: &[("symlink /etc/hermes/policy.json", "target"), ("unit hermes.service", "read")],
        sound: "[ \"$(readlink -f /etc/hermes/policy.json)\" = /etc/hermes/policies/0.19.0.json ]",
        restarts: HERMES,
        ..PLAIN
    },
    Drift {
        name: "the audit log belongs to the agent",
        inject: "chown hermes:hermes /var/log/hermes",
        expect: &[("directory /var/log/hermes", "owner")],
        sound: "! runuser -u hermes -- test -w /var/log/hermes",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the audit writer's code is changed",
        inject: "echo '# drift' >>/usr/lib/petasos/audit/log.py",
        expect: &[("file /usr/lib/petasos/audit/log.py", "content"), ("unit petasos-audit.service", "read")],
        sound: "! grep -q drift /usr/lib/petasos/audit/log.py",
        restarts: WRITER,
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the audit writer's unit is edited, and systemd told",
        inject: "sed -i 's/^NoNewPrivileges=yes/NoNewPrivileges=no/' /etc/systemd/system/petasos-audit.service; systemctl daemon-reload",
        expect: &[
            ("file /etc/systemd/system/petasos-audit.service", "content"),
            ("unit petasos-audit.service", "read"),
        ],
        sound: "[ \"$(systemctl show --value -p NoNewPrivileges petasos-audit.service)\" = yes ]",
        restarts: WRITER,
        writes: &["/etc/systemd/system/petasos-audit.service"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the audit writer's socket is open to all",
        // What needs the socket is restarted with it.
        inject: "sed -i 's/^SocketMode=0660/SocketMode=0666/' /etc/systemd/system/petasos-audit.socket; systemctl daemon-reload",
        expect: &[("file /etc/systemd/system/petasos-audit.socket", "content"), ("unit petasos-audit.socket", "read")],
        sound: "[ \"$(systemctl show --value -p SocketMode petasos-audit.socket)\" = 0660 ]",
        restarts: BOTH,
        writes: &["/etc/systemd/system/petasos-audit.socket"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the audit writer is stopped, and the agent with it",
        inject: "systemctl stop petasos-audit.socket petasos-audit.service",
        expect: &[
            ("unit petasos-audit.socket", "running"),
            ("unit petasos-audit.service", "running"),
            ("unit hermes.service", "running"),
        ],
        sound: "systemctl -q is-active petasos-audit.socket && systemctl -q is-active hermes.service",
        restarts: BOTH,
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the audit writer's user gets a shell",
        inject: "usermod --shell /bin/bash petasos-audit",
        expect: &[("user petasos-audit", "shell")],
        sound: "getent passwd petasos-audit | grep -q ':/usr/sbin/nologin$'",
        writes: &["/etc/passwd"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's code is changed",
        inject: "echo '# drift' >>/usr/lib/petasos/sandbox/runner.py",
        expect: &[("file /usr/lib/petasos/sandbox/runner.py", "content")],
        sound: "! grep -q drift /usr/lib/petasos/sandbox/runner.py",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's unit gets a network",
        inject: "sed -i 's/^PrivateNetwork=yes/PrivateNetwork=no/' /etc/systemd/system/petasos-sandbox@.service; systemctl daemon-reload",
        expect: &[("file /etc/systemd/system/petasos-sandbox@.service", "content")],
        sound: "grep -qx PrivateNetwork=yes /etc/systemd/system/petasos-sandbox@.service",
        writes: &["/etc/systemd/system/petasos-sandbox@.service"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's unit gets a network by a drop-in",
        inject: "mkdir -p /etc/systemd/system/petasos-sandbox@.service.d; printf '[Service]\\nPrivateNetwork=no\\n' >/etc/systemd/system/petasos-sandbox@.service.d/mine.conf; systemctl daemon-reload",
        expect: &[("unit petasos-sandbox@none.service", "drop-in")],
        sound: "[ \"$(systemctl show --value -p PrivateNetwork petasos-sandbox@x.service)\" = yes ]",
        writes: &["/etc/systemd/system/petasos-sandbox@.service.d/"],
        undo: "rm -r /etc/systemd/system/petasos-sandbox@.service.d; systemctl daemon-reload",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's socket is disabled",
        inject: "systemctl -q disable petasos-sandbox.socket",
        expect: &[("unit petasos-sandbox.socket", "enabled")],
        sound: "systemctl -q is-enabled petasos-sandbox.socket",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's sessions are open to all",
        inject: "chmod 0777 /var/lib/petasos-sandbox/work",
        expect: &[("directory /var/lib/petasos-sandbox/work", "mode")],
        sound: "! runuser -u nobody -- test -r /var/lib/petasos-sandbox/work",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's sessions are never cleaned away",
        inject: "rm /etc/tmpfiles.d/petasos-sandbox.conf",
        expect: &[("file /etc/tmpfiles.d/petasos-sandbox.conf", "exists")],
        sound: "systemd-tmpfiles --cat-config | grep -q '^d /var/lib/petasos-sandbox/work'",
        writes: &["/etc/tmpfiles.d/petasos-sandbox.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the sandbox's user gets into a group",
        inject: "usermod --append --groups adm petasos-sandbox",
        expect: &[("user petasos-sandbox", "groups")],
        sound: "[ \"$(id -Gn petasos-sandbox)\" = petasos-sandbox ]",
        writes: &["/etc/group", "/etc/gshadow"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a package for the sandbox is removed",
        inject: "apt-get -qq -y remove ripgrep >/dev/null 2>&1",
        expect: &[("package ripgrep", "ripgrep")],
        sound: "dpkg-query -W -f '${db:Status-Status}' ripgrep | grep -qx installed",
        writes: &["/etc/"],
        ..PLAIN
    },
];
