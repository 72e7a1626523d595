//! supply.pin: what runs is the pinned release, to the last bit.

use super::answer::Contents;
use super::attack::inspection;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, never_short, no_attacks};
use crate::fault::Fault;

pub const CONTROL: Control = Control {
    id: "supply.pin",
    group: "Releases",
    title: "A pinned release",
    claim: "The running code is the release in petasos.lock: the same tree, the packages of its uv.lock, all owned by root.",
    attacks: no_attacks,
    inspections,
    short: never_short,
    limits: "",
    how: Some("`rm /opt/hermes/current/.petasos-release` on the host, then `petasos up` rebuilds the release"),
};

/// Whether it passes, with a detail; or why it could not be observed.
type Judged = Result<(bool, String), Fault>;

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let release = || evidence.inspected().release.found();
    let pinned = release().map(|found| {
        (found.current == claims.release, format!("{} runs, {} is pinned", found.current, claims.release))
    });
    let at_all = |judged: fn(&Claims, &Contents) -> Judged| {
        release().and_then(|found| match &found.contents {
            Some(contents) => judged(claims, contents),
            None => Err(Fault::new("another release is current")),
        })
    };
    vec![
        inspection("pin.current", "the current release", pinned),
        inspection("pin.tree", "its files, by git's tree id", at_all(tree)),
        inspection("pin.extra", "no additional file among them", at_all(extra)),
        inspection(
            "pin.packages",
            "each file of its packages, by the digests in their RECORD, and their versions",
            at_all(packages),
        ),
        inspection("pin.owner", "all of it is owned by root and writable by nobody else", at_all(owner)),
    ]
}

fn tree(claims: &Claims, found: &Contents) -> Judged {
    if found.files == 0 {
        return Err(Fault::new("git lists no file"));
    }
    Ok((
        found.tree == claims.tree,
        format!("{} files make tree {}; petasos.lock has {}", found.files, found.tree, claims.tree),
    ))
}

fn extra(_: &Claims, found: &Contents) -> Judged {
    let detail = if found.extra.is_empty() { "none".to_owned() } else { found.extra.join(", ") };
    Ok((found.extra.is_empty(), detail))
}

fn packages(_: &Claims, found: &Contents) -> Judged {
    let packages = found.packages.found()?;
    if packages.packages == 0 {
        return Err(Fault::new("its Python gave no answer"));
    }
    let bad: Vec<&str> = packages.changed.iter().chain(&packages.other).map(String::as_str).collect();
    let detail = match bad.is_empty() {
        true => format!("{} packages with {} files", packages.packages, packages.files),
        false => format!("modified: {}", bad.join(", ")),
    };
    Ok((bad.is_empty(), detail))
}

fn owner(_: &Claims, found: &Contents) -> Judged {
    let detail = if found.loose.is_empty() { "yes".to_owned() } else { found.loose.join(", ") };
    Ok((found.loose.is_empty(), detail))
}
