//! What sshd agrees to with a client: its own first message to one.

use super::Claims;
use super::answer::Offer;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use crate::config::settings::SshAlgorithms;

const STRICT: [&str; 2] = ["mlkem768x25519-sha256", "sntrup761x25519-sha512"];
const COMPATIBLE: [&str; 3] = ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"];
/// What `templates/base/sshd.conf.tera` has beside the exchange of keys.
const OTHERS: [(&str, &[&str]); 3] = [
    ("hostkeyalgorithms", &["ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512", "rsa-sha2-256"]),
    ("ciphers", &["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"]),
    ("macs", &["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"]),
];

/// Whether it takes none that petasos.yaml does not name.
pub fn offered(claims: &Claims, evidence: &Evidence) -> Check {
    let found = evidence.inspected().offer.found().map(|offer| {
        let others = unwanted(claims, offer);
        let exchange = || offer.get("kexalgorithms").map_or(String::new(), |names| names.join(", "));
        match others.as_slice() {
            [] => (true, exchange()),
            others => (false, others.join(", ")),
        }
    });
    let mut check = inspection("ssh.algorithms", "what the running daemon agrees to", found);
    let open = evidence.inspected().open_offer.found();
    let sees = open.clone().map(|offer| unwanted(claims, offer));
    let is_seen = sees.as_ref().is_ok_and(|names| names.iter().any(|name| name.ends_with("group14-sha1")));
    check.control = Some(PositiveResult {
        what: "the same at a server started for this one connection, which offers an old exchange of keys".to_owned(),
        outcome: if is_seen { AttackOutcome::Allowed } else { AttackOutcome::Error },
        detail: sees.map_or_else(|why| why.to_string(), |names| names.join(", ")),
    });
    if !is_seen && check.result == ControlStatus::Met {
        check.result = ControlStatus::Unobserved;
    }
    check
}

fn unwanted(claims: &Claims, offer: &Offer) -> Vec<String> {
    let is_exchange = |name: &str| {
        // Not algorithms: what the protocol has besides.
        name.starts_with("ext-info-")
            || name.starts_with("kex-strict-")
            || STRICT.contains(&name.trim_end_matches("@openssh.com"))
            || (claims.ssh_algorithms == SshAlgorithms::Compatible && COMPATIBLE.contains(&name))
    };
    let is_wanted = |kind: &str, name: &str| match OTHERS.iter().find(|(other, _)| *other == kind) {
        Some((_, names)) => names.contains(&name),
        None => is_exchange(name),
    };
    let named = |(kind, names): (&String, &Vec<String>)| {
        names.iter().filter(|name| !is_wanted(kind, name)).map(|name| format!("{kind} {name}")).collect::<Vec<_>>()
    };
    let mut found: Vec<String> = offer.iter().flat_map(named).collect();
    // A list that is not there is not sound, either.
    for kind in ["kexalgorithms", "hostkeyalgorithms", "ciphers", "macs"] {
        if offer.get(kind).is_none_or(Vec::is_empty) {
            found.push(format!("no {kind}"));
        }
    }
    found
}
