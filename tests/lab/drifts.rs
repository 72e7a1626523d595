//! The drift table: what somebody did to a converged host, and what must follow.

pub struct Drift {
    pub name: &'static str,
    /// What is done to the host, by root; `$1` is the public key of the lab.
    pub inject: &'static str,
    /// `id` and field of each change that `plan` must name: these and no others.
    pub expect: &'static [(&'static str, &'static str)],
    /// Succeeds while the host is sound, by the word of the daemon, the kernel, or (`login USER`) a refused login.
    pub sound: &'static str,
    /// The watched services that must restart, because they may have read what was changed; the others must not.
    pub restarts: &'static [&'static str],
    /// Where `up` may write (under /etc, /home and /usr/local).
    pub writes: &'static [&'static str],
    /// What it takes to start over where `up` failed to heal it.
    pub undo: &'static str,
}

/// No service restarts, nothing is written, nothing is to undo.
const PLAIN: Drift = Drift { name: "", inject: "", expect: &[], sound: "", restarts: &[], writes: &[], undo: "" };

const HERMES: &[&str] = &["hermes.service"];
const UNIT: &str = "/etc/systemd/system/hermes.service";
const CONFIG: &str = "/etc/hermes/config.yaml";
const PACKAGES: &str =
    "package ca-certificates git nftables openssh-server python3 python3-venv sudo ufw unattended-upgrades";
/// The running agent can get no capability, whatever its unit file says now.
const NO_CAPABILITIES: &str = "grep -q '^CapBnd:.0*$' /proc/$(systemctl show --value -p MainPID hermes.service)/status";
const SMTP_REFUSED: &str = "! runuser -u hermes -- timeout 5 bash -c 'exec 3<>/dev/tcp/203.0.113.25/25'";

pub const DRIFTS: &[Drift] = &[
    // --- files ---------------------------------------------------------------------------------------------------------------
    Drift {
        name: "a file's text is changed",
        inject: "sed -i 's/Unattended-Upgrade \"1\"/Unattended-Upgrade \"0\"/' /etc/apt/apt.conf.d/52petasos-upgrades",
        expect: &[("file /etc/apt/apt.conf.d/52petasos-upgrades", "content")],
        sound: "apt-config dump APT::Periodic::Unattended-Upgrade | grep -q '\"1\"'",
        writes: &["/etc/apt/apt.conf.d/52petasos-upgrades"],
        ..PLAIN
    },
    Drift {
        name: "a file is gone",
        inject: "rm /etc/systemd/journald.conf.d/60-petasos.conf",
        expect: &[
            ("file /etc/systemd/journald.conf.d/60-petasos.conf", "exists"),
            ("unit systemd-journald.service", "read"),
        ],
        sound: "systemd-analyze cat-config systemd/journald.conf | grep -q '^SystemMaxUse=500M'",
        writes: &["/etc/systemd/journald.conf.d/60-petasos.conf"],
        ..PLAIN
    },
    Drift {
        name: "a file is open to all",
        inject: "chmod 0666 /etc/petasos/egress.nft",
        expect: &[("file /etc/petasos/egress.nft", "mode")],
        sound: "! runuser -u nobody -- test -w /etc/petasos/egress.nft",
        writes: &["/etc/petasos/egress.nft"],
        ..PLAIN
    },
    Drift {
        name: "a file belongs to the agent",
        inject: "chown hermes /etc/hermes/config.yaml",
        expect: &[("file /etc/hermes/config.yaml", "owner")],
        sound: "! runuser -u hermes -- test -w /etc/hermes/config.yaml",
        writes: &[CONFIG],
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
    // --- packages ------------------------------------------------------------------------------------------------------------
    Drift {
        name: "a package is removed, its configuration stays",
        inject: "apt-get -qq -y remove unattended-upgrades >/dev/null 2>&1",
        expect: &[(PACKAGES, "unattended-upgrades")],
        sound: "dpkg-query -W -f '${db:Status-Status}' unattended-upgrades | grep -qx installed",
        writes: &["/etc/"],
        ..PLAIN
    },
    // --- units ---------------------------------------------------------------------------------------------------------------
    Drift {
        name: "a unit is stopped",
        inject: "systemctl stop hermes.service",
        expect: &[("unit hermes.service", "running")],
        sound: "systemctl -q is-active hermes.service && python3 -c 'import urllib.request; urllib.request.urlopen(\"http://127.0.0.1:8642/health\")'",
        restarts: HERMES,
        ..PLAIN
    },
    Drift {
        name: "a unit was started too often, and systemd gave it up",
        inject: "systemctl stop hermes.service; mv /opt/hermes/current /opt/hermes/away; for n in $(seq 20); do systemctl restart hermes.service 2>/dev/null || break; done; mv /opt/hermes/away /opt/hermes/current; ! systemctl start hermes.service 2>/dev/null",
        expect: &[("unit hermes.service", "running")],
        sound: "systemctl -q is-active hermes.service",
        restarts: HERMES,
        undo: "systemctl reset-failed hermes.service",
        ..PLAIN
    },
    Drift {
        name: "a unit is disabled",
        inject: "systemctl -q disable hermes.service",
        expect: &[("unit hermes.service", "enabled")],
        sound: "systemctl -q is-enabled hermes.service",
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
        ..PLAIN
    },
    Drift {
        name: "a drop-in is added, and the unit runs with it",
        inject: "mkdir -p /etc/systemd/system/hermes.service.d; printf '[Service]\\nCapabilityBoundingSet=CAP_NET_ADMIN\\n' >/etc/systemd/system/hermes.service.d/x.conf; systemctl daemon-reload; systemctl reset-failed hermes.service; systemctl restart hermes.service; sleep 0.5",
        expect: &[("unit hermes.service", "drop-in"), ("unit hermes.service", "read")],
        sound: NO_CAPABILITIES,
        restarts: HERMES,
        undo: "rm -rf /etc/systemd/system/hermes.service.d /var/lib/petasos/stamps/hermes.service; systemctl daemon-reload",
        ..PLAIN
    },
    // --- firewalls -----------------------------------------------------------------------------------------------------------
    Drift {
        name: "a ufw rule is deleted",
        inject: "ufw --force delete allow 443/tcp",
        expect: &[("ufw firewall", "allow 443/tcp")],
        sound: "iptables -C ufw-user-input -p tcp --dport 443 -j ACCEPT && ip6tables -C ufw6-user-input -p tcp --dport 443 -j ACCEPT",
        writes: &["/etc/ufw/"],
        ..PLAIN
    },
    Drift {
        name: "a rule of ufw's is deleted in the kernel",
        inject: "iptables -D ufw-user-input -p tcp --dport 443 -j ACCEPT",
        expect: &[("ufw firewall", "kernel rules")],
        sound: "iptables -C ufw-user-input -p tcp --dport 443 -j ACCEPT",
        writes: &["/etc/ufw/"],
        ..PLAIN
    },
    Drift {
        name: "a port is opened with ufw",
        inject: "ufw allow 8080/tcp",
        expect: &[
            // One change: one command takes it away for both address families.
            ("ufw firewall", "allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in"),
        ],
        sound: "! iptables -C ufw-user-input -p tcp --dport 8080 -j ACCEPT && ! ip6tables -C ufw6-user-input -p tcp --dport 8080 -j ACCEPT",
        writes: &["/etc/ufw/"],
        undo: "ufw --force delete allow 8080/tcp",
        ..PLAIN
    },
    Drift {
        name: "a port is opened with ufw, for one network and with a comment",
        inject: "ufw allow proto tcp from 192.0.2.0/24 to any port 5432 comment 'for a while'",
        expect: &[("ufw firewall", "allow tcp 5432 0.0.0.0/0 any 192.0.2.0/24 in comment=666f722061207768696c65")],
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
        ..PLAIN
    },
    Drift {
        name: "ufw is off",
        inject: "ufw disable",
        expect: &[("ufw firewall", "active")],
        sound: "iptables -S INPUT | grep -qx -e '-P INPUT DROP' && ufw status | grep -qx 'Status: active'",
        writes: &["/etc/ufw/"],
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
        ..PLAIN
    },
    Drift {
        name: "the agent's way out is shut",
        inject: "systemctl disable -q --now petasos-proxy.service; systemctl stop petasos-resolver.service",
        expect: &[
            ("unit petasos-resolver.service", "running"),
            ("unit petasos-proxy.service", "enabled"),
            ("unit petasos-proxy.service", "running"),
        ],
        sound: "timeout 20 sh -c 'until runuser -u hermes -- curl -sk -m 5 -o /dev/null --resolve openrouter.ai:443:192.0.2.1 https://openrouter.ai/; do sleep 0.2; done'",
        ..PLAIN
    },
    // --- the kernel ----------------------------------------------------------------------------------------------------------
    Drift {
        name: "a kernel parameter is changed live",
        inject: "sysctl -qw net.ipv4.conf.all.accept_redirects=1",
        expect: &[("sysctl net.ipv4.conf.all.accept_redirects", "value")],
        sound: "[ \"$(cat /proc/sys/net/ipv4/conf/all/accept_redirects)\" = 0 ]",
        ..PLAIN
    },
    // --- who may come in -----------------------------------------------------------------------------------------------------
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
        ..PLAIN
    },
    Drift {
        name: "root's login is opened in sshd's main file, above the line that reads ours",
        inject: "sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config; systemctl reload ssh.service; sleep 0.3",
        expect: &[("sshd settings", "rival line")],
        sound: "login root",
        writes: &["/etc/ssh/sshd_config"],
        undo: "sed -i '/PermitRootLogin/d' /etc/ssh/sshd_config; systemctl reload ssh.service",
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
    // --- the agent -----------------------------------------------------------------------------------------------------------
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
        ..PLAIN
    },
    Drift {
        name: "the managed settings are edited, and the agent runs with them",
        inject: "sed -i 's/redact_secrets: true/redact_secrets: false/' /etc/hermes/config.yaml; systemctl reset-failed hermes.service; systemctl restart hermes.service",
        expect: &[("file /etc/hermes/config.yaml", "content"), ("unit hermes.service", "read")],
        sound: "grep -q 'redact_secrets: true' /etc/hermes/config.yaml",
        restarts: HERMES,
        writes: &[CONFIG],
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
