//! Installed packages, as dpkg reports them.

use super::{Facts, Family, Query, Seen};
use crate::fault::Fault;
use crate::name::PackageName;
use crate::shell::Frame;
use std::collections::BTreeSet;

pub const FAMILY: Family = Family { name: "package", fragment, parse };

// A package that dpkg has never heard of makes it exit 1 and say so on standard error; the others
// are printed all the same.
const FRAGMENT: &str = include_str!("../../remote/fact/package.sh");

fn names(queries: &BTreeSet<Query>) -> impl Iterator<Item = &PackageName> {
    queries.iter().filter_map(|query| match query {
        Query::Package(name) => Some(name),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = names(queries).map(ToString::to_string).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    if frame.rc != 0 {
        return Err(Fault::new(frame.error_text()));
    }
    for name in names(queries) {
        facts.packages.insert(name.clone(), Seen::Absent);
    }
    for line in frame.text().lines() {
        let [name, status, version] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(Fault::new(format!("unexpected line `{line}`")));
        };
        // `libc6:amd64`: the architecture is named where several can be installed.
        let name = name.split(':').next().unwrap_or(name);
        let known = ["installed", "not-installed", "config-files", "half-installed", "unpacked", "half-configured"];
        let seen = match status {
            "installed" => Seen::Is(version.to_owned()),
            status if known.contains(&status) || status.starts_with("triggers-") => Seen::Absent,
            other => Seen::Unreadable(format!("dpkg's status `{other}`")),
        };
        if let Some(slot) = facts.packages.get_mut(&PackageName::new(name)?) {
            // One line an architecture: one that has it is enough.
            if slot.is().is_none() {
                *slot = seen;
            }
        }
    }
    Ok(())
}
