//! A key that is made on the host and never leaves it: an SSH key with its public part beside it,
//! or random bytes. Only whether it is there is observed, never what it says.

use super::directory::{access_changes, in_the_way};
use super::{Change, ResolveContext, Resource, Risk, Touches, access};
use crate::act::Act;
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    pub form: Form,
    #[serde(default = "Account::root")]
    pub owner: Account,
    #[serde(default = "Account::root")]
    pub group: Account,
    pub mode: Mode,
    /// What stands behind the public part of an SSH key.
    #[serde(default)]
    pub comment: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// An ed25519 key without a passphrase; the public part in `PATH.pub`, for everybody to read.
    Ssh,
    /// 32 random bytes in hexadecimal.
    Random,
}

impl Form {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Random => "random",
        }
    }
}

const MAKE: &str = include_str!("../../remote/key/make.sh");
const PUBLIC: &str = include_str!("../../remote/key/public.sh");

impl Spec {
    /// Where the public part lies.
    fn public(&self) -> Option<AbsPath> {
        (self.form == Form::Ssh).then(|| AbsPath::new(format!("{}.pub", self.path)).ok()).flatten()
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
        queries.extend(self.public().map(Query::Path));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("key {}", self.path)
    }

    fn kind(&self) -> &'static str {
        "key"
    }

    /// What was encrypted with it is lost without it: `undo` neither takes it away nor brings
    /// another back.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        access::risk_of_path(&self.path)
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let make = || {
            let (owner, group) = (self.owner.as_str(), self.group.as_str());
            let args = [self.form.as_str(), self.path.as_str(), owner, group, self.mode.as_str(), &self.comment];
            Act::sh("make a key", MAKE, args)
        };
        let mut changes = match seen(&facts.paths, &self.path)? {
            Seen::Absent => return Ok(vec![Change::new("exists", "no", "yes", vec![make()])]),
            Seen::Is(entry) => match &entry.kind {
                PathKind::File(_) => access_changes(&self.path, entry, &self.owner, &self.group, &self.mode),
                other => return Ok(vec![in_the_way(&self.path, other, "a file")]),
            },
            Seen::Unreadable(why) => return Err(Fault::new(why)),
        };
        if let Some(public) = self.public() {
            match seen(&facts.paths, &public)? {
                Seen::Absent => {
                    let act = Act::sh("write the public part of a key", PUBLIC, [self.path.as_str()]);
                    changes.push(Change::new("public part", "no", "yes", vec![act]));
                }
                Seen::Is(entry) => match &entry.kind {
                    PathKind::File(_) => {}
                    other => changes.push(in_the_way(&public, other, "a file")),
                },
                Seen::Unreadable(why) => return Err(Fault::new(why)),
            }
        }
        Ok(changes)
    }
}
