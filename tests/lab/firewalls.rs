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
    let more: [Row; 8] = [
        ("off", "rules of a firewall that is off would keep its operator out", off),
        ("filters", "filters of all forms that shut what is declared, and some that do not", foreign),
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
    host.sh(&format!("systemctl -q is-active there || systemd-run -q --unit=there python3 -m http.server {port}"))?;
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

fn off(host: &Host, desk: &Desk) -> Result<()> {
    let me = host.login("root", &[], "echo ${SSH_CONNECTION%% *}")?.ended(0)?.out;
    let me = me.trim();
    for (rule, shown) in [
        ("allow proto tcp from 203.0.113.77 to any port 22", "allow in proto tcp from 203.0.113.77 to any port 22"),
        ("deny from 198.51.100.0/24", "deny in from 198.51.100.0/24 to any"),
    ] {
        host.sh(&format!("ufw {rule}"))?;
        let said = desk.petasos(&["up"])?.ended(1)?;
        said.says(&[shown, &format!("({me})"), "UFW is off", "hint: "])?;
        ensure!(host.holds("! id ops && ufw status | grep -q inactive")?, "something was changed");
        host.sh(&format!("ufw delete {rule}"))?;
    }
    host.sh(&format!("ufw deny from 198.51.100.0/24; ufw prepend allow from {me} to any port 22 proto tcp"))?;
    converges(desk)
}

/// Filters that shut 8443, each with what takes it away.
const SHUT: [(&str, &str); 13] = [
    ("iptables -t raw -A PREROUTING -p tcp --dport 8443 -j DROP", "iptables -t raw -F"),
    (
        "iptables -N FW; iptables -A FW -i lo -j ACCEPT; iptables -A FW -p tcp --dport 22 -j ACCEPT; iptables -A FW -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -A FW -j DROP; iptables -I INPUT -j FW",
        FLUSH,
    ),
    ("iptables -A INPUT -p tcp -m multiport --dports 80,8443 -j DROP", FLUSH),
    ("iptables -A INPUT -p tcp --dport 8000:9000 -j REJECT", FLUSH),
    ("iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -m conntrack --ctstate NEW -j DROP", FLUSH),
    (
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -m conntrack --ctstate NEW ! -i lo -p tcp -j DROP",
        FLUSH,
    ),
    ("iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -p tcp --syn -j DROP", FLUSH),
    (
        "nft 'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy accept; }; add rule inet mine input ct state { established, related } accept; add rule inet mine input iif lo accept; add rule inet mine input tcp dport 22 accept; add rule inet mine input reject with icmpx type admin-prohibited'",
        GONE,
    ),
    (
        "nft 'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy drop; }; add rule inet mine input ct state vmap { established : accept, related : accept, invalid : drop }; add rule inet mine input iif lo accept; add rule inet mine input tcp dport 22 accept'",
        GONE,
    ),
    (
        "nft 'add table inet mine; add chain inet mine world; add rule inet mine world tcp dport 22 accept; add chain inet mine input { type filter hook input priority 0; policy drop; }; add rule inet mine input ct state established accept; add rule inet mine input iifname vmap { lo : accept, eth0 : jump world }'",
        GONE,
    ),
    (
        "nft 'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy drop; }; add rule inet mine input ct state established accept; add rule inet mine input ip saddr 203.0.113.9 tcp dport 8443 accept; add rule inet mine input tcp dport 22 accept'",
        GONE,
    ),
    (
        "nft 'add table ip mine; add chain ip mine pre { type filter hook prerouting priority raw; }; add rule ip mine pre tcp dport 8443 drop'",
        "nft delete table ip mine",
    ),
    (
        "ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT; ip6tables -A INPUT -p tcp -j REJECT --reject-with tcp-reset",
        "ip6tables -F",
    ),
];
const FLUSH: &str = "iptables -F; iptables -X";
const GONE: &str = "nft delete table inet mine";

/// Filters that let 8443 in.
const OPEN: [(&str, &str); 3] = [
    (
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -A INPUT -p tcp --dport 8443 -j ACCEPT; iptables -A INPUT -j REJECT",
        FLUSH,
    ),
    (
        "nft 'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy drop; }; add rule inet mine input ct state established accept; add rule inet mine input tcp dport != { 25, 3306 } accept'",
        GONE,
    ),
    (
        "nft 'add table inet mine; add chain inet mine input { type filter hook input priority 0; policy accept; }; add rule inet mine input tcp flags & (fin|syn|rst|ack) != syn ct state new drop; add rule inet mine input ct state invalid drop; add rule inet mine input tcp dport 8443 limit rate over 100/second drop'",
        GONE,
    ),
];

fn foreign(host: &Host, desk: &Desk) -> Result<()> {
    host.sh("apt-get -qq -y install nftables iptables >/dev/null 2>&1")?;
    desk.edit("petasos.yaml", "admin:", "network: { inbound: [8443/tcp] }\nadmin:")?;
    reached(host, 8443)?;
    for (filter, away) in SHUT {
        host.sh(filter)?;
        // The IPv4 of the host's is dialled, and the kernel is the judge.
        let is_shut =
            std::net::TcpStream::connect_timeout(&(host.address, 8443).into(), Duration::from_secs(1)).is_err();
        ensure!(is_shut || filter.starts_with("ip6tables"), "open: {filter}");
        desk.petasos(&["up"])?.ended(1)?.says(&["`8443/tcp` is declared open, and stays shut", "hint: "])?;
        host.sh(away)?;
    }
    ensure!(host.holds("! id ops")?, "something was changed");
    for (filter, away) in OPEN {
        host.sh(filter)?;
        reached(host, 8443)?;
        let said = desk.petasos(&["plan"])?.ended(2)?;
        ensure!(!said.all().contains("stays shut"), "{filter}: {}", said.all());
        host.sh(away)?;
    }
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
