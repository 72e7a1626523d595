//! `petasos verify` on a real host: met where it should be, each control seen to fail once, and
//! nothing changed by it.
//!
//! `--full` makes the outward attacks as root too: every address they go to is the lab's own.

use super::breaks::{self, Break, script};
use super::harness::{Desk, Host, Once, Said, Shared, converged, ignored, shared, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use petasos::places::covered;
use petasos::verify::registry;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::MutexGuard;

/// The controls that this version does not set up; SECURITY.md says how many.
const NOT_YET: usize = 6;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("verify::a converged host is proved, and not changed by it", proved),
        trial("verify::on a user's host no control leaves it", modest),
        trial("verify::a host that was never set up", never),
        trial("verify::whatever is planted in the agent's data is named", planted),
    ];
    let seen = |one: &'static Break| {
        let trial = trial(&format!("verify::seen: {}", one.name), move || seen(one));
        if one.long {
            ignored(trial, "other breaks show the same controls to fail; each takes some 15 s")
        } else {
            trial
        }
    };
    trials.extend(breaks::all().map(seen));
    trials.push(trial("verify::other ways out are said to be other", other_modes));
    trials.push(trial("verify::a converged host is proved, bookworm", bookworm));
    trials
}

/// The one host of this table, for one test at a time.
fn ours() -> Result<MutexGuard<'static, Shared>> {
    static OURS: Once<Shared> = Once::new();
    OURS.get(|| {
        let proved = converged("proved", "trixie")?;
        let yaml = proved.desk.read("petasos.yaml")?;
        let allow = "network: { egress: { allow: [\"*.wild.example.net\"] } }\n";
        proved.desk.write("petasos.yaml", &format!("{yaml}{allow}"))?;
        proved.desk.petasos(&["up"])?.ended(0)?;
        Ok(proved)
    })
}

fn report(said: &Said) -> Result<Value> {
    let report: Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
    report.pointer("/hosts/0").cloned().with_context(|| said.all())
}

fn list<'a>(of: &'a Value, key: &str) -> Vec<&'a Value> {
    of.get(key).and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn word<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The ids of the controls with a verdict.
fn controls(host: &Value, verdict: &str) -> BTreeSet<String> {
    list(host, "controls")
        .iter()
        .filter(|it| word(it, "verdict") == verdict)
        .map(|it| word(it, "id").to_owned())
        .collect()
}

fn checks(host: &Value) -> Vec<&Value> {
    list(host, "controls").into_iter().flat_map(|control| list(control, "checks")).collect()
}

fn failing(host: &Value) -> BTreeSet<String> {
    checks(host).iter().filter(|it| word(it, "result") == "not_met").map(|it| word(it, "id").to_owned()).collect()
}

/// All that a host holds: names, owners, modes and sizes everywhere, and the contents of /etc. The
/// running agent's data and the logs are others' to write, and the mount points of the sandbox's
/// root systemd makes for the first command.
const STATE: &str = r#"
find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /var/log -o -path '/home/hermes/.hermes' -o -path '/var/lib/petasos-sandbox/root/*' -o -path /var/lib/systemd/timers \
	-o -path /tmp/systemd-private-\* -o -path /var/tmp/systemd-private-\* \) -prune -o -printf '%p %U %G %m %s %l\n'
find /etc -type f -exec sha256sum {} +
find /home/hermes/.hermes -printf '%p %U %m\n'
nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'
iptables-save | grep -v -e '^#' -e '^:'
systemctl list-units --all --plain --no-legend --type=service | grep petasos-verify || :
pgrep -fa petasos-verif[y] || :
"#;

/// The state of a host whose agent is through with its start.
fn settled(host: &Host) -> Result<String> {
    // The last that it makes, half a minute after its start.
    host.sh("for n in $(seq 60); do [ -e /home/hermes/.hermes/kanban.db.init.lock ] && break; sleep 1; done")?;
    let mut state = host.sh(STATE)?;
    for _ in 0..10 {
        std::thread::sleep(std::time::Duration::from_secs(3));
        let next = host.sh(STATE)?;
        if next == state {
            return Ok(state);
        }
        state = next;
    }
    anyhow::bail!("the host does not come to rest")
}

fn proved() -> Result<()> {
    let Shared { host, desk } = &*ours()?;
    let before = settled(host)?;
    let said = desk.petasos(&["verify", "--json", "--full"])?;
    ensure!(said.code == 0, "{:#?}", summary(&report(&said)?));
    // What the filter noted of root's listeners on loopback is forgotten after ten seconds.
    let after = host.sh(&format!("sleep 11\n{STATE}"))?;
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), after.lines().collect());
    ensure!(before.len() > 10_000, "the state of the host has {} lines only", before.len());
    let changed: Vec<&&str> = before.symmetric_difference(&after).collect();
    ensure!(changed.is_empty(), "verify changed the host: {changed:#?}");
    let found = report(&said)?;
    ensure!(word(&found, "verdict") == "met");
    let met = controls(&found, "met");
    let planned = controls(&found, "planned");
    ensure!(planned.len() == NOT_YET && met.len() + NOT_YET == registry().len(), "{met:?}, and planned: {planned:?}");
    // Every refusal has somebody who was not refused; where there is nothing to attack, not even
    // root found it.
    let mut nothing = Vec::new();
    for check in checks(&found).into_iter().filter(|check| check.get("control").is_some()) {
        let (id, outcome) = (word(check, "id"), word(check, "outcome"));
        match check.pointer("/control/outcome").and_then(Value::as_str) {
            Some("allowed") => ensure!(matches!(outcome, "refused" | "holds"), "{check}"),
            Some("nothing") => nothing.push(id.to_owned()),
            _ => ensure!(false, "{check}"),
        }
    }
    ensure!(nothing.len() <= 8, "too little to attack: {nothing:?}");
    let number = |key: &str| found.get(key).and_then(Value::as_f64).unwrap_or(f64::MAX);
    eprintln!(
        "verify: {:.1} s, {} round trips, {} attacks, {} positive controls, {} checks; nothing to attack: {nothing:?}",
        number("seconds"),
        number("round_trips"),
        number("attacks"),
        number("positive_controls"),
        checks(&found).len(),
    );
    ensure!(number("attacks") >= 110.0 && number("attacks") < 1000.0 && number("round_trips") <= 3.0, "{found}");
    desk.petasos(&["plan"])?.ended(0)?;
    // The same for people, and with all the evidence.
    let text = desk.petasos(&["verify", "--full", "-v"])?.ended(0)?;
    text.says(&[
        "net.egress",
        &all_met(),
        "2 round trips",
        "control: the same, as root: it works",
        "Not yet in this version",
    ])
}

/// As a report counts the controls of a host that has what this version sets up.
fn all_met() -> String {
    format!("{} met, 0 not met", registry().len() - NOT_YET)
}

fn bookworm() -> Result<()> {
    let Shared { desk, .. } = &*shared("bookworm")?;
    desk.petasos(&["verify", "--full"])?.ended(0)?.says(&[&all_met(), "2 round trips"])
}

fn modest() -> Result<()> {
    let Shared { desk, .. } = &*ours()?;
    let said = desk.petasos(&["verify", "--json"])?;
    let found = report(&said)?;
    ensure!(said.code == 0, "{:#?}", summary(&found));
    for check in checks(&found) {
        let id = word(check, "id");
        let outward = ["egress.", "names.", "proxy."].iter().any(|start| id.starts_with(start));
        let inward =
            ["egress.others", "egress.neighbour", "egress.taken", "names.varlink", "names.bus", "egress.helpers"];
        let inward = inward.iter().any(|start| id.starts_with(start));
        let Some(what) = check.pointer("/control/what").and_then(Value::as_str) else { continue };
        ensure!(!outward || inward || what.contains("loopback") || what == "the same with an allowed name", "{check}");
    }
    Ok(())
}

fn never() -> Result<()> {
    let host = Host::fresh("unproved", "trixie")?;
    let desk = Desk::of(&[&host])?;
    let said = desk.petasos(&["verify", "--json"])?;
    ensure!(said.code != 0, "{}", said.all());
    if said.code != 1 {
        ensure!(controls(&report(&said)?, "met").is_empty(), "{}", said.all());
    }
    Ok(())
}

/// Every place that the agent would obey, at once: `breaks/` has some of them alone.
fn planted() -> Result<()> {
    let Shared { host, desk } = &*ours()?;
    let folders = host.sh("cd /home/hermes/.hermes; find . -maxdepth 1 -type d -printf '%f\n'")?;
    let is_folder = |name: &str| folders.lines().any(|folder| folder == name);
    let unwanted = [".container-mode", ".update_pending.json", ".update_prompt.json"];
    let all: Vec<&str> = covered(false).into_iter().chain(unwanted).collect();
    let paths: Vec<String> =
        all.iter().map(|name| format!("{name}{}", if is_folder(name) { "/planted" } else { "" })).collect();
    let paths = paths.join(" ");
    ensure!(paths.matches("/planted").count() >= 13, "these are no folders: {paths}");
    host.sh(&format!("cd /home/hermes/.hermes; for path in {paths}; do echo {{}} >$path; done"))?;
    let said = desk.petasos(&["verify", "--json", "--full"])?;
    host.sh(&format!("cd /home/hermes/.hermes; for path in {paths}; do case $path in */*) rm $path ;; *) : >$path ;; esac; done; rm {}", unwanted.join(" ")))?;
    let found = report(&said.ended(2)?)?;
    let details = |id: &str| {
        checks(&found).into_iter().filter(|it| word(it, "id") == id).map(|it| word(it, "detail")).collect::<String>()
    };
    let (things, people) = (details("fs.planted"), details("msg.codes"));
    let named = |text: &str, name: &str| text.replace([':', ';'], ",").split(", ").any(|word| word.trim() == name);
    let missing: Vec<&&str> = all.iter().filter(|name| !named(&things, name) && !named(&people, name)).collect();
    ensure!(missing.is_empty(), "not named: {missing:?} in {things} and {people}");
    ensure!(named(&people, "platforms") && named(&people, "pairing") && !named(&things, "pairing"), "{people}");
    desk.petasos(&["verify", "--full"])?.ended(0).map(drop)
}

fn seen(one: &Break) -> Result<()> {
    let Shared { host, desk } = &*ours()?;
    let tested = fails_and_heals(one, host, desk);
    if let Err(error) = &tested {
        eprintln!("{}: {error:#}", one.name);
        // The next one wants a converged host.
        host.run(&script(one.undo))?;
        desk.petasos(&["up"])?;
    }
    tested
}

fn fails_and_heals(one: &Break, host: &Host, desk: &Desk) -> Result<()> {
    host.run(&script(one.done))?.ended(0)?;
    let said = desk.petasos(&["verify", "--json", "--full"])?;
    let found = report(&said)?;
    ensure!(said.code == 2, "it ended with {}: {:?}", said.code, summary(&found));
    let expected: BTreeSet<String> = one.controls.iter().map(|id| (*id).to_owned()).collect();
    let (not_met, failing) = (controls(&found, "not_met"), failing(&found));
    ensure!(not_met == expected, "not met are {not_met:?}, by {failing:?}");
    let blind: Vec<&str> = one.checks.iter().copied().filter(|id| !failing.contains(*id)).collect();
    ensure!(blind.is_empty(), "not seen to fail: {blind:?}; failing: {failing:?}: {:?}", summary(&found));
    host.run(&script(one.undo))?.ended(0)?;
    desk.petasos(&["up"])?.ended(0)?;
    // What is not healed, the next break finds among its controls; the host's last test is a proof.
    desk.petasos(&["plan"])?.ended(0).map(drop)
}

/// What is not as it should be, in words.
fn summary(host: &Value) -> Vec<String> {
    let bad = |check: &&Value| word(check, "result") != "met";
    let row = |check: &Value| {
        let control = check.pointer("/control/detail").and_then(Value::as_str).unwrap_or_default();
        format!(
            "{}: {} {} ({}) [{control}]",
            word(check, "id"),
            word(check, "result"),
            word(check, "outcome"),
            word(check, "detail")
        )
    };
    checks(host).into_iter().filter(bad).map(row).collect()
}

fn other_modes() -> Result<()> {
    let Shared { desk, .. } = &*ours()?;
    let yaml = desk.read("petasos.yaml")?;
    for (mode, reason) in [("ports", "names are not restricted"), ("open", "nothing is restricted")] {
        desk.write("petasos.yaml", &yaml)?;
        desk.edit("petasos.yaml", "egress: {", &format!("egress: {{ mode: {mode},"))?;
        desk.petasos(&["up"])?.ended(0)?;
        let found = report(&desk.petasos(&["verify", "--json", "--full"])?.ended(2)?)?;
        ensure!(
            controls(&found, "not_met") == BTreeSet::from(["net.egress".to_owned()]),
            "{mode}: {:?}",
            summary(&found)
        );
        let control = list(&found, "controls")
            .into_iter()
            .find(|it| word(it, "id") == "net.egress")
            .context("no net.egress")?
            .clone();
        ensure!(word(&control, "why").contains(reason) && word(&control, "how").contains("mode: names"), "{control}");
        // Ports are restricted all the same, and that is shown.
        let refused = list(&control, "checks").iter().filter(|check| word(check, "outcome") == "refused").count();
        ensure!(if mode == "ports" { refused > 10 } else { refused == 0 }, "{mode}: {control}");
    }
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?.ended(0)?;
    desk.petasos(&["verify", "--full"])?.ended(0).map(drop)
}
