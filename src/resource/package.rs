//! Distribution packages that must be there, or must not; and dpkg, which must not be left
//! half-way.

use super::{Change, Need, ResolveContext, Resource, ResourceSpec as _, Risk, Touches};
use crate::act::Act;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::PackageName;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    #[serde(default, deserialize_with = "list_or_words")]
    pub present: Vec<PackageName>,
    #[serde(default, deserialize_with = "list_or_words")]
    pub absent: Vec<PackageName>,
    #[serde(default)]
    pub finished: bool,
}

/// Names in one text. One that waits for its values is kept as it is until then.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Words(Vec<PackageName>);

impl TryFrom<String> for Words {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        if text.contains("{{") {
            return PackageName::try_from(text).map(|open| Self(vec![open]));
        }
        text.split_whitespace().map(PackageName::new).collect::<Result<_, _>>().map(Self)
    }
}

/// A list, or one text of words.
fn list_or_words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PackageName>, D::Error> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<PackageName>;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("a list of packages, or their names in one text")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Words::try_from(text.to_owned()).map(|words| words.0).map_err(E::custom)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            let words = Vec::<Words>::deserialize(SeqAccessDeserializer::new(list))?;
            Ok(words.into_iter().flat_map(|words| words.0).collect())
        }
    }
    from.deserialize_any(Names)
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.extend(self.present.iter().chain(&self.absent).cloned().map(Query::Package));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

/// The exit code of install.sh where the distribution does not have a package.
pub const NOT_OFFERED: i32 = 46;

/// The kind's key in a playbook.
pub const KIND: &str = "package";

impl Resource for Spec {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Nothing that could be kept: a package is not brought back, nor taken away again.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    /// The guard cannot bring a package back, so it would promise too much.
    fn least_risk(&self) -> Risk {
        Risk::None
    }

    fn needs_room(&self) -> &'static [Need] {
        &[Need { directory: "/usr", mebibytes: 64 }, Need { directory: "/var/cache/apt", mebibytes: 48 }]
    }

    /// A mirror may be slow, and another apt may have to end first.
    fn patience(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    fn stays(&self) -> bool {
        true
    }

    fn id(&self) -> String {
        let joined = |names: &[PackageName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        match (self.present.as_slice(), self.absent.as_slice()) {
            ([], []) => "package dpkg".into(),
            ([], absent) => format!("package {}", joined(absent)),
            (present, _) => format!("package {}", joined(present)),
        }
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let mut asked = BTreeSet::new();
        self.queries(&mut asked);
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        for name in &self.present {
            if let Seen::Absent = seen(&facts.packages, name)? {
                missing.push(name.to_string());
            }
        }
        for name in &self.absent {
            if let Seen::Is(_) = seen(&facts.packages, name)? {
                surplus.push(name.to_string());
            }
        }
        let mut changes = Vec::new();
        if self.finished && facts.host.as_ref().is_some_and(|host| host.dpkg_interrupted) {
            let act = Act::sh("dpkg --configure", FINISH, Vec::<String>::new());
            changes.push(Change::new("dpkg", "interrupted", "finished", vec![act]));
        }
        if !missing.is_empty() {
            let act = Act::sh(INSTALLS, INSTALL, missing.clone());
            changes.push(Change::new(&missing.join(" "), "absent", "installed", vec![act]));
        }
        if !surplus.is_empty() {
            let act = Act::sh("apt-get purge", PURGE, surplus.clone());
            changes.push(Change::new(&surplus.join(" "), "installed", "absent", vec![act]));
        }
        Ok(changes)
    }
}

/// The packages that a change installs.
pub fn installs(change: &Change) -> impl Iterator<Item = &String> {
    change.acts.iter().filter_map(installation).flatten()
}

fn installation(act: &Act) -> Option<&Vec<String>> {
    match act {
        Act::Sh { what, args, .. } if *what == INSTALLS => Some(args),
        _ => None,
    }
}

/// Lets a change that installs packages take these away for them; it takes no others.
pub fn allow(change: &mut Change, removals: &[String]) {
    for act in &mut change.acts {
        if let Act::Sh { what, args, .. } = act
            && *what == INSTALLS
        {
            args.extend(removals.iter().map(|name| format!("-{name}")));
        }
    }
}

/// What apt takes away for new packages; the steps that install them do it.
pub fn removal(name: &str) -> Change {
    Change::new(name, "installed", "absent: it conflicts", Vec::new())
}

/// Prints what apt would take away to install packages, each on a line, as far as the host's lists
/// of packages tell.
pub const REMOVALS: &str = concat!(
    include_str!("../../remote/apt/offers.sh"),
    include_str!("../../remote/apt/removed.sh"),
    include_str!("../../remote/apt/removals.sh")
);

const INSTALLS: &str = "apt-get install";

const FINISH: &str = concat!(include_str!("../../remote/apt/locks.sh"), include_str!("../../remote/apt/finish.sh"));
const INSTALL: &str = concat!(
    include_str!("../../remote/apt/locks.sh"),
    include_str!("../../remote/apt/offers.sh"),
    include_str!("../../remote/apt/removed.sh"),
    include_str!("../../remote/apt/install.sh")
);
const PURGE: &str = concat!(include_str!("../../remote/apt/locks.sh"), include_str!("../../remote/apt/purge.sh"));
