//! Packages that petasos.yaml names and the host's distribution does not have: an error with its
//! line, from the first look where the host's lists of packages tell, else from apt's own step.

use super::observe::Observation;
use super::{Job, RunError, Session};
use crate::config::packages::{KEY, NamedPackage};
use crate::fact::{Offer, Query, offer};
use crate::fault::Fault;
use crate::name::PackageName;
use crate::shell::Frame;
use std::collections::{BTreeMap, BTreeSet};

impl Job {
    /// What to ask apt: no more than what is to be installed.
    pub(super) fn offer_queries(&self, wanted: &BTreeSet<Query>) -> Vec<Query> {
        let names = self.packages.iter().map(|package| package.name.clone());
        names.filter(|name| wanted.contains(&Query::Package(name.clone()))).map(Query::Offer).collect()
    }
}

impl Session<'_> {
    /// The same observation of a host whose distribution has all that petasos.yaml names, as far
    /// as that can be told.
    ///
    /// # Errors
    /// The first name that it does not have.
    pub(super) fn offered(&self, seen: Observation) -> Result<Observation, RunError> {
        // While the lists are being fetched, they say nothing.
        if seen.host.cloud_init || !seen.host.apt_held_by.is_empty() {
            return Ok(seen);
        }
        let offer = |name: &PackageName| seen.offers.get(name)?.is();
        match refused(&self.job.packages, &seen.system, offer) {
            Some(fault) => Err(self.host_error(fault)),
            None => Ok(seen),
        }
    }

    /// What a step of apt said of names that it does not have; none where petasos.yaml does not
    /// name any of them.
    pub(super) fn not_offered(&self, frame: &Frame) -> Option<RunError> {
        let text = frame.text();
        let offers: BTreeMap<PackageName, Offer> = offer::read(offer::split(&text).1?).ok()?;
        refused(&self.job.packages, &self.system, |name| offers.get(name)).map(|fault| self.host_error(fault))
    }
}

fn refused<'a>(
    named: &[NamedPackage],
    system: &str,
    offer: impl Fn(&PackageName) -> Option<&'a Offer>,
) -> Option<Fault> {
    named.iter().find_map(|package| match offer(&package.name)? {
        Offer::There => None,
        Offer::Instead { providers, alike } => Some(nowhere(package, system, providers, alike)),
    })
}

fn nowhere(
    package: &NamedPackage,
    system: &str,
    providers: &BTreeSet<PackageName>,
    alike: &BTreeSet<PackageName>,
) -> Fault {
    let NamedPackage { name, place } = package;
    let list = |names: &BTreeSet<PackageName>| {
        names.iter().take(4).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
    };
    let hint = match (providers.is_empty(), alike.is_empty()) {
        (false, _) => format!("other packages provide it: write {}", list(providers)),
        (true, false) => format!("did you mean {}?", list(alike)),
        (true, true) => format!(
            "`apt-cache search {name}` on the host finds names; one that is newer than its lists is known after `apt-get update`"
        ),
    };
    let fault = Fault::new(format!("{system} has no package `{name}`")).hint(hint);
    match place {
        Some(place) => place.point(fault),
        None => Fault { message: format!("{}, which is the default of `{}`", fault.message, KEY.join(".")), ..fault },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Place, Step};

    fn fault(default: bool, offer: &Offer) -> Option<Fault> {
        let text = "packages: [nodjs]\n".to_owned();
        let place = Place { file: "p.yaml".into(), text, path: vec![Step::Key("packages".into()), Step::At(0)] };
        let named = NamedPackage { name: PackageName::new("nodjs").unwrap(), place: (!default).then_some(place) };
        refused(&[named], "Debian 13", |_| Some(offer))
    }

    fn instead(providers: &[&str], alike: &[&str]) -> Offer {
        let names = |names: &[&str]| names.iter().map(|name| PackageName::new(*name).unwrap()).collect();
        Offer::Instead { providers: names(providers), alike: names(alike) }
    }

    #[test]
    fn a_name_that_nobody_has_is_shown_where_it_stands() {
        assert_eq!(fault(false, &Offer::There), None);
        let shown = fault(false, &instead(&[], &["nodejs"])).unwrap();
        let lines: Vec<&str> = shown.message.lines().collect();
        assert_eq!((lines[0], lines[1]), ("Debian 13 has no package `nodjs`", " --> p.yaml:1:12"));
        assert_eq!(lines[4], "  |            ^ Debian 13 has no package `nodjs`");
        assert_eq!(shown.hint.unwrap(), "did you mean `nodejs`?");
    }

    #[test]
    fn a_default_says_so_and_each_has_a_hint() {
        let shown = fault(true, &instead(&["a1", "a2"], &["nodejs"])).unwrap();
        assert!(shown.message.ends_with("the default of `agent.sandbox.packages`"), "{}", shown.message);
        assert_eq!(shown.hint.unwrap(), "other packages provide it: write `a1` or `a2`");
        assert!(fault(true, &instead(&[], &[])).unwrap().hint.unwrap().contains("apt-cache search nodjs"));
    }
}
