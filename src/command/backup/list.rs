//! `petasos backup list` and `check`.

use super::vault::{Kept, kept};
use crate::backup::retention;
use crate::calendar::calendar;
use crate::command::each::{Done, each};
use crate::command::hosts::HostArgs;
use crate::run::backup::{Checked, Listing};
use crate::run::now;
use crate::ui::report::{count, size};
use crate::ui::{self, exit};
use anyhow::Result;
use serde_json::{Map, Value};
use std::process::ExitCode;

/// # Errors
/// When a file is not sound, or a key is not here.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let done = each(kept(args)?, args, |job, kept, watch| async move { kept.listing(&job, &watch).await });
    report(args, done.await, |kept, listing: &Listing| text(kept, listing), |listing| serde_json::to_value(listing))
}

/// # Errors
/// As for [`run`].
pub async fn check(args: &HostArgs) -> Result<ExitCode> {
    let done = each(kept(args)?, args, |job, kept, watch| async move { kept.check(&job, &watch).await });
    let text = |kept: &Kept, checked: &Checked| {
        format!("{}: sound: {}\n{}", kept.host, ui::line(&checked.said.join(" ")), aside(&checked.aside))
    };
    report(args, done.await, text, |checked| serde_json::to_value(checked))
}

fn report<O>(
    args: &HostArgs,
    done: Vec<Done<Kept, O>>,
    text: impl Fn(&Kept, &O) -> String,
    value: impl Fn(&O) -> serde_json::Result<Value>,
) -> Result<ExitCode> {
    let (mut codes, mut all) = (Vec::new(), Map::new());
    for Done { about, result, .. } in done {
        match &result {
            Ok(found) if args.json => drop(all.insert(about.host.clone(), value(found)?)),
            Ok(found) => ui::out(&text(&about, found))?,
            Err(error) => {
                codes.push(exit::of_run(error));
                ui::error(&error.fault());
            }
        }
    }
    if args.json {
        ui::json(&all)?;
    }
    Ok(ExitCode::from(exit::worst(codes)))
}

fn text(kept: &Kept, listing: &Listing) -> String {
    let mut text =
        format!("{}: {} on `{}`\n", kept.host, count(listing.snapshots.len(), "backup"), kept.backup.shown());
    // Where there is no time of arrival, the host's own word.
    let (came, goes) = match &kept.key {
        Some(_) => ("arrived", "not kept: `petasos backup forget` takes it away"),
        None => ("made", "not kept: `petasos backup forget` says how to take it away"),
    };
    let whys = retention::kept(&listing.snapshots, kept.backup.keep, now_signed());
    for (snapshot, why) in listing.snapshots.iter().zip(whys) {
        let arrived = calendar(snapshot.arrived.max(0).unsigned_abs());
        let bytes = snapshot.bytes.map(size).unwrap_or_default();
        let why = why.map_or(goes, retention::Why::as_str);
        text += &format!("  {}  {came} {arrived}  {bytes:>9}  {why}\n", ui::line(snapshot.short()));
    }
    text + &aside(&listing.aside)
}

pub fn aside(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {}\n", ui::line(line))).collect()
}

/// This machine's clock.
pub fn now_signed() -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}
