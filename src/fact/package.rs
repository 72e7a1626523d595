//! Installed packages, as dpkg reports them; and of those that are not, whether apt could install
//! them.

use super::{Facts, Family, Offer, Query, Seen, offer};
use crate::fault::Fault;
use crate::name::PackageName;
use crate::shell::Frame;
use std::collections::BTreeSet;

pub const FAMILY: Family = Family { name: "package", fragment, parse };

// A package that dpkg has never heard of makes it exit 1 and say so on standard error; the others
// are printed all the same. apt is asked only where dpkg does not have a package: that takes a
// tenth of a second, and seconds after a change of packages.
const FRAGMENT: &str =
    concat!(include_str!("../../remote/apt/offers.sh"), include_str!("../../remote/fact/package.sh"));

fn names(queries: &BTreeSet<Query>) -> BTreeSet<&PackageName> {
    let names = queries.iter().filter_map(|query| match query {
        Query::Package(name) | Query::Offer(name) => Some(name),
        _ => None,
    });
    names.collect()
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let offered = |name: &PackageName| queries.contains(&Query::Offer(name.clone()));
    let argument = |name: &PackageName| if offered(name) { format!("+{name}") } else { name.to_string() };
    let args: Vec<String> = names(queries).into_iter().map(argument).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    if frame.rc != 0 {
        return Err(Fault::new(frame.error_text()));
    }
    for name in names(queries) {
        facts.packages.insert(name.clone(), Seen::Absent);
    }
    let text = frame.text();
    let (installed, instead) = offer::split(&text);
    for line in installed.lines().filter(|line| !line.is_empty()) {
        let [name, status, version] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(Fault::new(format!("unexpected line `{line}`")));
        };
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
    let instead = instead.map(offer::read).transpose()?;
    for query in queries {
        let Query::Offer(name) = query else { continue };
        let there = facts.packages.get(name).is_some_and(|seen| seen.is().is_some());
        let offer = match &instead {
            _ if there => Seen::Is(Offer::There),
            None => Seen::Unreadable("its lists of packages are missing, or too old to say what there is not".into()),
            Some(instead) => Seen::Is(instead.get(name).cloned().unwrap_or(Offer::There)),
        };
        facts.offers.insert(name.clone(), offer);
    }
    Ok(())
}
