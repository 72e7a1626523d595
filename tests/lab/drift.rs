//! One drift at a time on a converged host: `plan` names exactly it, `up` heals it and only it, and
//! the daemon says so itself.

use super::drifts::{self, Drift};
use super::harness::{Host, Pool, Said, Shared, converged, ignored, lab_key, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use std::sync::MutexGuard;

/// Services that only restart when they must.
const WATCHED: [&str; 3] = ["hermes.service", "petasos-audit.service", "ssh.service"];

/// The table of one suite.
pub fn trials(suite: &'static str) -> Vec<Trial> {
    let one = |drift: &'static Drift| {
        let name = format!("drift::{}, {suite}", drift.name);
        let trial = trial(&name, move || test(drift, suite));
        if suite != "trixie" {
            ignored(trial, "the drift table of the second suite takes as long again as that of the first")
        } else if drift.long {
            ignored(trial, "another drift of the table shows the same fields")
        } else {
            trial
        }
    };
    drifts::all().map(one).collect()
}

/// A host of this table's own.
fn host(suite: &str) -> Result<MutexGuard<'static, Shared>> {
    static TRIXIE: Pool<Shared, 3> = Pool::new();
    static BOOKWORM: Pool<Shared, 3> = Pool::new();
    let hosts = if suite == "trixie" { &TRIXIE } else { &BOOKWORM };
    hosts.get(|number| converged(&format!("drift-{suite}-{number}"), suite))
}

fn test(drift: &Drift, suite: &str) -> Result<()> {
    let shared = &*host(suite)?;
    let tested = heals(drift, shared);
    if tested.is_err() {
        // The next drift wants a converged host.
        shared.host.run(drift.undo)?;
        let mended = shared.desk.petasos(&["up"])?;
        if mended.code != 0 {
            eprintln!("after the drift `{}` the host stays broken:\n{}", drift.name, mended.all());
        }
    }
    tested
}

fn heals(drift: &Drift, shared: &Shared) -> Result<()> {
    let Shared { host, desk } = shared;
    let sound = || match drift.sound {
        script if script.starts_with("login ") => no_login(host, script),
        script => host.holds(script),
    };
    ensure!(sound()?, "the check `{}` fails on the converged host", drift.sound);
    host.with_args(drift.inject, &[&lab_key(host)?])?.ended(0)?;
    ensure!(!sound()?, "the check `{}` does not see the drift: it cannot fail", drift.sound);
    let before = invocations(host)?;

    let plan = desk.petasos(&["plan", "--json"])?.ended(2)?;
    let expected: BTreeSet<(String, String)> =
        drift.expect.iter().map(|(id, field)| ((*id).to_owned(), (*field).to_owned())).collect();
    let named = named(&plan)?;
    ensure!(named == expected, "`plan` names {named:#?}, not {expected:#?}");
    let hidden = |said: &Said| !said.all().contains("hidden-value");
    ensure!(hidden(&plan), "`plan` shows a value of the secrets' file");
    if drift.inject.contains("hidden-value") {
        ensure!(hidden(&desk.petasos(&["plan", "--diff"])?), "`plan --diff` shows a value of the secrets' file");
    }

    host.sh("touch /run/petasos-test-mark; sleep 0.02")?;
    let up = desk.petasos(&["up", "--json"])?.ended(0)?;
    ensure!(hidden(&up), "`up` shows a value of the secrets' file");
    ensure!(self::named(&up)? == expected, "`up` did something else: {}", up.all());
    ensure!(Shared::report(&up)?.get("second_pass").is_none(), "`up` needed a second pass: {}", up.all());
    ensure!(sound()?, "`{}` still fails after `up`", drift.sound);
    let after = desk.petasos(&["plan"])?;
    ensure!(after.code == 0, "`plan` after `up` still finds:\n{}", after.all());

    for ((unit, old), new) in WATCHED.iter().zip(before).zip(invocations(host)?) {
        let (must, did) = (drift.restarts.contains(unit), old != new);
        ensure!(
            must == did,
            "{unit} {} restart, and did{}",
            if must { "had to" } else { "had no cause to" },
            if did { "" } else { " not" }
        );
    }
    let touched = host.sh(
        "find /etc /home /usr/local -xdev -newercm /run/petasos-test-mark -type f -not -path '/home/hermes/.hermes/*'",
    )?;
    let foreign: Vec<&str> =
        touched.lines().filter(|path| !drift.writes.iter().any(|mine| path.starts_with(mine))).collect();
    ensure!(foreign.is_empty(), "`up` also wrote {foreign:?}");
    Ok(())
}

/// `id` and field of each change that a run with `--json` reports; nothing may have stayed unknown.
fn named(said: &Said) -> Result<BTreeSet<(String, String)>> {
    let report = Shared::report(said)?;
    let unknown = report.pointer("/plan/unknown").and_then(|list| list.as_array()).context("no plan.unknown")?;
    ensure!(unknown.is_empty(), "something could not be observed: {unknown:?}");
    let steps = report.pointer("/plan/steps").and_then(|list| list.as_array()).context("no plan.steps")?;
    let word = |step: &serde_json::Value, key: &str| step.get(key).and_then(|word| word.as_str()).map(str::to_owned);
    let pair = |step| Some((word(step, "id")?, word(step, "field")?));
    steps.iter().map(|step| pair(step).with_context(|| format!("a step without id or field: {step}"))).collect()
}

fn invocations(host: &Host) -> Result<Vec<String>> {
    WATCHED.iter().map(|unit| host.unit(unit, "InvocationID")).collect()
}

/// `login USER` holds while that user is refused, `login USER KEY` while the key at that path is.
fn no_login(host: &Host, script: &str) -> Result<bool> {
    let mut words = script.split(' ').skip(1);
    let user = words.next().context("no user")?;
    let Some(path) = words.next() else {
        return Ok(host.login(user, &[], "true")?.code == 255);
    };
    // A key made by the injection; before it, there is none.
    let key = host.run(&format!("cat {path}"))?;
    if key.code != 0 {
        return Ok(true);
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    std::fs::write(&file, key.out)?;
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let identity = format!("IdentityFile={}", file.display());
    let config = super::harness::ssh_config(&[host])?
        .lines()
        .filter(|line| !line.contains("IdentityFile "))
        .collect::<Vec<_>>()
        .join("\n");
    let other = folder.path().join("config");
    std::fs::write(&other, config)?;
    let mut command = std::process::Command::new("ssh");
    command.arg("-F").arg(&other).args(["-o", &identity, &format!("{user}@{}", host.address), "true"]);
    Ok(Said::of(command, "")?.code == 255)
}
