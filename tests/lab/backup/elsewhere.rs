//! Backups to a place that Petasos has no login at: rclone behind a key, sftp, and a bucket.

use super::attack_of;
use crate::harness::{Desk, Host, SMALL, first, lab_key, lock_of, ready, slow, ssh_config, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("backup::elsewhere, by a key that runs one command", by_key),
        slow("backup::elsewhere, by sftp, then to a bucket", by_sftp_and_bucket),
    ]
}

/// A host, and a machine that petasos.yaml does not know.
struct Apart {
    web: Host,
    store: Host,
    desk: Desk,
}

const KEYS: &str = "/home/store/.ssh/authorized_keys";

fn apart(name: &str, packages: &str) -> Result<Apart> {
    first()?;
    let web = Host::from(&format!("{name}-web"), "converged-trixie")?;
    let store = Host::from(&format!("{name}-box"), ready()?)?;
    web.started()?;
    web.answers()?;
    store.sh(&format!(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends {packages} >/dev/null
         useradd -m -s /bin/bash store; install -d -o store -m 0700 /srv/backups /srv/plain /home/store/.ssh
         install -o store -m 0600 /dev/null {KEYS}"
    ))?;
    let mut desk = Desk::empty()?;
    desk.write("petasos.lock", &lock_of("0.19.0")?)?;
    desk.write("ssh_config", &ssh_config(&[&web])?)?;
    let config = desk.read("ssh_config")?;
    let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile ")).context("no IdentityFile")?;
    desk.set("PETASOS_AGE_IDENTITY", Some(key));
    web.chat("hello")?;
    Ok(Apart { web, store, desk })
}

impl Apart {
    /// Where backups go from now on.
    fn to(&self, backup: &str) -> Result<()> {
        self.desk.write(
            "petasos.yaml",
            &format!(
                "hosts:\n  web: {{ address: root@{}, {SMALL} }}\nadmin: {{ authorized_keys: [\"{}\"] }}\nbackup: {{ {backup} }}\n",
                self.web.address,
                lab_key(&self.web)?
            ),
        )
    }

    fn by(&self, scheme: &str, path: &str) -> Result<String> {
        let key = self.store.sh("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")?;
        Ok(format!("repository: \"{scheme}://store@{}/{path}\", host_key: \"{}\"", self.store.address, key.trim()))
    }

    /// As an operator does who reads what Petasos says.
    fn let_in(&self, said: &str) -> Result<()> {
        let at = said.find("restrict,").context("no line to add")?;
        let line = said.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        self.store.with_args(&format!("printf '%s\\n' \"$1\" >>{KEYS}"), &[line])?.ended(0).map(drop)
    }

    fn nightly(&self) -> Result<Value> {
        let said = self.desk.petasos(&["verify", "--json"])?;
        let report: Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
        let controls = report["hosts"][0]["controls"].as_array().context("no controls")?;
        controls.iter().find(|control| control["id"] == "backup.nightly").cloned().context("no such control")
    }

    /// What `petasos verify` says of whether the host can take a backup away.
    fn kept(&self, verdict: &str, words: &str) -> Result<()> {
        let control = self.nightly()?;
        let checks = control["checks"].as_array().context("no checks")?;
        let kept = checks.iter().find(|check| check["id"] == "backup.kept").context("no such check")?;
        let said = kept["detail"].as_str().unwrap_or_default();
        ensure!(control["verdict"] == verdict && kept["result"] == verdict && said.contains(words), "{control:#}");
        Ok(())
    }

    fn digests(&self, folder: &str) -> Result<String> {
        self.store.sh(&format!("cd {folder} && find . -type f -exec sha256sum {{}} + | sort -k2"))
    }
}

fn by_key() -> Result<()> {
    let apart = apart("apart", "rclone")?;
    let Apart { web, store, desk } = &apart;
    apart.to(&apart.by("ssh", "srv/backups")?)?;
    let said = desk.petasos(&["up", "web"])?.ended(1)?;
    said.says(&["does not let this host in", "/srv/backups/web/", "if it is not let in yet, add this line"])?;
    // What does not wait for it is there.
    web.sh("systemctl is-enabled petasos-backup.timer petasos-quarantine.service")?;
    apart.let_in(&said.all())?;
    desk.petasos(&["up", "web"])?.ended(0)?.says(&["first_run petasos-drill.service", "petasos backup key web"])?;
    desk.petasos(&["up", "web"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    desk.petasos(&["backup", "key", "web"])?.ended(0)?;
    let good: Value = serde_json::from_str(&web.sh("cat /var/lib/petasos-backup/state/good.json")?)?;
    let snapshot = good["snapshot"].as_str().context("no snapshot")?;
    store.sh(&format!("test -s /srv/backups/web/*/snapshots/{snapshot}"))?;
    desk.petasos(&["backup", "list", "web"])?.ended(0)?.says(&[&snapshot[..8]])?;
    desk.petasos(&["backup", "check", "web"])?.ended(0)?.says(&["sound"])?;
    desk.petasos(&["backup", "drill", "web", "--with-escrow"])?.ended(0)?.says(&["the operators' key opened"])?;
    apart.kept("met", "403")?;

    // Raw attacks, by the host's own key.
    store.sh("cp -a /srv/backups /srv/before")?;
    let before = apart.digests("/srv/backups")?;
    attack_of(web)?;
    let after = apart.digests("/srv/backups")?;
    let lost: Vec<&str> = before.lines().filter(|line| !after.lines().any(|now| now == *line)).collect();
    ensure!(!before.is_empty() && lost.is_empty(), "lost: {lost:?}");
    // What was planted hinders the backups to come, and nobody but people sets it aside.
    store.sh("rm -r /srv/backups; mv /srv/before /srv/backups")?;

    // The same key without its command: no backup goes there, and verify sees what it opens.
    store.sh(&format!("cp {KEYS} /root/keys; sed -i 's/^restrict,.*\" ssh-/ssh-/' {KEYS}"))?;
    apart.kept("not_met", "sftp, a shell, forwarding")?;
    ensure!(!web.holds("systemctl start petasos-backup.service")?, "a backup went to a store that is not append-only");
    store.sh(&format!("cat /root/keys >{KEYS}"))?;

    // Another folder by petasos.yaml, and the old one by the key's line: no backup goes to a folder
    // that somebody may remove.
    apart.to(&apart.by("ssh", "srv/plain")?)?;
    desk.petasos(&["up", "web"])?.ended(1)?.says(&["lets this host in to the folder of before", "/srv/plain/web/"])?;
    apart.to(&apart.by("ssh", "srv/backups")?)?;
    desk.petasos(&["up", "web"])?.ended(0)?;
    // Where the host's old key still lets in, people have to act.
    anew(&apart)
}

/// A machine with new keys has a folder of its own; data comes back out of the old one by a key
/// that is let in for that.
fn anew(apart: &Apart) -> Result<()> {
    let Apart { web, store, desk } = apart;
    let zebra = "/home/hermes/.hermes/memories/zebra.md";
    web.sh(&format!("runuser -u hermes -- sh -c 'mkdir -p /home/hermes/.hermes/memories; echo zebra >{zebra}'"))?;
    desk.petasos(&["backup", "now", "web"])?.ended(0)?;
    web.sh(&format!(
        "rm -r {zebra} /etc/petasos/backup/key* /etc/petasos/backup/password /var/lib/petasos-backup/state/*"
    ))?;
    let said = desk.petasos(&["up", "web"])?.ended(1)?;
    apart.let_in(&said.all())?;
    desk.petasos(&["up", "web"])?.ended(0)?;
    ensure!(store.sh("ls /srv/backups/web")?.lines().count() == 2, "no folder of its own");
    let said = desk.petasos(&["backup", "restore", "web"])?.ended(1)?;
    said.says(&["those of another key", "--admitted", "petasos-restore"])?;
    let admitted = ["backup", "restore", "web", "--admitted"];
    desk.petasos(&admitted)?.ended(1)?.says(&["does not let its key in"])?;
    apart.let_in(&said.all())?;
    desk.petasos(&admitted)?.ended(0)?.says(&["is restored"])?;
    web.sh(&format!("grep -q zebra {zebra} && ! [ -e /run/petasos-restore ]"))?;
    desk.petasos(&["backup", "key", "web"])?.ended(0)?.says(&["the key to its earlier backups is in"])?;
    desk.petasos(&["up", "web"])?.ended(0)?.says(&[": 0 changes,"]).map(drop)
}

/// What serves buckets on the other machine, by a well-known imitation, which checks signatures and
/// rights once so many questions were asked. The keys of two users: one may delete versions.
const BUCKETS: &str = "exec 3>&1 >&2
python3 -m venv /opt/moto && /opt/moto/bin/pip -q install 'moto[s3,iam,server]'
systemd-run -q --unit=buckets --setenv=INITIAL_NO_AUTH_ACTION_COUNT=11 /opt/moto/bin/moto_server -H 0.0.0.0 -p 9000
for _ in $(seq 100); do curl -fs http://127.0.0.1:9000/moto-api/ >/dev/null && break; sleep 0.3; done
/opt/moto/bin/python - >&3 <<'E'
import json, boto3
of = lambda what: boto3.client(what, endpoint_url='http://127.0.0.1:9000', aws_access_key_id='x', aws_secret_access_key='y', region_name='us-east-1')
s3, iam = of('s3'), of('iam')
s3.create_bucket(Bucket='plain')
for mode in ('COMPLIANCE', 'GOVERNANCE'):
    name = mode.lower()
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {'DefaultRetention': {'Mode': mode, 'Days': 30}}
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={'ObjectLockEnabled': 'Enabled', 'Rule': rule})
few = ['ListBucket', 'GetObject', 'PutObject', 'DeleteObject', 'GetBucketLocation', 'GetBucketObjectLockConfiguration']
for user, may in (('some', few), ('all', ['*'])):
    iam.create_user(UserName=user)
    policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['s3:' + one for one in may], 'Resource': '*'}]}
    iam.put_user_policy(UserName=user, PolicyName='backups', PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)['AccessKey']
    print(key['AccessKeyId'], key['SecretAccessKey'])
E";

fn by_sftp_and_bucket() -> Result<()> {
    let mut apart = apart("afar", "python3-venv curl")?;
    apart.to(&apart.by("sftp", "srv/plain")?)?;
    let said = apart.desk.petasos(&["up", "web"])?.ended(1)?;
    apart.let_in(&said.all())?;
    apart.desk.petasos(&["up", "web"])?.ended(0)?;
    apart.desk.petasos(&["up", "web"])?.ended(0)?.says(&[": 0 changes,"])?;
    apart.kept("not_met", "a file was put there and taken away again")?;
    apart.desk.petasos(&["verify"])?.ended(2)?.says(&["not append-only"])?;
    apart.desk.petasos(&["backup", "key", "web"])?.ended(0)?;
    apart.desk.petasos(&["backup", "restore", "web"])?.ended(0)?.says(&["is restored"])?;

    let users = apart.store.sh(BUCKETS)?;
    let mut users = users.lines().filter_map(|line| line.split_once(' '));
    let (some, all) = users.next().zip(users.next()).context("no keys")?;
    let bucket = |name: &str| format!("repository: \"s3:http://{}:9000/{name}/below\"", apart.store.address);
    let (plain, governed, locked) = (bucket("plain"), bucket("governance"), bucket("compliance"));
    apart.to(&plain)?;
    apart.desk.petasos(&["up", "web"])?.ended(1)?.says(&["the secret `AWS_ACCESS_KEY_ID` is missing"])?;
    apart.desk.set("AWS_ACCESS_KEY_ID", Some(some.0));
    apart.desk.set("AWS_SECRET_ACCESS_KEY", Some(some.1));
    let said = apart.desk.petasos(&["up", "web"])?.ended(0)?;
    said.says(&["first_run petasos-backup.service"])?;
    ensure!(!said.all().contains(some.1), "{}", said.all());
    apart.desk.petasos(&["up", "web"])?.ended(0)?.says(&[": 0 changes,"])?;
    apart.kept("not_met", "no object lock")?;
    apart.to(&governed)?;
    apart.desk.petasos(&["up", "web"])?.ended(0)?;
    apart.kept("not_met", "GOVERNANCE")?;
    apart.to(&locked)?;
    apart.desk.petasos(&["up", "web"])?.ended(0)?;
    apart.kept("met", "COMPLIANCE, 30 days")?;
    apart.desk.set("AWS_ACCESS_KEY_ID", Some(all.0));
    apart.desk.set("AWS_SECRET_ACCESS_KEY", Some(all.1));
    apart.desk.petasos(&["up", "web"])?.ended(0)?;
    apart.kept("not_met", "may delete versions")?;
    apart.desk.set("AWS_ACCESS_KEY_ID", Some(some.0));
    apart.desk.set("AWS_SECRET_ACCESS_KEY", Some(some.1));
    apart.desk.petasos(&["up", "web"])?.ended(0)?;
    apart.desk.petasos(&["backup", "key", "web"])?.ended(0)?;
    apart.desk.petasos(&["backup", "check", "web"])?.ended(0)?.says(&["sound"])?;
    apart.desk.petasos(&["backup", "restore", "web"])?.ended(0)?.says(&["is restored"])?;
    apart.web.sh("! runuser -u hermes -- cat /etc/petasos/backup/secrets.env 2>/dev/null; test \"$(stat -c %a /etc/petasos/backup/secrets.env)\" = 600")?;
    // Keys of another place do not stay, nor do they hold the host up.
    apart.to(&apart.by("sftp", "srv/plain")?)?;
    apart.desk.petasos(&["up", "web"])?.ended(0)?.says(&["first_run petasos-backup.service"])?;
    apart.web.sh("! grep -q AWS /etc/petasos/backup/secrets.env").map(drop)
}
