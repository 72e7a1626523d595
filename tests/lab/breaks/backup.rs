//! The same of a host's backups, and of their vault.

/// What somebody did to a host or its vault, and the check that sees it.
pub struct Broken {
    pub name: &'static str,
    /// On the host, and on the vault.
    pub web: &'static str,
    pub vault: &'static str,
    /// What `petasos up` does not mend by itself.
    pub vault_after: &'static str,
    /// Whose control is not met then, which, and by which check.
    pub host: &'static str,
    pub control: &'static str,
    pub check: &'static str,
    /// Whether others by default show the same control to fail.
    pub long: bool,
}

const PLAIN: Broken = Broken {
    name: "",
    web: "",
    vault: "",
    vault_after: "",
    host: "web",
    control: "backup.nightly",
    check: "",
    long: false,
};

pub const BROKEN: &[Broken] = &[
    Broken {
        name: "the vault lets things go",
        vault: "sed -i '/\"--append-only\",/d' /usr/lib/petasos/vault/serve.py",
        check: "backup.kept",
        ..PLAIN
    },
    Broken {
        name: "there is no next one",
        long: true,
        web: "systemctl disable --now petasos-backup.timer",
        check: "backup.timer",
        ..PLAIN
    },
    Broken {
        name: "the last good one is old",
        long: true,
        web: "sed -i -E \"s/(\\\"ended\\\": )[0-9]+/\\1$(date -d '2 days ago' +%s)/\" /var/lib/petasos-backup/state/good.json",
        check: "backup.fresh",
        ..PLAIN
    },
    Broken {
        name: "others can read the password",
        long: true,
        web: "chmod 644 /etc/petasos/backup/password",
        check: "declared",
        ..PLAIN
    },
    Broken {
        name: "the vault holds another snapshot's content",
        long: true,
        web: "sed -i -E 's/\"report\": \"../\"report\": \"00/' /var/lib/petasos-backup/state/good.json",
        check: "backup.restored",
        ..PLAIN
    },
    Broken {
        name: "nothing has arrived for two days",
        long: true,
        vault: "find /srv/petasos-vault/web/*/snapshots -type f -exec touch -d '2 days ago' {} +; systemctl start petasos-vault-watch.service || :",
        host: "box",
        check: "vault.fresh",
        ..PLAIN
    },
    Broken {
        name: "a drill meets a repository of which a part is another",
        vault: "cd /srv/petasos-vault/web/*/data; cp -a . /srv/data.kept; for f in */*; do printf X | dd of=$f bs=1 seek=100 conv=notrunc status=none; done",
        vault_after: "cp -a /srv/data.kept/. /srv/petasos-vault/web/*/data/; rm -r /srv/data.kept",
        web: "! systemctl start petasos-drill.service",
        control: "backup.drill",
        check: "drill.good",
        ..PLAIN
    },
    Broken {
        name: "the notice says something else",
        web: "sed -i 's/7 days/70 days/' /etc/petasos/backup/RETENTION",
        control: "backup.retention",
        check: "retention.notice",
        ..PLAIN
    },
    Broken {
        name: "the vault's notice is gone",
        long: true,
        vault: "rm /etc/petasos/vault/RETENTION",
        host: "box",
        control: "backup.retention",
        check: "retention.notice",
        ..PLAIN
    },
];
