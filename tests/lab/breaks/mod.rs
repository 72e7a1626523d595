//! What somebody did to a converged host, and which controls must be seen to fail for it.

pub mod backup;
mod data;
mod limits;
mod network;

pub struct Break {
    pub name: &'static str,
    /// What is done to the host, by root.
    pub done: &'static str,
    /// The controls that are not met then: these and no others.
    pub controls: &'static [&'static str],
    /// Checks that must be among those that fail.
    pub checks: &'static [&'static str],
    /// What `petasos up` does not undo by itself.
    pub undo: &'static str,
    /// Whether others by default show the same controls to fail.
    pub long: bool,
}

/// The walls of the unit, taken down by a drop-in.
const DROP_IN: &str = "mkdir -p /etc/systemd/system/hermes.service.d; cat >/etc/systemd/system/hermes.service.d/x.conf; systemctl daemon-reload";

/// Until the agent that was just started is through with that, and has its record.
const HEALTHY: &str =
    "for n in $(seq 60); do curl -sf -m 2 -o /dev/null http://127.0.0.1:8642/health && break; sleep 1; done";

/// What the running agent's own policy makes.
const POLICY: &[&str] =
    &["approve.mode", "sandbox.exec", "redact.secrets", "multi.rate", "multi.injection", "audit.log", "audit.denials"];
#[rustfmt::skip]
const POLICY_AND_UNIT: &[&str] = &[
    "approve.mode", "sandbox.exec", "redact.secrets", "multi.rate", "multi.injection", "audit.log", "audit.denials", "fs.strict",
];

const BREAKS: &[Break] = &[
    Break {
        name: "the agent's user gets a shell and sudo",
        done: "usermod -s /bin/bash -aG sudo hermes",
        controls: &["user.nonroot"],
        checks: &["user.account", "declared"],
        undo: "",
        long: false,
    },
    Break {
        name: "the unit's walls are taken down by a drop-in",
        done: "printf '[Service]\\nNoNewPrivileges=no\\nRestrictSUIDSGID=no\\nRestrictNamespaces=no\\nRestrictAddressFamilies=\\nMemoryDenyWriteExecute=no\\nProtectProc=default\\nProcSubset=all\\nPrivateUsers=no\\nSystemCallFilter=\\nSystemCallFilter=@system-service @debug @mount\\nLockPersonality=no\\nPrivateDevices=no\\nProtectKernelTunables=no\\nProtectKernelLogs=no\\nProtectKernelModules=no\\nProtectHostname=no\\nProtectClock=no\\nRestrictRealtime=no\\n' | { DROP_IN; }",
        controls: &["user.nonroot", "fs.strict"],
        checks: &[
            "user.setuid",
            "user.namespace",
            "user.code",
            "user.processes",
            "user.trace",
            "user.netlink",
            "user.keys",
            "user.rights",
            "fs.loaded",
            "fs.rating",
        ],
        undo: "rm -r /etc/systemd/system/hermes.service.d; systemctl daemon-reload",
        long: true,
    },
    Break {
        name: "the unit runs as root",
        done: "printf '[Service]\\nUser=root\\nGroup=root\\nNoNewPrivileges=no\\nCapabilityBoundingSet=~\\nPrivateUsers=no\\nInaccessiblePaths=\\nProtectProc=default\\n' | { DROP_IN; }; systemctl restart hermes.service; HEALTHY",
        controls: &["user.nonroot", "fs.strict", "approve.mode", "redact.secrets", "net.egress"],
        checks: &["user.rights", "user.signal", "user.running", "fs.shadow", "fs.keys", "fs.homes", "egress.smtp"],
        undo: "rm -r /etc/systemd/system/hermes.service.d; systemctl daemon-reload; chown -R hermes:hermes /home/hermes/.hermes; systemctl restart hermes.service",
        long: true,
    },
    Break {
        name: "the host is writable to the agent",
        done: "printf '[Service]\\nProtectSystem=no\\nReadOnlyPaths=\\nProtectHome=no\\nTemporaryFileSystem=\\n' | { DROP_IN; }; chmod 0777 /srv /etc/profile.d /opt/hermes/current/ /etc/hermes; chmod 0666 /etc/hermes/config.yaml",
        // /run is open again, with the doors of other services.
        controls: &[
            "fs.strict",
            "approve.mode",
            "redact.secrets",
            "msg.allow",
            "supply.pin",
            "user.nonroot",
            "net.egress",
        ],
        checks: &[
            "fs.opt",
            "fs.code",
            "fs.policy",
            "fs.settings",
            "fs.etc",
            "fs.boot",
            "fs.anywhere",
            "fs.run",
            "settings.locked",
            "pin.owner",
            "names.bus",
            "user.manager",
        ],
        undo: "rm -r /etc/systemd/system/hermes.service.d; systemctl daemon-reload; chmod 0755 /srv /etc/profile.d /opt/hermes/current/",
        long: false,
    },
    Break {
        name: "the agent's data is closed to it",
        done: "printf '[Service]\\nReadWritePaths=\\n' | { DROP_IN; }",
        controls: &["fs.strict"],
        checks: &["fs.data", "fs.loaded", "declared"],
        undo: "",
        long: true,
    },
    Break {
        name: "the policy does not parse",
        done: "sed -i '1i }{' /etc/hermes/config.yaml",
        controls: &["approve.mode", "redact.secrets", "msg.allow"],
        checks: &["settings.in_force", "approve.deny", "msg.strangers"],
        undo: "",
        long: true,
    },
    Break {
        name: "approvals are off, the filter is off, strangers are paired, everybody may write",
        done: "sed -i 's/^  mode: \"manual\"/  mode: \"off\"/; s/redact_secrets: true/redact_secrets: false/; s/^unauthorized_dm_behavior: .*/unauthorized_dm_behavior: pair/' /etc/hermes/config.yaml; sed -i 's/^GATEWAY_ALLOW_ALL_USERS=.*/GATEWAY_ALLOW_ALL_USERS=true/' /etc/hermes/.env",
        controls: &["approve.mode", "redact.secrets", "msg.allow"],
        checks: &["approve.asks", "redact.on", "msg.strangers"],
        undo: "",
        long: false,
    },
    Break {
        name: "the agent is started without the policy's launcher",
        done: "printf '[Service]\\nExecStart=\\nExecStart=/opt/hermes/current/venv/bin/python -P -B -c \"import sys; sys.argv = [\\047hermes\\047, \\047-p\\047, \\047default\\047, \\047gateway\\047, \\047run\\047]; import hermes_cli.main as agent; agent.main()\"\\n' | { DROP_IN; }; systemctl restart hermes.service; sleep 1",
        controls: POLICY_AND_UNIT,
        checks: &["policy.running", "fs.loaded", "declared"],
        undo: "",
        long: false,
    },
    Break {
        name: "the rules of the policy are loosened, and the agent has not read them",
        done: "cd /etc/hermes/policies; for file in *.json; do python3 -c 'import json, sys; p = json.load(open(sys.argv[1])); p[\"approve\"][\"deny\"] = []; p[\"rate\"][\"default\"] = None; json.dump(p, open(sys.argv[1], \"w\"))' $file; done",
        controls: POLICY,
        checks: &["approve.rules", "rate.declared", "policy.running", "declared"],
        undo: "",
        long: true,
    },
    Break {
        name: "the rules of the policy are loosened, and the agent has read them",
        done: "cd /etc/hermes/policies; for file in *.json; do python3 -c 'import json, sys; p = json.load(open(sys.argv[1])); p[\"approve\"][\"deny\"] = []; p[\"rate\"][\"default\"] = None; json.dump(p, open(sys.argv[1], \"w\"))' $file; done; systemctl restart hermes.service; HEALTHY",
        controls: POLICY,
        checks: &["approve.rules", "rate.declared", "declared"],
        undo: "",
        long: true,
    },
    Break {
        name: "the sandbox has the host's network, and the agent's secrets",
        done: "mkdir -p /etc/systemd/system/petasos-sandbox@.service.d; chmod 640 /etc/hermes/secrets.env; printf '[Service]\\nPrivateNetwork=no\\nIPAddressDeny=\\nIPAddressAllow=\\nBindReadOnlyPaths=/etc/hermes\\nSupplementaryGroups=root\\n' >/etc/systemd/system/petasos-sandbox@.service.d/x.conf; systemctl daemon-reload",
        controls: &["sandbox.exec", "redact.secrets"],
        checks: &["sandbox.interfaces", "sandbox.api", "sandbox.secrets", "declared"],
        undo: "chmod 600 /etc/hermes/secrets.env; rm -r /etc/systemd/system/petasos-sandbox@.service.d; systemctl daemon-reload",
        long: false,
    },
    Break {
        name: "the audit log is open to everybody",
        done: "chmod 0777 /var/log/hermes; chmod 0666 /var/log/hermes/audit.jsonl",
        controls: &["audit.log", "fs.strict"],
        checks: &["audit.owner", "audit.rights", "declared"],
        undo: "chmod 0640 /var/log/hermes/audit.jsonl",
        long: true,
    },
    Break {
        name: "a line of the audit log is edited",
        // The first letter of its event.
        done: "printf x | dd of=/var/log/hermes/audit.jsonl bs=1 seek=52 conv=notrunc status=none",
        controls: &["audit.log"],
        checks: &["audit.chain"],
        undo: "printf a | dd of=/var/log/hermes/audit.jsonl bs=1 seek=52 conv=notrunc status=none",
        long: false,
    },
    Break {
        name: "a file of the release is edited, one is added, one of a package is edited",
        done: "cd /opt/hermes/current/; echo '# mine' >>gateway/run.py; echo 'import os' >tools/planted.py; set -- venv/lib/python3*/site-packages/aiohttp/client.py; echo '# mine' >>$1",
        controls: &["supply.pin"],
        checks: &["pin.tree", "pin.extra", "pin.packages"],
        undo: "rm /opt/hermes/current/.petasos-release",
        long: true,
    },
    Break {
        name: "updates no longer install themselves",
        done: "sed -i 's/Unattended-Upgrade \"1\"/Unattended-Upgrade \"0\"/' /etc/apt/apt.conf.d/zz-petasos-upgrades; systemctl -q disable --now apt-daily-upgrade.timer; sysctl -qw net.ipv4.conf.all.accept_redirects=1",
        controls: &["os.patched"],
        checks: &["patched.settings", "patched.timers", "declared"],
        undo: "",
        long: false,
    },
];

/// The whole table.
pub fn all() -> impl Iterator<Item = &'static Break> {
    [BREAKS, network::BREAKS, data::BREAKS, limits::BREAKS].into_iter().flatten()
}

/// The scripts of a break, with the words that several share.
pub fn script(text: &str) -> String {
    text.replace("DROP_IN", DROP_IN).replace("HEALTHY", HEALTHY)
}
