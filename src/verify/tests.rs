//! The registry, and what follows from answers.

use super::answer::{AttackRun, Beside, FoundSecrets, Inspection, Knocks, Records, Running, UnitLimits};
use super::call::{Call, PathCall};
use super::claims::Policy;
use super::spec::Actor;
use super::*;
use crate::config::egress::Allowed;
use crate::config::settings::{EgressMode, SshAlgorithms};
use crate::plan::Plan;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// As `petasos init` makes it, with an allow-list.
pub fn policy() -> Policy {
    let limit = json!({ "count": 30, "seconds": 3600 });
    let policy = json!({
        "approve": {
            "mode": "allowlist", "allow": ["git status", "rg *"], "deny": ["sudo *"], "unlisted": "refuse",
            "compound": "refuse", "tools": ["terminal"],
        },
        "rate": { "platforms": {}, "default": limit, "webhook_route": limit, "model_calls": null, "reply": "later" },
        "sandbox": { "enabled": true, "network": "none" },
    });
    serde_json::from_value(policy).unwrap()
}

pub fn claims(mode: EgressMode) -> Claims {
    let allowed = ["github.com", "openrouter.ai"].map(|name| Allowed::try_from(name.to_owned()).unwrap());
    Claims {
        own_address: Some([198, 51, 100, 10].into()),
        ssh_port: 22,
        inbound: Vec::new(),
        admin: "ops".into(),
        mode,
        enforce: true,
        allowed: allowed.to_vec(),
        sink: [[192, 0, 2, 1].into(), [0x100, 0, 0, 0, 0, 0, 0, 1_u16].into()],
        proxy: 10054,
        resolver_addr: [127, 0, 2, 53].into(),
        platforms: Vec::new(),
        release: "/opt/hermes/releases/0".into(),
        tree: "0".into(),
        memory: Some(2 << 30),
        disk: Some(4 << 30),
        tasks: 512,
        ssh_algorithms: SshAlgorithms::Strict,
        policy: policy(),
        full: false,
    }
}

/// Of a host on which nothing could be inspected.
fn evidence(agent: Vec<AttackRun>, root: Vec<AttackRun>) -> Evidence {
    let families = [
        "processes",
        "unit",
        "account",
        "security",
        "sshd",
        "doors",
        "open_doors",
        "knocks",
        "offer",
        "open_offer",
        "listeners",
        "limits",
        "records",
        "log_limits",
        "beside",
        "secrets",
        "scripts",
        "room",
        "ufw",
        "release",
        "files",
        "upgrades",
        "helpers",
        "data",
        "policy",
        "verdicts",
        "chain",
        "log",
    ];
    let unseen = json!({ "error": "not seen" });
    let inspected: BTreeMap<&str, _> = families.into_iter().map(|family| (family, unseen.clone())).collect();
    let none = json!({ "runs": [], "complaints": "" });
    let text = json!({
        "agent": none, "root": none, "same": unseen, "inspected": inspected, "survivors": { "root": 0, "agent": 0 },
        "proxied": unseen, "seconds": 1.0,
    });
    let mut answer = Answer::read(&text.to_string()).expect("`families` above has all that is inspected");
    (answer.agent.runs, answer.root.runs) = (agent, root);
    Evidence { answer, plan: Plan::default(), scan: Scan::default() }
}

/// As the attacks of a converged host are answered.
fn refused(claims: &Claims) -> Evidence {
    let run = |id: String, outcome: AttackOutcome| AttackRun { id, outcome, detail: String::new(), seconds: 0.1 };
    let (mut agent, mut root) = (Vec::new(), Vec::new());
    for attack in attacks(claims) {
        let proof = attack.proof();
        let outcome = if proof.is_some() { AttackOutcome::Refused } else { AttackOutcome::Allowed };
        agent.push(run(attack.id, outcome));
        if let Some(proof) = proof {
            let to = if proof.by == Actor::Root { &mut root } else { &mut agent };
            to.push(run(proof.id, AttackOutcome::Allowed));
        }
    }
    evidence(agent, root)
}

#[test]
fn a_group_s_controls_stand_together_and_each_id_once() {
    let ids: BTreeSet<&str> = registry().iter().map(|control| control.id).collect();
    assert_eq!(ids.len(), registry().len());
    let mut groups: Vec<&str> = registry().iter().map(|control| control.group).collect();
    groups.dedup();
    assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), groups.len(), "{groups:?}");
}

/// The handbook has a section for each control, in the same order.
#[test]
fn every_control_is_documented() {
    let page = include_str!("../../docs/controls.md");
    let ids: Vec<&str> = registry().iter().map(|control| control.id).collect();
    let sections = page.lines().filter_map(|line| line.strip_prefix("## "));
    assert_eq!(sections.collect::<Vec<_>>(), ids, "the sections of docs/controls.md, and the registry");
}

#[test]
fn every_attack_has_a_name_of_its_own() {
    for mode in [EgressMode::Names, EgressMode::Ports, EgressMode::Open] {
        let attacks = attacks(&claims(mode));
        let ids: BTreeSet<&str> = attacks.iter().map(|attack| attack.id.as_str()).collect();
        assert_eq!(ids.len(), attacks.len());
    }
}

#[test]
fn without_an_answer_nothing_is_met() {
    for report in judge(&claims(EgressMode::Names), &evidence(Vec::new(), Vec::new())) {
        assert!(
            matches!(report.verdict, ControlStatus::Unobserved | ControlStatus::Planned),
            "{}: {:?}",
            report.id,
            report.verdict
        );
    }
}

#[test]
fn every_single_attack_that_works_is_seen() {
    let claims = claims(EgressMode::Names);
    let evidence = refused(&claims);
    for (at, attack) in attacks(&claims).iter().enumerate() {
        let mut evidence = evidence.clone();
        let good = attack.check(&evidence);
        assert_eq!(good.result, ControlStatus::Met, "{}", attack.id);
        // What must work, and what must not: the other way round.
        let run = evidence.answer.agent.runs.iter_mut().find(|run| run.id == attack.id).unwrap();
        run.outcome =
            if good.expected == AttackOutcome::Allowed { AttackOutcome::Refused } else { AttackOutcome::Allowed };
        assert_eq!(attack.check(&evidence).result, ControlStatus::NotMet, "{at} {}", attack.id);
        let of = |list: Vec<ControlReport>| {
            list.into_iter().filter(|control| control.verdict == ControlStatus::NotMet).count()
        };
        assert_eq!(of(judge(&claims, &evidence)), 1, "{}", attack.id);
    }
}

#[test]
fn a_blind_probe_proves_nothing() {
    let claims = claims(EgressMode::Names);
    for attack in attacks(&claims).iter().filter(|attack| attack.proof().is_some()) {
        let mut evidence = refused(&claims);
        evidence.answer.root.runs.retain(|run| !run.id.starts_with(&attack.id));
        evidence.answer.agent.runs.retain(|run| run.id != format!("{}+", attack.id));
        assert_eq!(attack.check(&evidence).result, ControlStatus::Unobserved, "{}", attack.id);
    }
}

/// A promise that no self-test makes could never be kept.
#[test]
fn every_promise_is_one_of_the_self_test() {
    let selftest = include_str!("../../remote/policy/selftest.py");
    let mut known = selftest.to_owned();
    for part in ["policy", "audit", "redactor"] {
        known.push_str(&selftest.replace("{part}", part));
    }
    let mut count = 0;
    for mode in ["manual", "allowlist"] {
        let mut claims = claims(EgressMode::Names);
        claims.policy.approve.mode = mode.into();
        let mut evidence = refused(&claims);
        evidence.answer.inspected.policy = running(|running| running.record.as_mut().unwrap().selftest.clear());
        for check in judge(&claims, &evidence).iter().flat_map(|report| &report.checks) {
            let Some(promises) = check.detail.strip_prefix("not tried: ") else { continue };
            for promise in promises.split(", ") {
                assert!(known.contains(&format!("\"{promise}\"")), "{}: {promise}", check.id);
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

/// Of a converged host, but for one thing.
fn running(change: impl Fn(&mut Running)) -> Inspection<Running> {
    let record = json!({ "release": "0", "policy": "a", "mode": "allowlist", "sandbox": true, "selftest": ["a"] });
    let argv = ["/opt/hermes/current/venv/bin/python", "-P", "-B", "/usr/lib/petasos/petasos_policy/launch.py", "x"];
    let rate = json!({ "platforms": {}, "default": null, "webhook_route": null, "model_calls": null, "reply": "" });
    let denial = json!({ "seq": 1, "time": "t", "tool": "petasos_selftest", "reason": "r", "rule": "tools" });
    let all = json!({
        "pid": 7, "argv": argv, "seccomp": "2", "digest": "a", "rate": rate, "record": record, "denials": [denial],
    });
    let mut running = serde_json::from_value(all).unwrap();
    change(&mut running);
    Inspection::Found(running)
}

#[test]
fn a_policy_counts_only_in_the_process_that_runs() {
    let result = |change: &dyn Fn(&mut Running)| {
        let mut evidence = evidence(Vec::new(), Vec::new());
        evidence.answer.inspected.policy = running(change);
        record::in_force(&evidence).result
    };
    assert_eq!(result(&|_| ()), ControlStatus::Met);
    let faults: [&dyn Fn(&mut Running); 6] = [
        &|it| it.pid = 0,
        &|it| it.argv[3] = "/opt/hermes/current/venv/bin/hermes".into(),
        &|it| it.argv.truncate(2),
        &|it| it.seccomp = "0".into(),
        &|it| it.record = None,
        &|it| it.digest = "b".into(),
    ];
    for (at, fault) in faults.iter().enumerate() {
        assert_eq!(result(fault), ControlStatus::NotMet, "{at}");
    }
}

#[test]
fn what_is_off_is_not_met() {
    let judged = |change: &dyn Fn(&mut Claims)| -> BTreeMap<String, (ControlStatus, String)> {
        let mut claims = claims(EgressMode::Names);
        change(&mut claims);
        let reports = judge(&claims, &refused(&claims));
        reports.into_iter().map(|report| (report.id, (report.verdict, report.why))).collect()
    };
    let off = judged(&|claims| claims.policy.sandbox.enabled = false);
    assert!(off["sandbox.exec"].0 == ControlStatus::NotMet && off["sandbox.exec"].1.contains("sandbox: off"));
    let off = judged(&|claims| {
        claims.platforms = vec!["telegram".into()];
        claims.policy.rate.platforms.insert("telegram".into(), None);
    });
    assert!(off["multi.rate"].0 == ControlStatus::NotMet && off["multi.rate"].1.contains("telegram"));
    // The API's key is nobody's but the host's.
    let api = judged(&|claims| {
        claims.policy.rate.platforms.insert("api_server".into(), None);
    });
    assert_eq!(api["multi.rate"].0, ControlStatus::Unobserved);
}

#[test]
fn other_modes_are_not_egress_by_name() {
    for mode in [EgressMode::Ports, EgressMode::Open] {
        let claims = claims(mode);
        let reports = judge(&claims, &refused(&claims));
        let egress = reports.iter().find(|report| report.id == "net.egress").unwrap();
        assert_eq!(egress.verdict, ControlStatus::NotMet);
        assert!(egress.why.contains("mode: "), "{}", egress.why);
    }
}

#[test]
fn names_for_questions_are_not_allowed_ones() {
    let mut claims = claims(EgressMode::Names);
    assert_eq!((claims.allowed_name(), claims.foreign_name()), (Some("openrouter.ai"), "example.com"));
    claims.allowed.push(Allowed::try_from("example.com".to_owned()).unwrap());
    assert_eq!(claims.foreign_name(), "example.org");
}

/// The controls that the playbooks' entries name, as YAML has them.
fn named() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (_, book) in crate::playbook::Sources::embedded().books() {
        let entries: Vec<Value> = serde_yaml::from_str(book).unwrap();
        let members = entries.iter().filter_map(|entry| entry["resources"].as_array()).flatten();
        for control in entries.iter().chain(members).map(|entry| &entry["control"]) {
            let list = control.as_array().cloned().unwrap_or_else(|| vec![control.clone()]);
            named.extend(list.iter().filter_map(Value::as_str).flat_map(str::split_whitespace).map(str::to_owned));
        }
    }
    named
}

#[test]
fn every_control_has_an_entry_and_every_entry_its_control() {
    let claims = claims(EgressMode::Names);
    let is_planned = |control: &&Control| matches!((control.short)(&claims), Some((ControlStatus::Planned, _)));
    let planned: BTreeSet<&str> = registry().iter().filter(is_planned).map(|control| control.id).collect();
    let made: BTreeSet<String> =
        registry().iter().map(|control| control.id).filter(|id| !planned.contains(id)).map(str::to_owned).collect();
    // Those to come may have their entries already.
    let named: BTreeSet<String> = named().into_iter().filter(|id| !planned.contains(id.as_str())).collect();
    assert_eq!(named, made, "`control:` in the playbooks, and the controls that are made");
}

/// What drifts fails those controls that it belongs to, and what cannot be observed leaves them
/// open.
#[test]
fn a_drift_is_a_drift_of_its_own_controls() {
    use crate::plan::{Step, Unknown};
    let claims = claims(EgressMode::Names);
    let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let all = of(&["fs.strict", "msg.allow", "approve.mode"]);
    let judged = |plan: Plan| -> Vec<(String, ControlStatus)> {
        let evidence = Evidence { plan, ..evidence(Vec::new(), Vec::new()) };
        let declared = |report: &ControlReport| report.checks.iter().find(|check| check.id == "declared").cloned();
        let reports = judge(&claims, &evidence);
        reports.iter().filter_map(|report| Some((report.id.clone(), declared(report)?.result))).collect()
    };
    let step = Step::of_run("file /etc/hermes/.env", "", crate::resource::Change::new("content", "a", "b", Vec::new()));
    let drift = Step { controls: of(&["msg.allow"]), ..step };
    let unknown = Unknown { id: "x".into(), controls: of(&["approve.mode"]), why: "odd".into() };
    let plan = Plan { steps: vec![drift], unknown: vec![unknown], controls: all, ..Plan::default() };
    let expected = [
        ("fs.strict", ControlStatus::Met),
        ("approve.mode", ControlStatus::Unobserved),
        ("msg.allow", ControlStatus::NotMet),
    ];
    assert_eq!(judged(plan), expected.map(|(id, status)| (id.to_owned(), status)));
    assert!(judged(Plan::default()).is_empty(), "what no entry names is not declared");
}

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
    let offer = |change: &dyn Fn(&mut Vec<(&str, Vec<&str>)>)| -> answer::Offer {
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
    let result = |algorithms, offer: &answer::Offer, open: &answer::Offer| {
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
