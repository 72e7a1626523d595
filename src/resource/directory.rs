//! A directory, with its owner and mode.

use super::{Change, ResolveContext, Resource, Risk, Touches, access};
use crate::act::Act;
use crate::fact::path::{PathEntry, PathKind};
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    #[serde(default = "Account::root")]
    pub owner: Account,
    #[serde(default = "Account::root")]
    pub group: Account,
    pub mode: Mode,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("directory {}", self.path)
    }

    fn kind(&self) -> &'static str {
        "directory"
    }

    fn touches(&self) -> Touches {
        Touches::nothing().path(self.path.as_str())
    }

    fn least_risk(&self) -> Risk {
        match access::home_of(&self.path) {
            Some(user) if self.is_open_to(user) => Risk::None,
            Some(_) => Risk::LockoutWhenChanged,
            None => access::risk_of_path(&self.path),
        }
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let path = self.path.as_str();
        let make = || {
            Act::run([
                "install",
                "-d",
                "-o",
                self.owner.as_str(),
                "-g",
                self.group.as_str(),
                "-m",
                self.mode.as_str(),
                path,
            ])
        };
        match seen(&facts.paths, &self.path)? {
            Seen::Absent => Ok(vec![Change::new("exists", "no", "yes", vec![make()])]),
            Seen::Is(entry) if entry.kind == PathKind::Directory => {
                Ok(access_changes(&self.path, entry, &self.owner, &self.group, &self.mode))
            }
            Seen::Is(entry) => Ok(vec![in_the_way(&self.path, &entry.kind, "a directory")]),
            Seen::Unreadable(why) => Err(Fault::new(why)),
        }
    }
}

impl Spec {
    /// Whether sshd lets a user in whose home it is: the user can enter it, and nobody else can
    /// write to it (sshd_config(5), `StrictModes`).
    fn is_open_to(&self, user: &str) -> bool {
        let (owner, group, mode) = (self.owner.as_str(), self.group.as_str(), self.mode.bits());
        let enters = match user {
            _ if user == owner => mode & 0o500 == 0o500,
            _ if user == group => mode & 0o050 == 0o050,
            _ => mode & 0o005 == 0o005,
        };
        enters && mode & 0o022 == 0 && (owner == user || owner == "root")
    }
}

/// What stands where something of another kind is to be: it may be somebody's data, and is theirs
/// to move.
pub fn in_the_way(path: &AbsPath, kind: &PathKind, wanted: &str) -> Change {
    let kind = kind_name(kind);
    let fault = Fault::new(format!("`{path}` is not {wanted} but {kind}"));
    let hint = format!("on the host, move it elsewhere (`mv {path} {path}.old`); then run the same command again");
    Change { blocked: Some(fault.hint(hint)), ..Change::new("kind", kind, wanted, Vec::new()) }
}

/// What a kind is called.
fn kind_name(kind: &PathKind) -> &'static str {
    match kind {
        PathKind::File(_) => "a file",
        PathKind::Directory => "a directory",
        PathKind::Symlink(_) => "a symbolic link",
        PathKind::Other => "a special file",
    }
}

/// The changes of owner, group and mode that something which exists still needs.
pub fn access_changes(path: &AbsPath, entry: &PathEntry, owner: &Account, group: &Account, mode: &Mode) -> Vec<Change> {
    let mut changes = Vec::new();
    let (is, want) = (format!("{}:{}", entry.owner, entry.group), format!("{owner}:{group}"));
    if is != want {
        let act = Act::run(["chown", "--no-dereference", &want, path.as_str()]);
        changes.push(Change::new("owner", is, &want, vec![act]));
    }
    // Set after the owner: chown(2) clears the set-user-ID bits.
    if entry.mode != mode.bits() {
        let act = Act::run(["chmod", mode.as_str(), path.as_str()]);
        changes.push(Change::new("mode", format!("{:04o}", entry.mode), format!("{:04o}", mode.bits()), vec![act]));
    }
    changes
}
