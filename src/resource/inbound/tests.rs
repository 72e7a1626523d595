use super::*;
use crate::fact::chains;

fn shut_in(tables: &Tables, service: &str) -> Option<Shut> {
    shut(tables, &Service::new(service).expect("a service"), false)
}

/// Tables as `iptables-save` prints them: those of `filter`, or of the one that is named.
fn iptables(text: &str) -> Tables {
    let text = if text.starts_with('*') { text.to_owned() } else { format!("*filter\n:INPUT ACCEPT\n{text}") };
    chains::iptables("iptables", &text.lines().collect::<Vec<_>>())
}

/// A table as `nft list table` prints it.
fn nft(family: &str, text: &str) -> Tables {
    [(format!("nft {family}"), chains::nft(&text.lines().collect::<Vec<_>>()))].into()
}

/// An input chain of nft's.
fn input(policy: &str, rules: &str) -> Tables {
    nft(
        "inet mine",
        &format!(
            "table inet mine {{\n\tchain input {{\n\t\ttype filter hook input priority filter; policy {policy};\n{rules}\n\t}}\n}}"
        ),
    )
}

fn by(tables: &Tables) -> Option<String> {
    shut_in(tables, "8443/tcp")
        .map(|shut| shut.by.map_or("policy".to_owned(), |(chain, rule)| format!("{chain}: {rule}")))
}

const NEW: &str = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p icmp -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n";

#[test]
fn rules_of_iptables_that_shut_the_port() {
    for (rules, rule) in [
        (
            "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
            "INPUT: -j REJECT --reject-with icmp-host-prohibited",
        ),
        (
            "-A INPUT -p tcp -m multiport --dports 80,8443 -j DROP",
            "INPUT: -p tcp -m multiport --dports 80,8443 -j DROP",
        ),
        ("-A INPUT -p tcp -m tcp --dport 8000:9000 -j REJECT", "INPUT: -p tcp -m tcp --dport 8000:9000 -j REJECT"),
        ("-A INPUT -m conntrack --ctstate NEW -j DROP", "INPUT: -m conntrack --ctstate NEW -j DROP"),
        ("-A INPUT -m state --state INVALID,NEW -j DROP", "INPUT: -m state --state INVALID,NEW -j DROP"),
        ("-A INPUT ! -i lo -p tcp -j DROP", "INPUT: ! -i lo -p tcp -j DROP"),
        ("-A INPUT -p tcp -m tcp ! --dport 22 -j DROP", "INPUT: -p tcp -m tcp ! --dport 22 -j DROP"),
        (
            "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
            "INPUT: -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
        ),
        (
            "-A INPUT -m comment --comment \"not -j ACCEPT\" -j DROP",
            "INPUT: -m comment --comment \"not -j ACCEPT\" -j DROP",
        ),
        (":FW - [0:0]\n-A INPUT -j FW\n-A FW -p tcp -m tcp --dport 443 -j ACCEPT\n-A FW -j DROP", "FW: -j DROP"),
        (":FW - [0:0]\n-A INPUT -g FW\n-A INPUT -p tcp -j ACCEPT\n-A FW -j DROP", "FW: -j DROP"),
        ("-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8443 -j ACCEPT\n-A INPUT -j DROP", "INPUT: -j DROP"),
        ("-A INPUT -p tcp -m set --match-set mine src -j ACCEPT\n-A INPUT -j DROP", "INPUT: -j DROP"),
        ("-A INPUT -p tcp -m limit --limit 1/sec -j DROP\n-A INPUT -j DROP", "INPUT: -j DROP"),
    ] {
        assert_eq!(by(&iptables(&format!("{NEW}{rules}"))).as_deref(), Some(rule), "{rules}");
    }
    let raw = "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 8443 -j DROP";
    let found = shut_in(&iptables(raw), "8443/tcp").expect("it is shut");
    assert_eq!((found.table.as_str(), found.base.as_str()), ("iptables raw", "PREROUTING"));
    assert_eq!(by(&iptables("*mangle\n:INPUT DROP\n:PREROUTING ACCEPT\n")).as_deref(), Some("policy"));
}

#[test]
fn rules_of_iptables_that_do_not() {
    for rules in [
        "",
        "-A INPUT -p tcp -m tcp --dport 8443 -j ACCEPT\n-A INPUT -j REJECT",
        "-A INPUT -p tcp -m tcp --sport 1024:65535 --dport 8443 -m state --state NEW -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT -p tcp -m multiport --dports 80,8000:9000 -m comment --comment web -j ACCEPT\n-A INPUT -j DROP",
        // What cannot be told.
        "-A INPUT -i eth1 -j DROP\n-A INPUT -d 192.0.2.1/32 -j DROP\n-A INPUT -m geoip --source-country XX -j DROP",
        "-A INPUT -m recent --rcheck --name knocked --rsource -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT -p tcp -m limit --limit 25/min -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT -p tcp -m set --match-set ports dst -j ACCEPT\n-A INPUT -j DROP",
        "-A INPUT ! -s 10.0.0.0/8 -j DROP",
        ":FW - [0:0]\n-A INPUT -j FW\n-A FW -m geoip --source-country XX -j RETURN\n-A FW -j DROP",
        ":FW - [0:0]\n-A INPUT -i eth1 -j FW\n-A FW -j DROP",
        "-A INPUT -j UNHEARD\n-A INPUT -j DROP",
        "-A INPUT -p tcp -m tcp --dport 8443 -j NFQUEUE --queue-num 1\n-A INPUT -j DROP",
        // Others' packets.
        "-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP",
        "-A INPUT -m addrtype --dst-type BROADCAST -j DROP\n-A INPUT -d 224.0.0.0/4 -j DROP\n-A INPUT -f -j DROP",
        "-A INPUT -p udp -j REJECT\n-A INPUT -p 17 -j DROP\n-A INPUT -p tcp -m tcp --dport 3306 -j DROP",
        "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP",
        // fail2ban, libvirt, Docker.
        ":f2b-sshd - [0:0]\n-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A f2b-sshd -s 203.0.113.5/32 -j REJECT\n-A f2b-sshd -j RETURN",
        ":LIBVIRT_INP - [0:0]\n-A INPUT -j LIBVIRT_INP\n-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT",
        ":DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n-A DOCKER ! -i docker0 -o docker0 -j DROP\n-A DOCKER-USER -j RETURN",
        // UFW that is off left its hooks behind.
        "-A INPUT -j ufw-before-logging-input\n-A INPUT -j ufw-before-input",
    ] {
        assert_eq!(by(&iptables(&format!("{NEW}{rules}"))), None, "{rules}");
    }
    // UFW's policy is UFW's; what it hands on does not come.
    assert_eq!(by(&iptables("*filter\n:INPUT DROP\n-A INPUT -i lo -j ACCEPT")), None);
    let after = iptables("-A INPUT -j ufw-before-input\n-A INPUT -j DROP");
    let service = Service::new("8443/tcp").expect("a service");
    assert_eq!((shut(&after, &service, true), shut(&after, &service, false).is_some()), (None, true));
    // A container's port is not this host's.
    let nat = "*nat\n:PREROUTING ACCEPT\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:80\n*filter\n:INPUT ACCEPT\n-A INPUT -j DROP";
    assert_eq!(by(&iptables(nat)), None);
    assert!(shut_in(&iptables(nat), "8444/tcp").is_some());
}

#[test]
fn input_chains_of_nft_that_shut_the_port() {
    for (policy, rules, rule) in [
        (
            "accept",
            "ct state established,related accept\niif \"lo\" accept\ntcp dport 22 accept\nreject with icmpx admin-prohibited",
            "input: reject with icmpx admin-prohibited",
        ),
        (
            "accept",
            "tcp dport { 22, 80-90 } accept\nip protocol icmp accept\ncounter drop comment \"accept\"",
            "input: counter drop comment \"accept\"",
        ),
        (
            "drop",
            "ct state vmap { invalid : drop, established : accept, related : accept }\niifname \"lo\" accept\ntcp dport 22 accept",
            "policy",
        ),
        (
            "drop",
            "iifname vmap { \"lo\" : accept, \"virbr0\" : return }\ntcp dport vmap { 22 : accept, 80-90 : accept }",
            "policy",
        ),
        ("drop", "tcp dport 22 accept\nip saddr 10.0.0.0/8 tcp dport 8443 accept", "policy"),
        ("drop", "ip saddr @friends accept\nip saddr . tcp dport { 192.0.2.1 . 8443 } accept", "policy"),
        (
            "drop",
            "ip6 nexthdr ipv6-icmp accept\nmeta l4proto udp accept\nicmp type echo-request limit rate 5/second burst 5 packets accept",
            "policy",
        ),
        (
            "drop",
            "log prefix \"in { accept \" flags tcp sequence,options\ncounter packets 1 bytes 2\nmeta mark set 0x1",
            "policy",
        ),
        (
            "accept",
            "tcp dport != { 22, 80 } log prefix \"no\" level warn counter drop",
            "input: tcp dport != { 22, 80 } log prefix \"no\" level warn counter drop",
        ),
        (
            "accept",
            "meta l4proto { tcp, udp } th dport 8443 reject",
            "input: meta l4proto { tcp, udp } th dport 8443 reject",
        ),
        ("accept", "tcp dport 8443 add @seen { ip saddr } drop", "input: tcp dport 8443 add @seen { ip saddr } drop"),
        ("accept", "tcp flags syn / fin,syn,rst,ack drop", "input: tcp flags syn / fin,syn,rst,ack drop"),
        ("accept", "tcp dport { 1, 2,\n\t\t\t8443 } drop", "input: tcp dport { 1, 2, 8443 } drop"),
    ] {
        assert_eq!(by(&input(policy, rules)).as_deref(), Some(rule), "{rules}");
    }
    let jump = "table inet mine {\n\tset friends {\n\t\ttype ipv4_addr\n\t}\n\n\tchain world {\n\t\ttcp dport { 22, 443 } accept\n\t}\n\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tjump world\n\t\tmeta protocol vmap { ip : jump world, ip6 : jump world }\n\t}\n}";
    assert_eq!(by(&nft("inet mine", jump)).as_deref(), Some("policy"));
    let zones = "table inet firewalld {\n\tchain filter_INPUT {\n\t\ttype filter hook input priority filter + 10; policy accept;\n\t\tct state { established, related } accept\n\t\tct status dnat accept\n\t\tiifname \"lo\" accept\n\t\tct state invalid drop\n\t\tjump zones\n\t\treject with icmpx admin-prohibited\n\t}\n\n\tchain zones {\n\t\tiifname \"eth0\" goto public\n\t\tgoto public\n\t}\n\n\tchain public {\n\t\tjump allow\n\t\tmeta l4proto { icmp, ipv6-icmp } accept\n\t\treject with icmpx admin-prohibited\n\t}\n\n\tchain allow {\n\t\ttcp dport 22 accept\n\t\tip6 daddr fe80::/64 udp dport 546 accept\n\t}\n}";
    assert_eq!(by(&nft("inet firewalld", zones)).as_deref(), Some("public: reject with icmpx admin-prohibited"));
    assert_eq!(by(&nft("inet firewalld", &zones.replace("dport 22", "dport 8443"))), None);
    let early = "table ip mine {\n\tchain early {\n\t\ttype filter hook prerouting priority raw; policy accept;\n\t\ttcp dport 8443 drop\n\t}\n\n\tchain out {\n\t\ttype filter hook output priority filter; policy drop;\n\t}\n}";
    assert_eq!(by(&nft("ip mine", early)).as_deref(), Some("early: tcp dport 8443 drop"));
}

#[test]
fn input_chains_of_nft_that_do_not() {
    for (policy, rules) in [
        ("drop", "tcp dport != { 25, 3306 } accept"),
        ("drop", "tcp dport { 22, 8000-9000 } ct state new accept\nreject"),
        ("drop", "tcp dport @ports accept"),
        ("drop", "tcp dport vmap @verdicts"),
        ("drop", "iifname \"eth0\" accept"),
        ("drop", "meta l4proto tcp accept"),
        ("drop", "ip saddr != 203.0.113.0/24 accept\nip6 saddr ::/0 accept"),
        ("drop", "ct state new limit rate 10/second accept"),
        ("drop", "tcp dport 8443 add @seen { ip saddr } accept"),
        ("drop", "queue to 0"),
        ("drop", "jump elsewhere"),
        ("drop", "@th,16,16 8443 accept"),
        ("accept", "ct state vmap { invalid : drop, established : accept }\nct state invalid drop"),
        ("accept", "tcp flags & (fin | syn | rst | ack) != syn ct state new counter drop"),
        ("accept", "tcp flags != syn / fin,syn,rst,ack ct state new drop"),
        ("accept", "tcp flags fin,syn / fin,syn drop\ntcp flags ack / fin,ack drop"),
        ("accept", "tcp dport 8443 limit rate over 10/minute burst 5 packets drop"),
        (
            "accept",
            "tcp dport 8443 ct state new update @flood { ip saddr limit rate over 10/minute burst 5 packets } drop",
        ),
        ("accept", "tcp dport 8443 ct count over 100 reject"),
        (
            "accept",
            "ip saddr @banned drop\nip saddr 203.0.113.0/24 drop\nip daddr 224.0.0.0/4 drop\nfib daddr type { broadcast, multicast } drop",
        ),
        ("accept", "fib saddr . iif oif missing drop"),
        (
            "accept",
            "udp dport 8443 drop\ntcp dport 3306 drop\ntcp sport 1-1023 drop\nmeta pkttype { broadcast, multicast } drop",
        ),
        ("accept", "iifname \"eth1\" drop\nmeta mark 0x00000001 drop\nmeta nfproto ipv4 ip ttl 1 drop"),
    ] {
        assert_eq!(by(&input(policy, rules)), None, "{rules}");
    }
    let moved = "table ip mine {\n\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\ttcp dport 8443 redirect to :443\n\t}\n\n\tchain in {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}";
    assert_eq!(by(&nft("ip mine", moved)), None);
}
