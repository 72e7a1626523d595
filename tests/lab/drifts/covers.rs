//! Files that came with what shut the agent's own ways out: its secrets, what lies over its data,
//! where its conversations go; and the kernel's.

use super::{Drift, HERMES, PLAIN};

pub const DRIFTS: &[Drift] = &[
    Drift {
        name: "the secrets are open to the agent",
        inject: "chgrp hermes /etc/hermes/secrets.env; chmod 0640 /etc/hermes/secrets.env",
        expect: &[("file /etc/hermes/secrets.env", "owner"), ("file /etc/hermes/secrets.env", "mode")],
        sound: "! runuser -u hermes -- test -r /etc/hermes/secrets.env",
        writes: &["/etc/hermes/secrets.env"],
        ..PLAIN
    },
    Drift {
        name: "a secret is added by hand",
        inject: "echo X_TOKEN=hidden-value >>/etc/hermes/secrets.env",
        expect: &[("file /etc/hermes/secrets.env", "content"), ("unit hermes.service", "read")],
        sound: "! grep -q hidden-value /etc/hermes/secrets.env",
        restarts: HERMES,
        writes: &["/etc/hermes/secrets.env"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the secrets are gone",
        inject: "rm /etc/hermes/secrets.env",
        expect: &[("file /etc/hermes/secrets.env", "exists"), ("unit hermes.service", "read")],
        sound: "[ \"$(stat -c '%U %a' /etc/hermes/secrets.env)\" = 'root 600' ] && grep -q '^API_SERVER_KEY=' /etc/hermes/secrets.env",
        restarts: HERMES,
        writes: &["/etc/hermes/secrets.env"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "conversations may go to another server",
        inject: "echo '[\"foreign.example.net\"]' >/etc/hermes/servers.json",
        expect: &[("file /etc/hermes/servers.json", "content")],
        sound: "! grep -q foreign /etc/hermes/servers.json",
        writes: &["/etc/hermes/servers.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the servers of conversations are gone",
        inject: "rm /etc/hermes/servers.json",
        expect: &[("file /etc/hermes/servers.json", "exists")],
        sound: "test -s /etc/hermes/servers.json",
        writes: &["/etc/hermes/servers.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the servers of conversations are the agent's to write",
        inject: "chown hermes /etc/hermes/servers.json",
        expect: &[("file /etc/hermes/servers.json", "owner")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/servers.json",
        writes: &["/etc/hermes/servers.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "what puts planted files aside has its rights loosened",
        inject: "sed -i 's/^NoNewPrivileges=yes/NoNewPrivileges=no/' /etc/systemd/system/petasos-data.service; systemctl daemon-reload",
        expect: &[("file /etc/systemd/system/petasos-data.service", "content")],
        sound: "[ \"$(systemctl show --value -p NoNewPrivileges petasos-data.service)\" = yes ]",
        writes: &["/etc/systemd/system/petasos-data.service"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "what puts planted files aside is gone",
        inject: "rm /etc/systemd/system/petasos-data.service",
        expect: &[("file /etc/systemd/system/petasos-data.service", "exists")],
        sound: "systemctl -q cat petasos-data.service",
        writes: &["/etc/systemd/system/petasos-data.service"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "what puts planted files aside is writable to all",
        inject: "chmod 0666 /etc/systemd/system/petasos-data.service",
        expect: &[("file /etc/systemd/system/petasos-data.service", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/systemd/system/petasos-data.service",
        writes: &["/etc/systemd/system/petasos-data.service"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the file that lies over the agent's old settings has words",
        inject: "echo 'GATEWAY_ALLOW_ALL_USERS=true' >/etc/hermes/empty",
        expect: &[("file /etc/hermes/empty", "content"), ("unit hermes.service", "read")],
        sound: "cmp -s /etc/hermes/empty /proc/$(systemctl show --value -p MainPID hermes.service)/root/home/hermes/.hermes/.env && ! grep -q -e ALLOW -e '\"a\"' /etc/hermes/empty",
        restarts: HERMES,
        writes: &["/etc/hermes/empty"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "/etc/hermes/empty is the agent's to write",
        inject: "chown hermes /etc/hermes/empty; chmod 0660 /etc/hermes/empty",
        expect: &[("file /etc/hermes/empty", "owner"), ("file /etc/hermes/empty", "mode")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/empty",
        writes: &["/etc/hermes/empty"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the object that lies over the agent's old settings has keys",
        inject: "echo '{\"a\": 1}' >/etc/hermes/empty.json",
        expect: &[("file /etc/hermes/empty.json", "content"), ("unit hermes.service", "read")],
        sound: "cmp -s /etc/hermes/empty.json /proc/$(systemctl show --value -p MainPID hermes.service)/root/home/hermes/.hermes/gateway.json && ! grep -q -e ALLOW -e '\"a\"' /etc/hermes/empty.json",
        restarts: HERMES,
        writes: &["/etc/hermes/empty.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "/etc/hermes/empty.json is the agent's to write",
        inject: "chown hermes /etc/hermes/empty.json; chmod 0660 /etc/hermes/empty.json",
        expect: &[("file /etc/hermes/empty.json", "owner"), ("file /etc/hermes/empty.json", "mode")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/empty.json",
        writes: &["/etc/hermes/empty.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the logins that lie over the agent's own lead elsewhere",
        inject: "echo '{\"a\": \"https://foreign.example.net\"}' >/etc/hermes/auth.json",
        expect: &[("file /etc/hermes/auth.json", "content"), ("unit hermes.service", "read")],
        sound: "cmp -s /etc/hermes/auth.json /proc/$(systemctl show --value -p MainPID hermes.service)/root/home/hermes/.hermes/auth.json && ! grep -q -e ALLOW -e '\"a\"' /etc/hermes/auth.json",
        restarts: HERMES,
        writes: &["/etc/hermes/auth.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "/etc/hermes/auth.json is the agent's to write",
        inject: "chown hermes /etc/hermes/auth.json; chmod 0660 /etc/hermes/auth.json",
        expect: &[("file /etc/hermes/auth.json", "owner"), ("file /etc/hermes/auth.json", "mode")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/auth.json",
        writes: &["/etc/hermes/auth.json"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the lists of people that lie over the agent's are open to all",
        inject: "chmod 0777 /etc/hermes/platforms",
        expect: &[("directory /etc/hermes/platforms", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/hermes/platforms",
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the lists of people that lie over the agent's are its own",
        inject: "chown hermes /etc/hermes/platforms/pairing",
        expect: &[("directory /etc/hermes/platforms/pairing", "owner")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/platforms/pairing",
        ..PLAIN
    },
    Drift {
        name: "the lists of people that lie over the agent's are gone",
        inject: "rm -r /etc/hermes/platforms",
        expect: &[("directory /etc/hermes/platforms", "exists"), ("directory /etc/hermes/platforms/pairing", "exists")],
        sound: "test -d /etc/hermes/platforms/pairing",
        ..PLAIN
    },
    Drift {
        name: "a part of the kernel may be loaded again",
        inject: "sed -i '/sctp/d' /etc/modprobe.d/60-petasos.conf",
        expect: &[("file /etc/modprobe.d/60-petasos.conf", "content")],
        sound: "modprobe -c | grep -q '^install sctp /bin/false'",
        writes: &["/etc/modprobe.d/60-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "all parts of the kernel may be loaded again",
        inject: "rm /etc/modprobe.d/60-petasos.conf",
        expect: &[("file /etc/modprobe.d/60-petasos.conf", "exists")],
        sound: "modprobe -c | grep -q '^install usb_storage /bin/false'",
        writes: &["/etc/modprobe.d/60-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "which parts of the kernel are loaded anybody may say",
        inject: "chmod 0666 /etc/modprobe.d/60-petasos.conf",
        expect: &[("file /etc/modprobe.d/60-petasos.conf", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/modprobe.d/60-petasos.conf",
        writes: &["/etc/modprobe.d/60-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a program that crashes leaves its memory",
        // By its text: in a container nobody may have larger ones, whatever PAM says.
        inject: "sed -i 's/^\\* hard core 0/* hard core unlimited/' /etc/security/limits.d/zz-petasos.conf",
        expect: &[("file /etc/security/limits.d/zz-petasos.conf", "content")],
        sound: "grep -qsx '\\* hard core 0' /etc/security/limits.d/*.conf",
        writes: &["/etc/security/limits.d/zz-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the limit of core dumps is gone",
        inject: "rm /etc/security/limits.d/zz-petasos.conf",
        expect: &[("file /etc/security/limits.d/zz-petasos.conf", "exists")],
        sound: "grep -qsx '\\* hard core 0' /etc/security/limits.d/*.conf",
        writes: &["/etc/security/limits.d/zz-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the limit of core dumps is writable to all",
        inject: "chmod 0666 /etc/security/limits.d/zz-petasos.conf",
        expect: &[("file /etc/security/limits.d/zz-petasos.conf", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/security/limits.d/zz-petasos.conf",
        writes: &["/etc/security/limits.d/zz-petasos.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "a kernel parameter is another at the next start",
        inject: "sed -i 's/^net.ipv4.tcp_syncookies.*/net.ipv4.tcp_syncookies = 0/' /etc/sysctl.d/zz-petasos-net.conf",
        expect: &[("file /etc/sysctl.d/zz-petasos-net.conf", "content")],
        sound: "systemd-analyze cat-config sysctl.d | grep -qx 'net.ipv4.tcp_syncookies *= *1'",
        writes: &["/etc/sysctl.d/zz-petasos-net.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the kernel parameters are gone at the next start",
        inject: "rm /etc/sysctl.d/zz-petasos-net.conf",
        expect: &[("file /etc/sysctl.d/zz-petasos-net.conf", "exists")],
        sound: "systemd-analyze cat-config sysctl.d | grep -qx 'net.ipv4.tcp_syncookies *= *1'",
        writes: &["/etc/sysctl.d/zz-petasos-net.conf"],
        long: true,
        ..PLAIN
    },
    Drift {
        name: "the kernel parameters are writable to all",
        inject: "chmod 0666 /etc/sysctl.d/zz-petasos-net.conf",
        expect: &[("file /etc/sysctl.d/zz-petasos-net.conf", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/sysctl.d/zz-petasos-net.conf",
        writes: &["/etc/sysctl.d/zz-petasos-net.conf"],
        long: true,
        ..PLAIN
    },
];
