//! What daemons and the kernel say of themselves, parsed from the same captures as in
//! tests/facts.rs: sshd, ufw, nft.
mod common_facts;

use common_facts::{account, each};
use petasos::fact::Seen;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn sshd() {
    each(
        |state, facts| {
            let sshd = facts.sshd.as_ref().and_then(Seen::is).expect(state);
            let effective = |user: &str, key: &str| sshd.effective[&account(user)][key].clone();
            let line = |file: &str, keyword: &str| {
                let line = sshd.lines.iter().find(|line| line.file.ends_with(file) && line.keyword == keyword);
                line.map(|line| (line.value.as_str(), line.matched))
            };
            assert_eq!(effective("root", "port"), "22");
            assert_eq!(line("/sshd_config", "include"), Some(("/etc/ssh/sshd_config.d/*.conf", false)), "{state}");
            assert_eq!(line("/50-cloud-init.conf", "passwordauthentication"), Some(("yes", false)), "{state}");
            let passwords = if state.contains("converged") { "no" } else { "yes" };
            assert_eq!(effective("ops", "passwordauthentication"), passwords, "{state}");
            if state.contains("odd") {
                assert_eq!(line("/10-odd.conf", "passwordauthentication"), Some(("yes", false)));
                assert_eq!(line("/10-odd.conf", "permitrootlogin"), Some(("yes", false)));
                assert_eq!(line("/10-odd.conf", "permitemptypasswords"), None, "a comment");
                assert_eq!(line("/10-odd.conf", "x11forwarding"), Some(("yes", true)));
                assert_eq!(line("/10-odd.conf", "maxauthtries"), Some(("9", true)));
                assert_eq!(effective("root", "permitrootlogin"), "yes");
                assert_eq!(
                    (effective("ops", "maxauthtries"), effective("root", "maxauthtries")),
                    ("9".into(), "9".into())
                );
            }
        },
        &[],
    );
}

#[test]
fn ufw() {
    each(
        |state, facts| {
            let seen = facts.ufw.as_ref().expect(state);
            let ufw = seen.is().expect(state);
            if state.contains("fresh") {
                // It is not installed, and nobody else filters anything.
                let nothing = (ufw.tuples.len(), ufw.defaults.len(), ufw.others.len());
                return assert_eq!((ufw.enabled, nothing), (false, (0, 0, 0)), "{state}");
            }
            assert!(ufw.enabled && ufw.v4.hooked && ufw.v6.hooked, "{state}");
            assert_eq!((ufw.v4.policy.as_str(), ufw.v6.policy.as_str()), ("DROP", "DROP"), "{state}");
            for table in ["iptables filter", "ip6tables filter"] {
                let input = &ufw.others[table]["INPUT"];
                assert_eq!((input.hook.as_str(), input.policy.as_str()), ("input", "drop"), "{state}");
                assert!(input.rules.iter().all(|rule| rule.starts_with("-j ufw")), "{state}: {:?}", input.rules);
            }
            let defaults: BTreeMap<&str, &str> =
                ufw.defaults.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            assert_eq!((defaults["DEFAULT_INPUT_POLICY"], defaults["IPV6"]), ("drop", "yes"), "{state}");
            let has =
                |tuple: &str| assert!(ufw.tuples.iter().any(|is| is == tuple), "{state}: {tuple}: {:?}", ufw.tuples);
            if state.contains("odd") {
                has("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=6b656570206f70656e");
                has("limit tcp 443 ::/0 any ::/0 in");
                has("allow udp 9090 0.0.0.0/0 any 0.0.0.0/0 Odd%20App - in");
                has("deny any any 0.0.0.0/0 any 203.0.113.66 in");
                assert_eq!(
                    ufw.v4.input.first().map(String::as_str),
                    Some("-p tcp -m tcp --dport 2323 -j ACCEPT"),
                    "{state}"
                );
                assert!(ufw.v4.input.contains(&"-s 203.0.113.66/32 -j DROP".to_owned()) && ufw.v6.input.is_empty());
            } else {
                let ports = ["22"];
                let rules: BTreeSet<String> =
                    ports.map(|port| format!("-p tcp -m tcp --dport {port} -j ACCEPT")).into();
                assert_eq!(ufw.v4.input.iter().cloned().collect::<BTreeSet<_>>(), rules, "{state}");
                assert_eq!(ufw.v6.input.iter().cloned().collect::<BTreeSet<_>>(), rules, "{state}");
                assert_eq!(ufw.tuples.len(), 2, "{state}: one port, two families");
                has("allow tcp 22 ::/0 any ::/0 in");
            }
        },
        &[],
    );
}

#[test]
fn tables() {
    each(
        |state, facts| {
            if state.contains("fresh") {
                return assert!(facts.tables.values().all(|seen| *seen == Seen::Absent), "{state}: there is no nft");
            }
            let table = |name: &str| facts.tables[name].is().unwrap_or_else(|| panic!("{state}: {name}"));
            assert_eq!((table("inet none").live.len(), &table("inet none").wanted), (0, &None), "{state}");
            if state.contains("odd") {
                let (odd, other) = (table("inet odd"), table("inet other"));
                assert!(odd.wanted.is_none(), "{state}: its file does not load");
                assert!(
                    odd.live.iter().any(|line| line.trim() == "ip daddr 192.0.2.1 counter name \"c\" drop"),
                    "{:?}",
                    odd.live
                );
                assert!(odd.live.iter().all(|line| !line.contains("packets")), "{state}: counts are left out");
                let last = |lines: &[String]| lines.get(2).map(|line| line.trim().to_owned());
                assert_eq!(
                    (last(&other.live), last(other.wanted.as_ref().expect(state))),
                    (Some("accept".into()), Some("drop".into()))
                );
            } else {
                let ours = table("inet petasos");
                assert!(ours.live.len() > 5 && ours.wanted.as_ref() == Some(&ours.live), "{state}: {ours:?}");
            }
        },
        &[],
    );
}
