//! Files, directories and packages.

use super::{CONFIG, Drift, HERMES, PACKAGES, PLAIN};

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "a file's text is changed",
        inject: "sed -i 's/Unattended-Upgrade \"1\"/Unattended-Upgrade \"0\"/' /etc/apt/apt.conf.d/zz-petasos-upgrades",
        expect: &[("file /etc/apt/apt.conf.d/zz-petasos-upgrades", "content")],
        sound: "apt-config dump APT::Periodic::Unattended-Upgrade | grep -q '\"1\"'",
        writes: &["/etc/apt/apt.conf.d/zz-petasos-upgrades"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a file is gone",
        inject: "rm /etc/systemd/journald.conf.d/zz-petasos.conf",
        expect: &[
            ("file /etc/systemd/journald.conf.d/zz-petasos.conf", "exists"),
            ("unit systemd-journal-flush.service", "read"),
            ("unit systemd-journald.service", "read"),
        ],
        sound: "systemd-analyze cat-config systemd/journald.conf | grep -q '^SystemMaxUse=500M'",
        writes: &["/etc/systemd/journald.conf.d/zz-petasos.conf"],
        ..PLAIN
    },
    Drift {
        name: "a line of a package's own file is another, and there are two",
        inject: "sed -i 's/^UMASK.*/UMASK 022/' /etc/login.defs; echo 'UMASK 002' >>/etc/login.defs",
        expect: &[("file /etc/login.defs", "content")],
        sound: "[ \"$(awk '$1 == \"UMASK\" { print $2 }' /etc/login.defs)\" = 027 ] && grep -q '^UID_MIN' /etc/login.defs",
        writes: &["/etc/login.defs"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a file is open to all",
        inject: "chmod 0666 /etc/petasos/egress.nft",
        expect: &[("file /etc/petasos/egress.nft", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/petasos/egress.nft",
        writes: &["/etc/petasos/egress.nft"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a file belongs to the agent",
        inject: "chown hermes /etc/hermes/config.yaml",
        expect: &[("file /etc/hermes/config.yaml", "owner")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/config.yaml",
        writes: &[CONFIG],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the agent's old settings are uncovered",
        inject: "rm /etc/hermes/empty.json",
        expect: &[("file /etc/hermes/empty.json", "exists"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "[ \"$(cat /etc/hermes/empty.json)\" = '{}' ]",
        writes: &["/etc/hermes/empty.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a file is a link to elsewhere",
        inject: "cp -p /etc/hermes/config.yaml /home/hermes/.hermes/mine.yaml; ln -sf /home/hermes/.hermes/mine.yaml /etc/hermes/config.yaml",
        expect: &[("file /etc/hermes/config.yaml", "kind"), ("unit hermes.service", "read")],
        restarts: HERMES,
        sound: "[ \"$(readlink -f /etc/hermes/config.yaml)\" = /etc/hermes/config.yaml ]",
        writes: &[CONFIG],
        ..PLAIN
    },
    Drift {
        name: "a directory is open to all",
        inject: "chmod 0777 /home/hermes",
        expect: &[("directory /home/hermes", "mode")],
        sound: "! runuser -u nobody -- test -w /home/hermes",
        ..PLAIN
    },
    Drift {
        name: "a package is removed, its configuration stays",
        inject: "apt-get -qq -y remove unattended-upgrades >/dev/null 2>&1",
        expect: &[(PACKAGES, "unattended-upgrades")],
        sound: "dpkg-query -W -f '${db:Status-Status}' unattended-upgrades | grep -qx installed",
        writes: &["/etc/"],
        ..PLAIN
    },
];
