//! Logins that a host would refuse, and the keys that a host shows: what refuses is named before
//! anything changes. sshd, sudo and ssh-keygen on the host are the judges.

use super::harness::{Desk, Host, Row, converges, lab_key, rows, ssh_config};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let kinds: [Row; 4] = [
        ("besidefiles", "what wins against sshd's files, and what they do not say", beside),
        ("refusals", "sshd would refuse the administrator", refusals),
        ("wasthere", "the administrator is there, with another key and no shell", was_there),
        ("noed25519", "a host without an ed25519 key", no_ed25519),
    ];
    let more: [Row; 7] = [
        ("sudoers", "sudo would refuse the administrator", sudoers),
        ("included", "a file that sshd includes first opens root's login", included),
        ("restricted", "root's only key has options", restricted),
        ("published", "root's only key is the one that Vagrant publishes", published),
        ("alsoroot", "somebody else has sudo without a password", also_root),
        ("unserved", "an ed25519 key that sshd does not show", unserved),
        ("onlyecdsa", "a host that shows its ecdsa key alone", only_ecdsa),
    ];
    rows("logins", &kinds, &more)
}

fn nothing_changed(host: &Host) -> Result<()> {
    ensure!(host.holds("! id ops && test ! -e /etc/ssh/sshd_config.d/00-petasos.conf")?, "something was changed");
    Ok(())
}

/// Where the settings below stand.
const MINE: &str = "/etc/ssh/sshd_config.d/50-mine.conf";

fn refusals(host: &Host, desk: &Desk) -> Result<()> {
    for setting in [
        "AllowUsers root",
        "AllowUsers deploy root@*",
        "DenyUsers nobody o?s",
        "AllowGroups root sshadmins",
        "DenyGroups games sudo",
        "AuthorizedKeysFile /root/.ssh/authorized_keys",
        "Match User ops\n  ForceCommand /usr/sbin/nologin",
        "Match User ops\n  ChrootDirectory /srv",
    ] {
        host.with_args(&format!("printf '%s\\n' \"$1\" >\"$2\"; sshd -t; {RESTART}"), &[setting, MINE])?.ended(0)?;
        let line = setting.lines().last().unwrap_or_default().trim();
        let said = desk.petasos(&["up"])?.ended(1).context(setting)?;
        said.says(&["sshd would not let `ops` work over SSH", line, MINE, "hint: "])?;
        nothing_changed(host).context(setting)?;
    }
    // Where sshd is told a port with its address, it stays at that port whatever else is wished.
    host.sh(&format!("echo 'ListenAddress 0.0.0.0:22' >{MINE}; {RESTART}"))?;
    let yaml = desk.read("petasos.yaml")?;
    desk.write("petasos.yaml", &format!("{yaml}network: {{ ssh_port: 2222 }}\n"))?;
    let address = format!("not at 2222 alone: `ListenAddress 0.0.0.0:22` ({MINE}:1)");
    desk.petasos(&["up"])?.ended(1)?.says(&[&address, "hint: on the host, write the address without `:22`"])?;
    nothing_changed(host)?;
    desk.write("petasos.yaml", &yaml)?;
    // What stands where the keys belong is somebody's, wherever it leads.
    host.sh(&format!("rm {MINE}; useradd -m ops; mkdir ~ops/keys; ln -s keys ~ops/.ssh; {RESTART}"))?;
    desk.petasos(&["up"])?.ended(1)?.says(&["`/home/ops/.ssh` is not a directory but a symbolic link", "hint: "])?;
    host.sh("test ! -e /etc/ssh/sshd_config.d/00-petasos.conf; userdel -r ops")?;
    // What holds for a group is known once the user is there: the host is asked, and root is in.
    host.sh(&format!("printf 'Match Group sudo\\n  ChrootDirectory /srv\\n' >{MINE}; sshd -t; {RESTART}"))?;
    desk.petasos(&["up"])?.ended(1)?.says(&["`ops` cannot become root", "chrootdirectory /srv"])?;
    host.login("root", &["ControlPath=none"], "true")?.ended(0)?;
    // The judge refuses as well, where the administrator is there.
    host.sh(&format!("echo 'AllowUsers root' >{MINE}; {RESTART}"))?;
    ensure!(host.login("ops", &["ControlPath=none"], "true")?.code != 0, "sshd lets everybody in");
    // Who PAM does not let in is told at once, and not as a host that went away.
    host.sh(&format!("rm {MINE}; touch /etc/nologin; {RESTART}"))?;
    desk.petasos(&["up"])?.ended(1)?.says(&["/etc/nologin is there", "hint: "])?;
    host.sh("rm /etc/nologin")?;
    host.login("ops", &[], "true")?.ended(0)?;
    converges(desk)
}

/// systemd starts it no oftener than some times in a minute, but for this.
const RESTART: &str = "systemctl reset-failed ssh.service; systemctl restart ssh.service";

/// What wins against all files of sshd's, and what they do not say: an option that it is started
/// with, a login without PAM, a second file of keys, a group of the administrator's own.
fn beside(host: &Host, desk: &Desk) -> Result<()> {
    host.sh(&format!("echo 'SSHD_OPTS=\"-o PermitRootLogin=yes\"' >/etc/default/ssh; {RESTART}"))?;
    desk.petasos(&["up"])?.ended(1)?.says(&["`-o permitrootlogin=yes`", "SSHD_OPTS in /etc/default/ssh"])?;
    nothing_changed(host)?;
    // An option that is none of ours is nobody's business, and counts.
    host.sh(&format!(
        "echo 'SSHD_OPTS=\"-o AuthorizedKeysFile=/root/.ssh/authorized_keys\"' >/etc/default/ssh; {RESTART}"
    ))?;
    desk.petasos(&["up"])?.ended(1)?.says(&["sshd would not let `ops` work over SSH", "/root/.ssh/authorized_keys"])?;
    nothing_changed(host)?;
    host.sh(&format!(
        "echo 'SSHD_OPTS=\"-o PrintMotd=no\"' >/etc/default/ssh; echo 'UsePAM no' >{MINE}; {RESTART}
         useradd -m -N -g users -s /bin/bash ops; mkdir -m 700 ~ops/.ssh"
    ))?;
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("key");
    let mut made = std::process::Command::new("ssh-keygen");
    made.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
    ensure!(made.status()?.success(), "ssh-keygen failed");
    let public = std::fs::read_to_string(key.with_extension("pub"))?;
    let second =
        "printf '%s' \"$1\" >~ops/.ssh/authorized_keys2; chown -R ops: ~ops; chmod 600 ~ops/.ssh/*; usermod -p '*' ops";
    host.with_args(second, &[&public])?.ended(0)?;
    let by_second = || -> Result<bool> {
        let identity = format!("IdentityFile={}", key.display());
        let config =
            ssh_config(&[host])?.lines().filter(|line| !line.contains("IdentityFile ")).collect::<Vec<_>>().join("\n");
        let file = folder.path().join("config");
        std::fs::write(&file, config)?;
        let mut ssh = std::process::Command::new("ssh");
        ssh.arg("-F").arg(&file).args(["-o", &identity, &format!("ops@{}", host.address), "true"]);
        Ok(ssh.status()?.success())
    };
    ensure!(by_second()?, "the second file opens nothing: it proves nothing");
    converges(desk)?;
    ensure!(!by_second()?, "a key that nobody declared opens the administrator's login");
    ensure!(host.sh("id -gn ops")?.trim() == "users", "its group is another");
    host.login("ops", &["ControlPath=none"], "sudo -n id -u")?.ended(0).map(drop)
}

fn sudoers(host: &Host, desk: &Desk) -> Result<()> {
    let root_is_in = || host.login("root", &["ControlPath=none"], "true")?.ended(0).map(drop);
    host.sh("cp -p /etc/sudoers /root/; sed -i '/^@includedir/d' /etc/sudoers; visudo -c")?;
    let said = desk.petasos(&["up"])?;
    ensure!(said.code == 1, "{}", said.all());
    said.says(&["`ops` cannot become root", "/etc/sudoers has no line @includedir /etc/sudoers.d", "hint: "])?;
    root_is_in()?;
    host.sh("cp -p /root/sudoers /etc/; echo '%sudo ALL=(ALL:ALL) PASSWD: ALL' >/etc/sudoers.d/zz-policy; chmod 440 /etc/sudoers.d/zz-policy; visudo -c")?;
    let said = desk.petasos(&["up"])?;
    ensure!(said.code == 1, "{}", said.all());
    said.says(&["`ops` cannot become root", "/etc/sudoers.d/zz-policy:1:%sudo"])?;
    root_is_in()?;
    host.sh("rm /etc/sudoers.d/zz-policy")?;
    converges(desk)
}

/// Made by hand or by the provider, for somebody else's key.
fn was_there(host: &Host, desk: &Desk) -> Result<()> {
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzT+ulnWm6DCJfhBvE1EcMVhZ1mCq8gnQZzY0Gn0gqH somebody";
    let made = "useradd -m -s /usr/sbin/nologin ops; mkdir -m 755 ~ops/.ssh; printf '%s\n' \"$1\" >~ops/.ssh/authorized_keys; chown -R ops: ~ops";
    host.with_args(made, &[other])?.ended(0)?;
    // The guard takes it all back where the new login does not come about.
    host.sh("chmod 777 ~ops")?;
    desk.petasos(&["up"])?.ended(4)?.says(&["bad ownership or modes for directory /home/ops"])?;
    let after = host.sh("getent passwd ops; cat ~ops/.ssh/authorized_keys")?;
    ensure!(after.contains("/usr/sbin/nologin") && after.contains(other), "{after}");
    host.login("root", &["ControlPath=none"], "true")?.ended(0)?;
    host.sh("chmod 755 ~ops")?;
    converges(desk)?;
    ensure!(!host.sh("cat ~ops/.ssh/authorized_keys")?.contains(other), "somebody else's key opens it still");
    host.login("ops", &["ControlPath=none"], "sudo -n id -u")?.ended(0).map(drop)
}

fn included(host: &Host, desk: &Desk) -> Result<()> {
    host.sh(
        "mkdir /etc/ssh/custom; echo 'Include custom/b.inc' >/etc/ssh/custom/a.conf; echo 'PermitRootLogin yes' >/etc/ssh/custom/b.inc
         sed -i '1i Include /etc/ssh/custom/*.conf' /etc/ssh/sshd_config; sshd -t; systemctl restart ssh.service",
    )?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["permitrootlogin yes (/etc/ssh/custom/b.inc:1)"])?;
    converges(desk)?;
    ensure!(host.sh("sshd -T -C user=root,host=x,addr=192.0.2.1")?.contains("permitrootlogin no"), "root may log in");
    ensure!(host.login("root", &["ControlPath=none"], "true")?.code != 0, "root may log in");
    // What comes behind ours loses, and stays.
    host.sh("echo 'MaxAuthTries 9' >/etc/ssh/later.conf; echo 'Include later.conf' >>/etc/ssh/sshd_config; systemctl restart ssh.service")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])
}

fn restricted(host: &Host, desk: &Desk) -> Result<()> {
    let own = format!("authorized_keys: [\"{}\"]", lab_key(host)?);
    desk.edit("petasos.yaml", &own, "{}")?;
    desk.edit("petasos.yaml", "admin: { {} }\n", "")?;
    host.sh("sed -i 's/^ssh-/from=\"192.0.2.0\\/24,*\" ssh-/' ~/.ssh/authorized_keys")?;
    for verb in ["plan", "up"] {
        let said = desk.petasos(&[verb])?;
        ensure!(said.code != 0, "{}", said.all());
        said.says(&["`from=\"192.0.2.0/24,*\"` in `/root/.ssh/authorized_keys`", "admin.authorized_keys"])?;
    }
    nothing_changed(host)
}

/// `vagrant.pub.ed25519` of Vagrant's source, which everybody has the private half of.
const PUBLISHED: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y vagrant insecure public key";

fn published(host: &Host, desk: &Desk) -> Result<()> {
    let own = lab_key(host)?;
    desk.edit("petasos.yaml", &own, PUBLISHED)?;
    desk.petasos(&["up"])?.ended(1)?.says(&["Vagrant publishes", "hint: "])?;
    desk.edit("petasos.yaml", &format!("admin: {{ authorized_keys: [\"{PUBLISHED}\"] }}\n"), "")?;
    host.with_args("echo \"$1\" >>~/.ssh/authorized_keys", &[PUBLISHED])?.ended(0)?;
    desk.petasos(&["up"])?.ended(1)?.says(&["Vagrant publishes", "hint: "])?;
    nothing_changed(host)
}

fn also_root(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("useradd -m ubuntu; echo 'ubuntu ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users; chmod 440 /etc/sudoers.d/90-cloud-init-users; visudo -c")?;
    let said = desk.petasos(&["up"])?.ended(0)?;
    said.says(&["also root", "ubuntu (/etc/sudoers.d/90-cloud-init-users)"])?;
    host.sh("rm /etc/sudoers.d/90-cloud-init-users")?;
    let said = desk.petasos(&["up"])?.ended(0)?;
    ensure!(!said.all().contains("also root"), "{}", said.all());
    Ok(())
}

/// What the host says of a key of its own.
fn fingerprint(host: &Host, kind: &str) -> Result<String> {
    let said = host.sh(&format!("ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key"))?;
    said.split(' ').nth(1).map(str::to_owned).context(said.clone())
}

/// The user's ssh has a known_hosts of its own, and takes what is new.
fn own_known_hosts(host: &Host, desk: &Desk) -> Result<()> {
    let kept: String = ssh_config(&[host])?
        .lines()
        .filter(|line| !line.contains("KnownHostsFile") && !line.contains("StrictHostKeyChecking"))
        .map(|line| format!("{line}\n"))
        .collect();
    let known = desk.path("known_hosts");
    let own = format!("UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null", known.display());
    desk.write("ssh_config", &format!("{kept}Host *\n  {own}\n  StrictHostKeyChecking accept-new\n"))
}

fn no_ed25519(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key; ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key; systemctl restart ssh.service")?;
    own_known_hosts(host, desk)?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["first contact", &fingerprint(host, "ecdsa")?])?;
    desk.petasos(&["plan"])?.ended(2)?;
    converges(desk)?;
    // Of the two, the hardened sshd shows the other one.
    ensure!(desk.read("petasos.lock")?.contains(&fingerprint(host, "rsa")?), "{}", desk.read("petasos.lock")?);
    // Another key all the same is somebody else's.
    host.sh("rm /etc/ssh/ssh_host_rsa_key*; ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key; systemctl restart ssh.service")?;
    desk.petasos(&["up"])?.ended(1)?.says(&["does not match the recorded one", &fingerprint(host, "rsa")?]).map(drop)
}

fn unserved(host: &Host, desk: &Desk) -> Result<()> {
    host.sh(&format!("echo 'HostKey /etc/ssh/ssh_host_rsa_key' >{MINE}; [ -e /etc/ssh/ssh_host_rsa_key ] || ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key; ls /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh.service"))?;
    own_known_hosts(host, desk)?;
    desk.petasos(&["plan"])?.ended(2)?.says(&["first contact", &fingerprint(host, "rsa")?])?;
    converges(desk)?;
    let lock = desk.read("petasos.lock")?;
    ensure!(lock.contains(&fingerprint(host, "rsa")?) && !lock.contains(&fingerprint(host, "ed25519")?), "{lock}");
    // One more is shown: the recorded one still counts.
    host.sh(&format!("rm {MINE}; systemctl restart ssh.service"))?;
    desk.petasos(&["plan"])?.ended(0).map(drop)
}

fn only_ecdsa(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key; systemctl restart ssh.service")?;
    own_known_hosts(host, desk)?;
    let said = desk.petasos(&["up"])?.ended(1)?;
    said.says(&["no host key of a type that it may show from now on", "(ECDSA)", "ssh-keygen -A"])?;
    host.login("root", &["ControlPath=none", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"], "true")?
        .ended(0)?;
    host.sh("ssh-keygen -A; systemctl restart ssh.service")?;
    // The recorded key is shown still, until sshd is hardened.
    converges(desk)?;
    ensure!(desk.read("petasos.lock")?.contains(&fingerprint(host, "ed25519")?), "{}", desk.read("petasos.lock")?);
    Ok(())
}
