//! Firewalls and packages that people have before Petasos comes: narrower rules stay, what shuts a
//! declared port is named before anything changes, and so is what apt would remove. A connection,
//! UFW and dpkg are the judges.

use super::harness::{Desk, Host, Row, converges, rows};
use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    let kinds: [Row; 3] = [
        ("narrow", "who limits SSH to some senders keeps that", narrow),
        ("closed", "another firewall shuts what is declared", closed),
        ("conflict", "a package that conflicts with a new one", conflict),
    ];
    let more: [Row; 6] = [
        ("forms", "who limits SSH in other ways keeps that, at a new port too", forms),
        ("limit", "who limits how often one comes in to SSH keeps that", limit),
        ("logged", "a sender that is refused and logged is no change", logged),
        ("route", "a rule of UFW's for what passes through goes", route),
        ("outgoing", "a firewall that lets nothing out, and rules for it", outgoing),
        ("before", "a rule before UFW's shuts what is declared", before),
    ];
    rows("firewalls", &kinds, &more)
}

fn route(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("ufw allow 22/tcp; ufw route allow proto tcp from any to any port 80; ufw route allow in on eth0 out on eth1; ufw --force enable")?;
    converges(desk)?;
    let left = host.sh("ufw status | grep FWD || :")?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

fn narrow(host: &Host, desk: &Desk) -> Result<()> {
    let me = host.login("root", &[], "echo ${SSH_CONNECTION%% *}")?.ended(0)?.out;
    host.sh(&format!("ufw allow from {} to any port 22 proto tcp", me.trim()))?;
    converges(desk)?;
    let rules = host.sh("ufw status")?;
    ensure!(rules.contains(me.trim()) && !rules.contains("22/tcp                     ALLOW       Anywhere"), "{rules}");
    ensure!(rules.starts_with("Status: active"), "{rules}");
    Ok(())
}

fn forms(host: &Host, desk: &Desk) -> Result<()> {
    let me = host.login("root", &[], "echo ${SSH_CONNECTION%% *}")?.ended(0)?.out;
    let me = me.trim();
    host.sh(&format!("ufw allow from {me}"))?;
    converges(desk)?;
    ensure!(!host.sh("ufw status")?.contains("22/tcp"), "it is open to all");
    let forms = [
        "in on eth0 to any port 22 proto tcp",
        &format!("proto tcp from {me} to any port 20:30"),
        &format!("proto tcp from any to {} port 22", host.address),
    ]
    .map(str::to_owned);
    host.sh(&forms.map(|form| format!("ufw allow {form}")).join("; "))?;
    host.sh(&format!("ufw delete allow from {me}"))?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    desk.edit("petasos.yaml", "admin:", "network: { ssh_port: 2222 }\nadmin:")?;
    converges(desk)?;
    let rules = host.sh("ufw show added")?;
    let (moved, all) = (format!("ufw allow from {me} to any port 2222 proto tcp"), "ufw allow 2222/tcp");
    ensure!(rules.contains(&moved) && !rules.contains(all) && !rules.contains("port 22 "), "{rules}");
    Ok(())
}

fn limit(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("ufw limit 22/tcp; ufw --force enable")?;
    converges(desk)?;
    let rules = host.sh("ufw show added")?;
    ensure!(rules.contains("ufw limit 22/tcp") && !rules.contains("allow"), "{rules}");
    Ok(())
}

fn logged(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("ufw allow 22/tcp; ufw deny log from 203.0.113.66; ufw deny log from 2001:db8::66; ufw --force enable")?;
    converges(desk)?;
    let rules = host.sh("ufw show added")?;
    ensure!(rules.contains("deny log from 203.0.113.66"), "{rules}");
    Ok(())
}

fn outgoing(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("ufw allow 22/tcp; ufw default deny outgoing; ufw reject out 25/tcp; ufw --force enable")?;
    desk.petasos(&["up"])?.ended(1)?.says(&["UFW denies", "ufw default allow outgoing", "hint: "])?;
    ensure!(host.holds("! id ops && ufw status verbose | grep -q 'deny (outgoing)'")?, "something was changed");
    host.sh("ufw default allow outgoing")?;
    converges(desk)?;
    let rules = host.sh("ufw status")?;
    ensure!(rules.contains("25/tcp                     REJECT OUT"), "{rules}");
    Ok(())
}

fn before(host: &Host, desk: &Desk) -> Result<()> {
    host.sh(
        "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT
         iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited",
    )?;
    // Where nothing but SSH is declared, nothing is shut.
    desk.petasos(&["plan"])?.ended(2)?;
    desk.edit("petasos.yaml", "admin:", "network: { inbound: [8443/tcp] }\nadmin:")?;
    let said = desk.petasos(&["up"])?.ended(1)?;
    said.says(&[
        "`8443/tcp` is declared open, and stays shut",
        "iptables -D INPUT -j REJECT --reject-with icmp-host-prohibited",
    ])?;
    ensure!(host.holds("! id ops && ufw status | grep -q inactive")?, "something was changed");
    host.sh("iptables -D INPUT -j REJECT --reject-with icmp-host-prohibited")?;
    converges(desk)?;
    reached(host, 8443)
}

fn reached(host: &Host, port: u16) -> Result<()> {
    host.sh(&format!("systemd-run -q --unit=there python3 -m http.server {port}"))?;
    for _ in 0..50 {
        if std::net::TcpStream::connect_timeout(&(host.address, port).into(), Duration::from_secs(1)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    anyhow::bail!("{port} is shut")
}

fn closed(host: &Host, desk: &Desk) -> Result<()> {
    let rules = "ct state established,related accept; iif lo accept; icmpv6 type != echo-request accept; tcp dport { 22, 80-90 } accept";
    host.sh(&format!(
        "apt-get -qq -y install nftables >/dev/null 2>&1; printf 'table inet mine {{\nchain input {{\ntype filter hook input priority 0; policy drop; {rules};\n}}\n}}\n' | nft -f -"
    ))?;
    desk.edit("petasos.yaml", "admin:", "network: { inbound: [85/tcp, 8443/tcp] }\nadmin:")?;
    let said = desk.petasos(&["up"])?.ended(1)?;
    said.says(&["`8443/tcp` is declared open, and stays shut", "nft add rule inet mine input tcp dport 8443 accept"])?;
    ensure!(host.holds("! id ops")?, "something was changed");
    host.sh("nft add rule inet mine input tcp dport 8443 accept")?;
    converges(desk)?;
    reached(host, 8443)
}

fn conflict(host: &Host, desk: &Desk) -> Result<()> {
    host.sh(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install iptables-persistent >/dev/null 2>&1
         dpkg-query -W iptables-persistent; ! dpkg-query -W -f '${db:Status-Status}' ufw | grep -qx installed",
    )?;
    desk.petasos(&["plan"])?
        .ended(2)?
        .says(&["package iptables-persistent: iptables-persistent: installed -> absent"])?;
    // A host whose lists of packages say nothing yet: what goes is found out with them, and
    // refused.
    host.sh("mv /var/lib/apt/lists /root/; mkdir -p /var/lib/apt/lists/partial")?;
    let said = desk.petasos(&["up"])?.ended(1)?;
    said.says(&["apt would remove", "iptables-persistent", "petasos plan"])?;
    ensure!(host.holds("dpkg-query -W -f '${db:Status-Status}' iptables-persistent | grep -qx installed")?, "it went");
    desk.petasos(&["up"])?
        .ended(0)?
        .says(&["package iptables-persistent: iptables-persistent: installed -> absent"])?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])
}
