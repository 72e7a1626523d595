//! Single checks, each on a host of which nothing else is known.

use super::super::answer::{Beside, FoundSecrets, Inspection, Knocks, Offer, Records, UnitLimits};
use super::super::call::{Call, PathCall};
use super::*;

/// The verdict of a check on a host of which nothing else is known.
fn result_of(id: &str, claims: &Claims, change: impl Fn(&mut answer::Inspected)) -> ControlStatus {
    let mut evidence = evidence(Vec::new(), Vec::new());
    change(&mut evidence.answer.inspected);
    let reports = judge(claims, &evidence);
    reports.iter().flat_map(|report| &report.checks).find(|check| check.id == id).unwrap().result
}

#[test]
fn a_limit_is_a_number_and_no_larger_than_declared() {
    use ControlStatus::{Met, NotMet};
    let mut claims = claims(EgressMode::Names);
    let result = |claims: &Claims, [memory, tasks]: [&str; 2], kernel: [Option<&str>; 2]| {
        let [kernel_memory, kernel_tasks] = kernel.map(|text| text.map(str::to_owned));
        let found = UnitLimits { memory: memory.into(), tasks: tasks.into(), kernel_memory, kernel_tasks };
        result_of("user.limits", claims, |it| it.limits = Inspection::Found(found.clone()))
    };
    let both = ["2147483648", "512"];
    assert_eq!(result(&claims, both, [None, None]), Met);
    assert_eq!(result(&claims, both, [Some("2147483648"), Some("512")]), Met);
    for (systemd, kernel) in [
        (["infinity", "512"], [None, None]),
        (["2147483648", "infinity"], [None, None]),
        (["2147483649", "512"], [None, None]),
        (["2147483648", "513"], [None, None]),
        (["", ""], [None, None]),
        (both, [Some("max"), Some("512")]),
        (both, [Some("2147483648"), Some("max")]),
    ] {
        assert_eq!(result(&claims, systemd, kernel), NotMet, "{systemd:?} {kernel:?}");
    }
    // `memory: 50%`: whatever systemd makes of it is a number.
    claims.memory = None;
    assert_eq!(result(&claims, ["99999999999", "512"], [None, None]), Met);
    assert_eq!(result(&claims, ["infinity", "512"], [None, None]), NotMet);
}

#[test]
fn the_data_has_an_end_where_one_is_declared() {
    let claims = claims(EgressMode::Names);
    let result = |room| result_of("fs.disk", &claims, |it| it.room = Inspection::Found(room));
    assert_eq!(result(Some(4 << 30)), ControlStatus::Met);
    assert_eq!(result(Some((4 << 30) + 1)), ControlStatus::NotMet);
    assert_eq!(result(None), ControlStatus::NotMet);
    let off = Claims { disk: None, ..claims.clone() };
    let reports = judge(&off, &evidence(Vec::new(), Vec::new()));
    assert!(reports.iter().flat_map(|report| &report.checks).all(|check| check.id != "fs.disk"));
}

#[test]
fn the_agent_has_a_part_of_the_kernel_s_records() {
    let result = |most, room| {
        let claims = claims(EgressMode::Names);
        result_of("egress.records", &claims, |it| it.records = Inspection::Found(Records { most, room }))
    };
    assert_eq!(result(Some(4096), Some(262_144)), ControlStatus::Met);
    assert_eq!(result(Some(4096), None), ControlStatus::Met);
    assert_eq!(result(Some(4096), Some(8192)), ControlStatus::NotMet);
    assert_eq!(result(None, Some(262_144)), ControlStatus::NotMet);
}

#[test]
fn what_the_agent_drives_has_a_limit_in_the_journal() {
    let result = |lines, time| {
        let limits: BTreeMap<_, _> =
            [("a.service".to_owned(), (500, 30_000_000)), ("b.service".into(), (lines, time))].into();
        let claims = claims(EgressMode::Names);
        result_of("patched.washing", &claims, |it| it.log_limits = Inspection::Found(limits.clone()))
    };
    assert_eq!(result(5000, 30_000_000), ControlStatus::Met);
    for (lines, time) in [(0, 0), (0, 30_000_000), (5000, 0), (10_000, 30_000_000)] {
        assert_eq!(result(lines, time), ControlStatus::NotMet, "{lines} {time}");
    }
}

#[test]
fn a_place_for_others_is_left_by_the_running_daemon() {
    let result = |greeted, another| {
        let knocks = Knocks { tried: 16, greeted, another };
        result_of("ssh.held", &claims(EgressMode::Names), |it| it.knocks = Inspection::Found(knocks.clone()))
    };
    assert_eq!(result(10, true), ControlStatus::Met);
    assert_eq!(result(11, true), ControlStatus::NotMet);
    assert_eq!(result(10, false), ControlStatus::NotMet);
    assert_eq!(result(0, false), ControlStatus::Unobserved);
}

#[test]
fn sshd_agrees_to_what_is_declared() {
    type Lists = Vec<(&'static str, Vec<&'static str>)>;
    let offer = |change: &dyn Fn(&mut Lists)| -> Offer {
        let mut lists = vec![
            ("kexalgorithms", vec!["sntrup761x25519-sha512@openssh.com", "ext-info-s", "kex-strict-s-v00@openssh.com"]),
            ("hostkeyalgorithms", vec!["ssh-ed25519"]),
            ("ciphers", vec!["aes256-ctr"]),
            ("macs", vec!["hmac-sha2-256-etm@openssh.com"]),
        ];
        change(&mut lists);
        lists
            .into_iter()
            .map(|(kind, names)| (kind.to_owned(), names.into_iter().map(str::to_owned).collect()))
            .collect()
    };
    let old = offer(&|lists| lists[0].1.push("diffie-hellman-group14-sha1"));
    let result = |algorithms, offer: &Offer, open: &Offer| {
        let claims = Claims { ssh_algorithms: algorithms, ..claims(EgressMode::Names) };
        result_of("ssh.algorithms", &claims, |it| {
            (it.offer, it.open_offer) = (Inspection::Found(offer.clone()), Inspection::Found(open.clone()));
        })
    };
    let (strict, compatible) = (SshAlgorithms::Strict, SshAlgorithms::Compatible);
    let good = offer(&|_| ());
    assert_eq!(result(strict, &good, &old), ControlStatus::Met);
    // The control sees nothing.
    assert_eq!(result(strict, &good, &good), ControlStatus::Unobserved);
    let usual = offer(&|lists| lists[0].1.push("curve25519-sha256"));
    assert_eq!(result(strict, &usual, &old), ControlStatus::NotMet);
    assert_eq!(result(compatible, &usual, &old), ControlStatus::Met);
    for (at, name) in [(0, "diffie-hellman-group14-sha1"), (1, "ssh-rsa"), (2, "aes128-cbc"), (3, "hmac-sha1")] {
        assert_eq!(result(compatible, &offer(&|lists| lists[at].1.push(name)), &old), ControlStatus::NotMet, "{name}");
        assert_eq!(result(strict, &offer(&|lists| lists[at].1.clear()), &old), ControlStatus::NotMet, "no {at}");
    }
}

#[test]
fn a_look_into_the_agent_is_seen_where_one_can_see() {
    let result = |agent: &[&str], neighbour: &[&str]| {
        let [agent, neighbour] = [agent, neighbour].map(|parts| parts.iter().map(|part| (*part).to_owned()).collect());
        let beside = Beside { agent, neighbour };
        result_of("redact.memory", &claims(EgressMode::Names), |it| it.beside = Inspection::Found(beside.clone()))
    };
    assert_eq!(result(&[], &["environ", "fd"]), ControlStatus::Met);
    assert_eq!(result(&["fd"], &["environ", "fd"]), ControlStatus::NotMet);
    assert_eq!(result(&[], &[]), ControlStatus::Unobserved);
}

/// Each place that is covered is tried to be replaced.
#[test]
fn every_covered_place_is_attacked() {
    let tried: BTreeSet<String> = attacks(&claims(EgressMode::Names))
        .iter()
        .filter_map(|attack| match &attack.call {
            Call::AnyOf { name: PathCall::Replace, paths } => Some(paths.iter()),
            _ => None,
        })
        .flatten()
        .filter_map(|path| path.strip_prefix("/home/hermes/.hermes/").map(str::to_owned))
        .collect();
    let covered = crate::places::covered(true).into_iter().map(str::to_owned).collect();
    assert_eq!(tried, covered);
}

#[test]
fn a_secret_elsewhere_is_found_where_there_is_one_to_look_for() {
    let result = |known, places: &[&str]| {
        let elsewhere: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
        result_of("redact.elsewhere", &claims(EgressMode::Names), |it| {
            it.secrets = Inspection::Found(FoundSecrets { known, elsewhere: elsewhere.clone() });
        })
    };
    assert_eq!(result(2, &[]), ControlStatus::Met);
    assert_eq!(result(2, &["A_KEY in /etc/hermes/.env"]), ControlStatus::NotMet);
    assert_eq!(result(0, &[]), ControlStatus::Unobserved);
}
