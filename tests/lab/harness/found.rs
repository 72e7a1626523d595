//! Hosts in states that people had before Petasos came. A row makes the state and looks at the
//! outcome. One of each kind is run by default or by the gate, on the base system alone; by request
//! the others are, and all of them as users have it: with the agent and the proof, on each suite.

use super::{Desk, Host, ignored, lab_key, ready_on, slow, trial};
use anyhow::{Context, Result};
use libtest_mimic::Trial;

/// The host's name, the row's, and what it does.
pub type Row = (&'static str, &'static str, fn(&Host, &Desk) -> Result<()>);

/// Why the long forms of a row are left out.
pub const WHOLE: &str = "the same row with the agent and the proof, some minutes each";

/// Why a row is left out of which another one of its kind is run.
pub const SAME_KIND: &str = "another row of the same kind is run by default, or by `.ci/run`";

/// The trials of a table's rows: one of each kind, and further ones.
pub fn rows(table: &'static str, kinds: &[Row], more: &[Row]) -> Vec<Trial> {
    let kinds = kinds.iter().flat_map(|row| of_row(table, *row));
    let more = more.iter().flat_map(|row| {
        let [base, trixie, bookworm] = of_row(table, *row);
        [ignored(base, SAME_KIND), trixie, bookworm]
    });
    kinds.chain(more).collect()
}

/// Those of a row that takes a minute and more.
pub fn slow_row(table: &'static str, row: Row) -> [Trial; 3] {
    let [_, trixie, bookworm] = of_row(table, row);
    [slow(&format!("{table}::{}", row.1), move || on_base(row)), trixie, bookworm]
}

fn on_base((host, _, row): Row) -> Result<()> {
    let host = Host::from(host, ready_on("trixie")?)?;
    row(&host, &base(&host)?)
}

fn of_row(table: &'static str, (host, name, row): Row) -> [Trial; 3] {
    let base = trial(&format!("{table}::{name}"), move || on_base((host, name, row)));
    let whole = |suite: &'static str| {
        let trial = trial(&format!("{table}::{name}, whole, {suite}"), move || {
            let host = Host::from(&format!("{host}-{suite}"), ready_on(suite)?)?;
            row(&host, &whole(&host)?)
        });
        ignored(trial, WHOLE)
    };
    [base, whole("trixie"), whole("bookworm")]
}

/// A desk for a host without the Hermes Agent.
fn base(host: &Host) -> Result<Desk> {
    let desk = whole(host)?;
    desk.petasos(&["init", "--eject", "--force"])?;
    desk.write("playbooks/20-agent.yaml", "[]\n")?;
    desk.write("petasos.yaml", &yaml(host, "")?)?;
    Ok(desk)
}

fn whole(host: &Host) -> Result<Desk> {
    let desk = Desk::of(&[host])?;
    desk.write("petasos.yaml", &yaml(host, ", agent: { limits: { disk: 256M } }")?)?;
    Ok(desk)
}

fn yaml(host: &Host, more: &str) -> Result<String> {
    let (address, key) = (host.address, lab_key(host)?);
    Ok(format!(
        "hosts: {{ web: {{ address: \"root@{address}\"{more} }} }}\nadmin: {{ authorized_keys: [\"{key}\"] }}\n"
    ))
}

/// Comes to the state that is wanted, and stays there; with the agent, each control is attacked.
pub fn converges(desk: &Desk) -> Result<()> {
    desk.petasos(&["up"])?.ended(0)?;
    holds(desk)
}

/// There is nothing to do; with the agent, each control is attacked.
pub fn holds(desk: &Desk) -> Result<()> {
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,", "1 round trip"])?;
    if !desk.path("playbooks").exists() {
        desk.petasos(&["verify"])?.ended(0).context("verify")?;
    }
    Ok(())
}
