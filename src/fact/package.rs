//! Installed packages, by dpkg's own word.

use super::{Ask, Facts, Family, Seen};
use crate::name::PackageName;
use crate::shell::Frame;
use std::collections::BTreeSet;

pub const FAMILY: Family = Family { name: "package", fragment, learn };

// A package that dpkg has never heard of makes it exit 1 and say so on standard error; the others are printed all the same.
const FRAGMENT: &str = r#"
command -v dpkg-query >/dev/null || { echo 'dpkg-query is not there' >&2; return 3; }
dpkg-query -W -f '${binary:Package}\t${db:Status-Status}\t${Version}\n' -- "$@" || :
"#;

fn names(asks: &BTreeSet<Ask>) -> impl Iterator<Item = &PackageName> {
    asks.iter().filter_map(|ask| match ask {
        Ask::Package(name) => Some(name),
        _ => None,
    })
}

fn fragment(asks: &BTreeSet<Ask>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = names(asks).map(ToString::to_string).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn learn(asks: &BTreeSet<Ask>, frame: &Frame, facts: &mut Facts) -> Result<(), String> {
    if frame.rc != 0 {
        return Err(frame.error_text());
    }
    for name in names(asks) {
        facts.packages.insert(name.clone(), Seen::Absent);
    }
    for line in frame.text().lines() {
        let [name, status, version] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("unexpected line `{line}`"));
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
