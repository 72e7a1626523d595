//! The registry, and what follows from answers.

use super::answer::{AttackRun, Inspection, Running};
use super::claims::Policy;
use super::spec::Actor;
use super::*;
use crate::config::egress::Allowed;
use crate::config::network::EgressMode;
use crate::config::settings::{Role, SshAlgorithms};
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
        role: Role::Agent,
        own_address: Some([198, 51, 100, 10].into()),
        ssh_port: 22,
        inbound: Vec::new(),
        admin: "ops".into(),
        mode,
        enforce: true,
        allowed: allowed.to_vec(),
        sink: [[192, 0, 2, 1].into(), [0x100, 0, 0, 0, 0, 0, 0, 1_u16].into()],
        sees_hello: true,
        proxy: 10054,
        resolver_addr: [127, 0, 2, 53].into(),
        platforms: Vec::new(),
        release: "/opt/hermes/releases/0".into(),
        tree: "0".into(),
        memory: Some(2 << 30),
        disk: Some(4 << 30),
        tasks: 512,
        vault: None,
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
        "backup",
        "drill",
        "notice",
        "incident",
        "vault",
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
    Evidence { answer, plan: Plan::default(), scan: Scan::Made { open: [22].into(), closed: BTreeSet::new() } }
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
    for (_, book) in crate::playbook::Sources::embedded().books(Role::Agent) {
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

mod checks;
