//! A file system of a fixed size in a file: whatever is written there takes no more of the host.
//!
//! By this and by no quota, since quotas of ext4 and xfs are switched on while nothing is mounted,
//! which a host's only disk never is, and btrfs counts by subvolumes. A file can be had on each.

use super::directory::access_changes;
use super::{Change, Need, ResolveContext, Resource, Risk, Touches};
use crate::act::{Act, Text};
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, ByteSize, Mode, UnitName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The file that holds it.
    pub image: AbsPath,
    pub mount: AbsPath,
    pub size: ByteSize,
    pub owner: Account,
    pub group: Account,
    pub mode: Mode,
    /// What writes there; it is stopped while its data moves.
    #[serde(default)]
    pub services: Vec<UnitName>,
}

/// Where units stand that are neither a package's nor, as those in /etc, brought back by an undo:
/// the data has moved for good.
const UNITS: &str = "/usr/local/lib/systemd/system";

/// Whose room is a fact of every host.
const VAR: &str = "/var/lib";

impl Spec {
    /// As `systemd-escape --path` names it.
    fn unit(&self) -> Result<UnitName, Fault> {
        let path = self.mount.as_str().trim_start_matches('/');
        if !path.chars().all(|c| c.is_ascii_alphanumeric() || "/._".contains(c)) || path.starts_with('.') {
            return Err(Fault::new(format!("`{}` is mounted nowhere: letters, digits, `.` and `_` only", self.mount)));
        }
        UnitName::new(format!("{}.mount", path.replace('/', "-")))
    }

    fn unit_file(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{UNITS}/{}", self.unit()?))
    }

    fn wish(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{UNITS}/local-fs.target.wants/{}", self.unit()?))
    }

    /// Where the data waits that was there before.
    fn before(&self) -> Result<AbsPath, Fault> {
        AbsPath::new(format!("{}.before", self.mount))
    }

    fn unit_text(&self) -> String {
        format!(
            "# Managed by petasos.\n[Unit]\nDescription=Petasos: {mount}, of a size of its own\n\n[Mount]\nWhat={image}\n\
             Where={mount}\nType=ext4\nOptions=loop,nosuid,nodev,noatime\n\n[Install]\nWantedBy=local-fs.target\n",
            mount = self.mount,
            image = self.image,
        )
    }

    /// In bytes.
    fn bytes(&self) -> Result<u64, Fault> {
        self.size.bytes().ok_or_else(|| Fault::new(format!("`{}` is not a size", self.size)))
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Disk { image: self.image.clone(), mount: self.mount.clone() });
        queries.insert(Query::Path(self.mount.clone()));
        queries.extend(self.before().ok().map(Query::Path));
        queries.extend(self.unit().ok().map(Query::Unit));
        queries.extend(self.unit_file().ok().map(Query::Text));
        queries.extend(self.wish().ok().map(Query::Path));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        self.bytes()?;
        self.unit()?;
        Ok(vec![Box::new(self.clone())])
    }
}

impl Resource for Spec {
    fn id(&self) -> String {
        format!("disk {}", self.mount)
    }

    fn kind(&self) -> &'static str {
        "disk"
    }

    /// The data stays where it is when a run is undone.
    fn touches(&self) -> Touches {
        Touches::nothing()
    }

    fn least_risk(&self) -> Risk {
        Risk::Restart
    }

    /// All data is copied once.
    fn patience(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let (bytes, unit) = (self.bytes()?, self.unit()?);
        let Seen::Is(disk) = seen(&facts.disks, &self.mount)? else {
            return Err(Fault::new("nothing is known of it"));
        };
        let mounted = disk.mounted.as_ref();
        if let Some(other) = mounted.filter(|mounted| !mounted.source.starts_with("/dev/loop")) {
            let fault =
                Fault::new(format!("`{}` is mounted at `{}`, which is not Petasos's", other.source, self.mount));
            return Err(fault.hint("a file system of your own limits it too: set `agent.limits.disk: off`"));
        }
        if !disk.loops {
            let fault = Fault::new("this host has no loop devices, as some containers: no file can be mounted");
            return Err(fault.hint("set `agent.limits.disk: off`: then nothing limits what the agent writes"));
        }
        if let Some(is) = disk.image.filter(|is| *is > bytes) {
            let fault = Fault::new(format!("it has {}, more than {}, and is not made smaller", shown(is), self.size));
            return Err(fault.hint(format!("set `agent.limits.disk` to {} or more", shown(is))));
        }
        let change = |field: &str, from: String, to: String| {
            let fixed = [
                self.image.to_string(),
                self.mount.to_string(),
                bytes.to_string(),
                format!("{}:{}", self.owner, self.group),
                self.mode.to_string(),
                unit.to_string(),
            ];
            let args = fixed.into_iter().chain(self.services.iter().map(ToString::to_string)).collect();
            let stdin = Some(Text::open(self.unit_text()));
            let settle = Act::Sh { text: SETTLE, what: "make, mount or enlarge it, with the data in it", args, stdin };
            let mut change = Change::new(field, from, to, vec![settle]);
            let below = super::effects::is_below(self.image.as_str(), VAR);
            let mebibytes = bytes.saturating_sub(disk.image.unwrap_or_default()) >> 20;
            change.needs_room.extend(below.then_some(Need { directory: VAR, mebibytes }));
            Ok(vec![change])
        };
        let Some(image) = disk.image else { return change("exists", "no".into(), self.size.to_string()) };
        let text = |path: &AbsPath| Ok::<_, Fault>(seen(&facts.texts, path)?.is());
        let link = |path: &AbsPath| {
            let entry = seen(&facts.paths, path)?.is();
            Ok::<_, Fault>(entry.is_some_and(|entry| matches!(entry.kind, PathKind::Symlink(_))))
        };
        let state = seen(&facts.units, &unit)?.is();
        let runs = state.is_some_and(|state| state.active == "active" && !state.need_reload);
        let declared = text(&self.unit_file()?)? == Some(&self.unit_text()) && link(&self.wish()?)?;
        let Some(mounted) = mounted.filter(|_| runs && declared) else {
            return change("mounted", "no".into(), self.mount.to_string());
        };
        // What ext4 itself needs, a part of the file, is no room.
        if image < bytes || mounted.bytes < bytes / 4 * 3 {
            return change("size", shown(image.min(mounted.bytes)), self.size.to_string());
        }
        let Seen::Absent = seen(&facts.paths, &self.before()?)? else {
            return change("data", format!("beside it, in {}", self.before()?), self.mount.to_string());
        };
        match seen(&facts.paths, &self.mount)? {
            Seen::Is(root) => {
                let access = access_changes(&self.mount, root, &self.owner, &self.group, &self.mode);
                access.into_iter().next().map_or(Ok(Vec::new()), |is| change(&is.field, is.from, is.to))
            }
            Seen::Absent | Seen::Unreadable(_) => Err(Fault::new(format!("`{}` cannot be seen", self.mount))),
        }
    }
}

const SETTLE: &str = include_str!("../../remote/disk/settle.sh");

/// Bytes, for people.
fn shown(bytes: u64) -> String {
    format!("{}M", bytes >> 20)
}
