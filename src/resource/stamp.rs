//! Stamps: which content of its watched files a unit has read, as of its last start by Petasos.
//!
//! A stamp is a file on the host with a line for each watched path, `DIGEST  PATH`. It is removed
//! before a watched file changes and written after the unit started, so that a run which dies in
//! between leaves no stamp that claims too much.

use super::ResolveContext;
use crate::act::{Act, Put, Text};
use crate::fact::path::PathKind;
use crate::fact::{Facts, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode, UnitName};
use std::collections::{BTreeMap, BTreeSet};

const FORGET: &str = include_str!("../../remote/unit/forget-stamps.sh");

/// Where all stamps are kept.
pub const ALL: &str = "/var/lib/petasos/stamps";

/// Where a unit's stamp is kept.
///
/// # Errors
/// When the unit's name cannot be part of a path.
pub fn path(unit: &UnitName) -> Result<AbsPath, Fault> {
    AbsPath::new(format!("{ALL}/{unit}"))
}

/// What stands for a link's target in stamps.
pub fn link_digest(target: &str) -> String {
    format!("link:{target}")
}

/// What stands for a path in stamps: of a file its SHA-256, of a link its target; none for
/// anything else.
fn digest_of(kind: &PathKind) -> Option<String> {
    match kind {
        PathKind::File(digest) => Some(digest.clone()),
        PathKind::Symlink(target) => Some(link_digest(target)),
        PathKind::Directory | PathKind::Other => None,
    }
}

/// The watched files: of a folder those that resources so far lay down below it.
pub fn files(watches: &[AbsPath], provided: &BTreeMap<AbsPath, String>) -> Vec<AbsPath> {
    let below = |path: &AbsPath| {
        let folder = format!("{path}/");
        provided.keys().filter(|file| file.as_str().starts_with(&folder)).cloned().collect::<Vec<_>>()
    };
    let each = watches.iter().map(|path| (path, below(path)));
    each.flat_map(|(path, below)| if below.is_empty() { vec![path.clone()] } else { below }).collect()
}

/// The text of a stamp: what each watched path will hold once the plan is carried out.
///
/// # Errors
/// When a path that no resource decides could not be read.
pub fn text(watches: &[AbsPath], provided: &BTreeMap<AbsPath, String>, facts: &Facts) -> Result<String, Fault> {
    let mut stamp = String::new();
    for path in watches {
        let digest = match provided.get(path) {
            Some(digest) => digest.clone(),
            None => match seen(&facts.paths, path)? {
                Seen::Is(entry) => digest_of(&entry.kind)
                    .ok_or_else(|| Fault::new(format!("`{path}` cannot be watched: it is not a file")))?,
                Seen::Absent | Seen::Unreadable(_) => "absent".to_owned(),
            },
        };
        stamp.push_str(&format!("{digest}  {path}\n"));
    }
    Ok(stamp)
}

/// Whether the same plan gives a path another content: whoever changed it may have started the unit
/// with that.
pub fn is_rewritten(path: &AbsPath, context: &ResolveContext<'_>) -> bool {
    let on_disk = match context.facts.paths.get(path) {
        Some(Seen::Is(entry)) => digest_of(&entry.kind),
        Some(Seen::Absent | Seen::Unreadable(_)) | None => None,
    };
    context.provided.get(path).is_some_and(|digest| on_disk.as_ref() != Some(digest))
}

/// The watched files whose line is not in the old stamp.
pub fn outdated(old: Option<&str>, new: &str) -> BTreeSet<String> {
    let old: BTreeSet<&str> = old.unwrap_or_default().lines().collect();
    let fresh = |line: &&str| !old.contains(line);
    new.lines().filter(fresh).filter_map(|line| line.split_once("  ")).map(|(_, path)| path.to_owned()).collect()
}

/// The act that comes before a watched path gets another content: without it, a run that is killed
/// before the unit is restarted would leave a stamp which says that the unit has read the new
/// content.
pub fn forget(path: &AbsPath) -> Act {
    Act::sh("forget which units have loaded it", FORGET, [path.as_str()])
}

/// The act that writes a unit's stamp.
///
/// # Errors
/// When the unit's name cannot be part of a path.
pub fn put(unit: &UnitName, stamp: &str) -> Result<Act, Fault> {
    Ok(Act::Put(Put {
        path: path(unit)?,
        content: Text::open(stamp),
        owner: Account::root(),
        group: Account::root(),
        mode: Mode::new("0600")?,
        check: Vec::new(),
    }))
}

/// The act that tells systemd of a path that is part of a unit.
pub fn reload(path: &AbsPath) -> Option<Act> {
    path.as_str().starts_with("/etc/systemd/system/").then(|| Act::run(["systemctl", "daemon-reload"]))
}
