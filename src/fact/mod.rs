//! What a host is like. One file per family of facts: the fragment of shell that gathers them, and
//! the parser of its output.
//!
//! All queries of a playbook travel in one script, one step per family.

pub mod account;
pub mod chains;
pub mod disk;
pub mod host;
pub mod later;
pub mod listener;
pub mod offer;
pub mod package;
pub mod path;
pub mod sshd;
pub mod sysctl;
pub mod table;
pub mod ufw;
pub mod unit;

pub use offer::Offer;

use crate::fault::Fault;
use crate::name::{AbsPath, Account, PackageName, UnitName};
use crate::shell::{Frame, Script};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An observation. "Could not read" is never "empty".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    Is(T),
    Absent,
    Unreadable(String),
}

impl<T> Seen<T> {
    /// The value where there is one.
    pub fn is(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// One thing to observe on a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    Package(PackageName),
    /// Whether apt could install a package that is not installed.
    Offer(PackageName),
    User(Account),
    Group(Account),
    /// What stands at a path: kind, owner, mode, digest.
    Path(AbsPath),
    /// The content of a file.
    Text(AbsPath),
    Unit(UnitName),
    /// Who listens at a TCP port.
    Listener(u16),
    /// What is read after a drop-in.
    Later(AbsPath),
    /// A kernel parameter, with dots.
    Sysctl(String),
    /// The settings in force for a login as this user.
    Sshd(Account),
    Ufw,
    /// A file system in a file, and where it is mounted.
    Disk {
        image: AbsPath,
        mount: AbsPath,
    },
    /// An nft table, and what the file that should fill it would make of it.
    Table {
        table: String,
        file: AbsPath,
    },
}

/// What was learned of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<host::Host>,
    pub packages: BTreeMap<PackageName, Seen<String>>,
    pub offers: BTreeMap<PackageName, Seen<Offer>>,
    pub users: BTreeMap<Account, Seen<account::UserAccount>>,
    pub groups: BTreeMap<Account, Seen<u32>>,
    pub paths: BTreeMap<AbsPath, Seen<path::PathEntry>>,
    /// Contents may be secret, so they are never written out.
    #[serde(skip_serializing)]
    pub texts: BTreeMap<AbsPath, Seen<String>>,
    pub units: BTreeMap<UnitName, Seen<unit::UnitState>>,
    /// The control groups of those who listen at a TCP port.
    pub listeners: BTreeMap<u16, Seen<BTreeSet<String>>>,
    pub sysctls: BTreeMap<String, Seen<String>>,
    /// By the drop-in that they follow.
    pub later: BTreeMap<AbsPath, Vec<later::Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sshd: Option<Seen<sshd::Sshd>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ufw: Option<Seen<ufw::Ufw>>,
    pub tables: BTreeMap<String, Seen<table::NftTable>>,
    /// By where they are mounted.
    pub disks: BTreeMap<AbsPath, Seen<disk::Disk>>,
}

/// Looks a fact up; what was not queried is unreadable, so that a forgotten query shows.
pub fn seen<'a, K: Ord, T>(facts: &'a BTreeMap<K, Seen<T>>, key: &K) -> Result<&'a Seen<T>, Fault> {
    match facts.get(key) {
        Some(Seen::Unreadable(why)) => Err(Fault::new(why)),
        Some(fact) => Ok(fact),
        None => Err(Fault::new("it was not asked for")),
    }
}

/// A fixed text of shell, and its arguments.
pub type Fragment = (&'static str, Vec<String>);

/// A family of facts.
pub struct Family {
    pub name: &'static str,
    /// The fragment and its arguments; none when nothing is asked of this family.
    pub fragment: fn(&BTreeSet<Query>) -> Option<Fragment>,
    /// Parses the output.
    pub parse: fn(&BTreeSet<Query>, &Frame, &mut Facts) -> Result<(), Fault>,
}

/// All families, in the order in which they are asked.
pub const FAMILIES: &[Family] = &[
    host::FAMILY,
    package::FAMILY,
    account::FAMILY,
    path::FAMILY,
    path::TEXTS,
    unit::FAMILY,
    listener::FAMILY,
    sysctl::FAMILY,
    later::FAMILY,
    sshd::FAMILY,
    ufw::FAMILY,
    table::FAMILY,
    disk::FAMILY,
];

/// The one script with all queries.
pub fn script(queries: &BTreeSet<Query>) -> Script {
    let mut script = Script::observing();
    for family in FAMILIES {
        if let Some((text, args)) = (family.fragment)(queries) {
            script.step(family.name);
            script.sh(text, &args, None);
        }
    }
    script
}

/// Parses the frames that [`script`] gave.
///
/// # Errors
/// When an answer is not of the form that its family expects; the message names the family.
pub fn parse(queries: &BTreeSet<Query>, frames: &[Frame]) -> Result<Facts, Fault> {
    let mut facts = Facts::default();
    for family in FAMILIES {
        if (family.fragment)(queries).is_none() {
            continue;
        }
        let frame = frames
            .iter()
            .find(|frame| frame.name == family.name)
            .ok_or_else(|| Fault::new(format!("no answer about `{}`", family.name)))?;
        (family.parse)(queries, frame, &mut facts)
            .map_err(|fault| fault.at(format!("the answer about `{}`", family.name)))?;
    }
    Ok(facts)
}

/// The lines of each `== name` section of an answer.
fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(name) => {
                current = name;
                sections.entry(current).or_default();
            }
            None => sections.entry(current).or_default().push(line),
        }
    }
    sections
}
