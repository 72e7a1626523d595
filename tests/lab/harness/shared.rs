//! The hosts that tables share. One `petasos up` makes a converged host of each suite; both are
//! kept, and whatever wants a converged host starts from there.

use super::{Desk, Host, Once, Said};
use anyhow::{Context, Result, anyhow};
use petasos::lab::{Accel, Form};
use std::sync::{MutexGuard, OnceLock};

/// A host, and the desk that it is looked after from.
pub struct Shared {
    pub host: Host,
    pub desk: Desk,
}

impl Shared {
    /// The one report of a run with `--json`.
    pub fn report(said: &Said) -> Result<serde_json::Value> {
        let reports: serde_json::Value = serde_json::from_str(&said.out).with_context(|| said.all())?;
        reports.get(0).cloned().with_context(|| said.all())
    }
}

/// A first run on a host of each suite, and what was found on these hosts before anything else was
/// done to them.
pub struct First {
    pub up: Said,
    pub again: Said,
    pub plan: Said,
    /// What [`UNITS`] says on each.
    pub units: Vec<String>,
}

/// Fails where a service does not run; else says whether the agent starts with the host, and which
/// units failed.
const UNITS: &str = "systemctl is-active --quiet hermes.service petasos-egress.service ssh.service
systemctl is-enabled hermes.service
systemctl list-units --failed --plain --no-legend";

/// The first run of all; whoever comes first waits for it.
pub fn first() -> Result<&'static First> {
    static FIRST: OnceLock<Result<First, String>> = OnceLock::new();
    FIRST.get_or_init(|| run().map_err(|error| format!("{error:#}"))).as_ref().map_err(|why| anyhow!("{why}"))
}

fn run() -> Result<First> {
    let hosts = [Host::fresh("trixie", "trixie")?, Host::fresh("bookworm", "bookworm")?];
    let desk = Desk::of(&hosts.each_ref())?;
    let up = desk.petasos(&["up"])?.ended(0).context("the first `petasos up` failed")?;
    let units = hosts.iter().map(|host| host.sh(UNITS)).collect::<Result<_>>()?;
    let first = First { up, units, again: desk.petasos(&["up"])?, plan: desk.petasos(&["plan"])? };
    let [trixie, bookworm] = hosts;
    trixie.keep("converged-trixie")?;
    bookworm.keep("converged-bookworm")?;
    Ok(first)
}

/// The converged host of a suite that most tables share, for one test at a time.
pub fn shared(suite: &str) -> Result<MutexGuard<'static, Shared>> {
    static HOSTS: [Once<Shared>; 2] = [const { Once::new() }; 2];
    let [trixie, bookworm] = &HOSTS;
    let host = if suite == "trixie" { trixie } else { bookworm };
    host.get(|| converged(suite, suite))
}

/// A host of its own that starts from the converged one of a suite: another machine at another
/// address with another host key, on which there is nothing to do.
pub fn converged(name: &str, suite: &str) -> Result<Shared> {
    first()?;
    let host = Host::from(name, &format!("converged-{suite}"))?;
    host.started()?;
    host.answers()?;
    let desk = Desk::of(&[&host])?;
    let up = desk.petasos(&["up"])?.ended(0)?;
    up.says(&[": 0 changes,", "1 round trip\n"]).with_context(|| format!("{name}, started from a converged host"))?;
    Ok(Shared { host, desk })
}

/// The snapshot of a host on which the packages are there already, as on some providers' images: a
/// first run takes seconds then.
pub fn ready() -> Result<&'static str> {
    ready_on("trixie")
}

/// The same of a suite.
pub fn ready_on(suite: &str) -> Result<&'static str> {
    static READY: [Once<()>; 2] = [const { Once::new() }; 2];
    let [trixie, bookworm] = &READY;
    let (once, name) = if suite == "trixie" { (trixie, "ready") } else { (bookworm, "ready-bookworm") };
    once.get(|| make_ready(name, &Form::of_suite(suite))).map(|_| name)
}

/// The same of a virtual machine.
pub fn ready_machine() -> Result<&'static str> {
    static READY: Once<()> = Once::new();
    let form = Form { vm: Some(Accel::Tcg), ..Form::of_suite("trixie") };
    READY.get(|| make_ready("ready-vm", &form)).map(|_| "ready-vm")
}

fn make_ready(name: &str, form: &Form) -> Result<()> {
    let packages = include_str!("../../../playbooks/10-base.yaml").split("present: [").nth(1);
    let packages = packages.and_then(|rest| rest.split(']').next()).context("no packages in the playbook")?;
    let packages = packages.replace(',', " ");
    let host = Host::formed(name, form)?;
    host.sh(&format!(
        "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update && apt-get -qq -y --no-install-recommends install {packages}"
    ))?;
    // A machine that is killed has what it has written to its disk.
    host.sh("sync")?;
    host.keep(name)
}
