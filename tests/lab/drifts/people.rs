//! Who may come in, and what the agent runs with.

use super::{CONFIG, Drift, HERMES, PLAIN};

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "a later file of sshd's weakens ours for one user",
        inject: "printf 'Match User ops\\n  PasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/99-x.conf; systemctl reload ssh.service",
        expect: &[("sshd settings", "rival line")],
        sound: "sshd -T -C user=ops,host=h,addr=192.0.2.1 | grep -qx 'passwordauthentication no'",
        writes: &["/etc/ssh/sshd_config.d/99-x.conf"],
        undo: "rm -f /etc/ssh/sshd_config.d/99-x.conf; systemctl reload ssh.service",
        ..PLAIN
    },
    Drift {
        name: "an earlier file of sshd's opens root's login",
        inject: "echo 'PermitRootLogin yes' >/etc/ssh/sshd_config.d/00-a.conf; systemctl reload ssh.service; sleep 0.3",
        expect: &[("sshd settings", "rival line")],
        sound: "login root",
        writes: &["/etc/ssh/sshd_config.d/00-a.conf"],
        undo: "rm -f /etc/ssh/sshd_config.d/00-a.conf; systemctl reload ssh.service",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "root's login is opened in sshd's main file, above the line that reads ours",
        inject: "sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config; systemctl reload ssh.service; sleep 0.3",
        expect: &[("sshd settings", "rival line")],
        sound: "login root",
        writes: &["/etc/ssh/sshd_config"],
        undo: "sed -i '/PermitRootLogin/d' /etc/ssh/sshd_config; systemctl reload ssh.service",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "sshd no longer reads our file",
        inject: "sed -i 's/^Include/#Include/; $ a PermitRootLogin yes' /etc/ssh/sshd_config; systemctl reload ssh.service; sleep 0.3",
        expect: &[("sshd settings", "include")],
        sound: "login root",
        writes: &["/etc/ssh/sshd_config"],
        undo: "sed -i '/PermitRootLogin/d; s/^#Include/Include/' /etc/ssh/sshd_config; systemctl reload ssh.service",
        ..PLAIN
    },
    Drift {
        name: "our own file of sshd's is edited, and sshd runs that way",
        inject: "sed -i 's/^PermitRootLogin no/PermitRootLogin yes/' /etc/ssh/sshd_config.d/00-petasos.conf; systemctl reload ssh.service; sleep 0.3",
        expect: &[("file /etc/ssh/sshd_config.d/00-petasos.conf", "content"), ("unit ssh.service", "read")],
        sound: "login root",
        writes: &["/etc/ssh/sshd_config.d/00-petasos.conf"],
        undo: "rm -f /var/lib/petasos/stamps/ssh.service",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the administrator gets a second key",
        inject: "ssh-keygen -q -t ed25519 -N '' -f /root/second-key; cat /root/second-key.pub >>/home/ops/.ssh/authorized_keys",
        expect: &[("file /home/ops/.ssh/authorized_keys", "content")],
        sound: "login ops /root/second-key",
        writes: &["/home/ops/.ssh/authorized_keys"],
        ..PLAIN
    },
    Drift {
        name: "the agent's user gets a shell",
        inject: "usermod --shell /bin/bash hermes",
        expect: &[("user hermes", "shell")],
        sound: "getent passwd hermes | grep -q ':/usr/sbin/nologin$'",
        writes: &["/etc/passwd"],
        ..PLAIN
    },
    Drift {
        name: "the agent's user gets into a group",
        inject: "usermod --append --groups sudo hermes",
        expect: &[("user hermes", "groups")],
        sound: "[ \"$(id -Gn hermes)\" = hermes ]",
        writes: &["/etc/group", "/etc/gshadow"],
        ..PLAIN
    },
    Drift {
        name: "the agent's user gets a password",
        inject: "echo hermes:Correct-horse-7 | chpasswd",
        expect: &[("user hermes", "password")],
        sound: "passwd --status hermes | grep -q '^hermes L '",
        writes: &["/etc/passwd", "/etc/shadow"],
        ..PLAIN
    },
    Drift {
        name: "current is switched by hand",
        inject: "cp -al $(readlink /opt/hermes/current) /opt/hermes/releases/by-hand; ln -sfn /opt/hermes/releases/by-hand /opt/hermes/current",
        expect: &[("current release", "link")],
        sound: "readlink /opt/hermes/current | grep -q '/0.19.0-[0-9a-f]*$'",
        restarts: HERMES,
        ..PLAIN
    },
    Drift {
        name: "the managed settings are edited",
        inject: "sed -i 's/redact_secrets: true/redact_secrets: false/' /etc/hermes/config.yaml",
        expect: &[("file /etc/hermes/config.yaml", "content"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "grep -q 'redact_secrets: true' /etc/hermes/config.yaml",
        writes: &[CONFIG],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the managed settings are edited, and the agent runs with them",
        inject: "sed -i 's/redact_secrets: true/redact_secrets: false/' /etc/hermes/config.yaml; systemctl reset-failed hermes.service; systemctl restart hermes.service",
        expect: &[("file /etc/hermes/config.yaml", "content"), ("unit hermes.service", "read")],
        sound: "grep -q 'redact_secrets: true' /etc/hermes/config.yaml",
        restarts: HERMES,
        writes: &[CONFIG],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a line is added to the secrets' file",
        inject: "echo \"GATEWAY_ALLOW_ALL_USERS='hidden-value'\" >>/etc/hermes/.env",
        expect: &[("file /etc/hermes/.env", "content"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "! grep -q hidden-value /etc/hermes/.env",
        writes: &["/etc/hermes/.env"],
        ..PLAIN
    },
];
