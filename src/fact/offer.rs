//! Whether apt could install a package, and what there is instead: what `instead` of
//! remote/apt/offers.sh prints.

use crate::fault::Fault;
use crate::name::PackageName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// dpkg has it, or apt could install it.
    There,
    /// No package has this name.
    Instead {
        /// The packages that provide it. apt would install one that does so alone; but then this
        /// one is still not there.
        providers: BTreeSet<PackageName>,
        /// The packages whose names are one letter away from it.
        alike: BTreeSet<PackageName>,
    },
}

/// A text, and what `instead` printed at its end, if it did.
pub fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once("== offers\n") {
        Some((before, offers)) => (before, Some(offers)),
        None => (text, None),
    }
}

/// What there is instead of each name that apt does not have.
///
/// # Errors
/// When a line is of another form.
pub fn read(offers: &str) -> Result<BTreeMap<PackageName, Offer>, Fault> {
    let mut read = BTreeMap::new();
    for line in offers.lines() {
        let unexpected = || Fault::new(format!("unexpected line `{line}`"));
        let (name, said) = line.split_once(' ').map_or((line, None), |(name, said)| (name, Some(said)));
        let nothing = Offer::Instead { providers: BTreeSet::new(), alike: BTreeSet::new() };
        let offer = read.entry(PackageName::new(name)?).or_insert(nothing);
        let Offer::Instead { providers, alike } = offer else { return Err(unexpected()) };
        match said.map(|said| said.split_once(' ').ok_or_else(unexpected)).transpose()? {
            None => {}
            Some(("provided", other)) => drop(providers.insert(PackageName::new(other)?)),
            Some(("like", other)) => drop(alike.insert(PackageName::new(other)?)),
            Some(_) => return Err(unexpected()),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::{read, split};

    #[test]
    fn what_is_not_of_the_form_is_no_offer() {
        for bad in ["Name", "awk gives mawk", "awk provided", "awk like Mawk", "awk provided mawk gawk"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(split("Reading lists…\n"), ("Reading lists…\n", None));
        assert_eq!(split("a\n== offers\nb\n"), ("a\n", Some("b\n")));
    }
}
