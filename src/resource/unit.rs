//! A systemd unit: whether it starts with the host, whether it runs, and whether it runs with what
//! its files say now.

use super::healthy::{self, Trouble};
use super::{Change, ResolveContext, Resource, Risk, Touches, access, stamp};
use crate::act::Act;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, UnitName};
use crate::release::steps::{self, Health};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub name: UnitName,
    /// Whether it starts with the host; not checked when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether it runs now; not checked when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// The files that it reads when it starts, or folders that other entries lay files down in.
    /// When one changed since its last start, it is restarted.
    #[serde(default)]
    pub watches: Vec<AbsPath>,
    #[serde(default)]
    pub on_change: OnChange,
    /// Whether drop-ins of the administrator's (/etc, /run) are removed.
    #[serde(default)]
    pub no_drop_ins: bool,
    /// Where it reports that it is healthy (`http` on loopback); a start counts only once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// How long it may take until it is healthy, in seconds.
    #[serde(rename = "timeout", default = "a_minute")]
    pub timeout_secs: u32,
}

fn a_minute() -> u32 {
    60
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    #[default]
    Restart,
    Reload,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Unit(self.name.clone()));
        queries.extend(self.health.iter().map(|url| Query::Listener(healthy::port(url))));
        if !self.watches.is_empty() {
            queries.extend(self.watches.iter().cloned().map(Query::Path));
            queries.extend(stamp::path(&self.name).ok().map(Query::Text));
        }
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let watches = stamp::files(&self.watches, context.provided);
        let stamp = stamp::text(&watches, context.provided, context.facts)?;
        let rewritten = watches.iter().filter(|path| stamp::is_rewritten(path, context)).cloned().collect();
        Ok(vec![Box::new(Unit { spec: self.clone(), stamp, rewritten })])
    }
}

/// A unit with the stamp that it should bear.
struct Unit {
    spec: Spec,
    stamp: String,
    /// The watched files that the same plan rewrites.
    rewritten: Vec<AbsPath>,
}

impl Unit {
    /// The administrator's file for it, which is what it should be.
    fn own_file(&self) -> String {
        format!("/etc/systemd/system/{}", self.spec.name)
    }

    fn health(&self, url: &str) -> Health {
        Health { unit: self.spec.name.to_string(), url: url.to_owned(), timeout_secs: self.spec.timeout_secs }
    }

    /// Of a service that runs as it should: it may not answer yet, or somebody else does.
    fn answers(&self, facts: &Facts) -> Result<Option<Change>, Fault> {
        let Some(url) = self.spec.health.as_ref().filter(|_| self.spec.running == Some(true)) else { return Ok(None) };
        let health = self.health(url);
        Ok(healthy::trouble(&self.spec.name, url, facts)?.map(|trouble| match trouble {
            Trouble::Nobody(port) => {
                let act = Act::sh("wait until it is healthy, or restart it", HEAL, steps::healthy(&health));
                let change = Change::new("healthy", format!("nobody answers at port {port} yet"), "yes", vec![act]);
                let settles = Act::sh("wait until it is through with its start", SETTLE, steps::healthy(&health));
                Change { settles: Some(settles), ..change }
            }
            Trouble::Taken(port, by) => {
                let act = Act::run(steps::healthy(&health));
                Change::new("healthy", format!("port {port} is taken by another program ({by})"), "yes", vec![act])
            }
        }))
    }

    fn systemctl(&self, args: &[&str]) -> Act {
        Act::run(["systemctl"].iter().chain(args).copied().chain([self.spec.name.as_str()]))
    }

    /// Starting, with the stamp after it: a start that failed leaves the old stamp, and is tried
    /// again.
    fn start(&self, start: Act) -> Result<Vec<Act>, Fault> {
        let mut acts = vec![Act::sh("reset the start limit", RESET, [self.spec.name.as_str()]), start];
        acts.extend(self.spec.health.as_ref().map(|url| Act::run(steps::healthy(&self.health(url)))));
        if !self.spec.watches.is_empty() {
            acts.push(stamp::put(&self.spec.name, &self.stamp)?);
        }
        Ok(acts)
    }
}

/// systemd refuses a start after too many (`StartLimitBurst=`), be they of a broken service that is
/// mended now; it has nothing to forget of a unit that was never loaded.
const RESET: &str = include_str!("../../remote/unit/reset-failed.sh");

/// The act after which a service that runs has reloaded its files; one that does not run stays
/// down.
pub fn reread(unit: &str) -> Act {
    Act::sh("reload or restart it if it is running", REREAD, [unit])
}

const REREAD: &str = include_str!("../../remote/unit/reread.sh");
const HEAL: &str = include_str!("../../remote/unit/heal.sh");
const SETTLE: &str = include_str!("../../remote/unit/settle.sh");
const SOCKET: &str = include_str!("../../remote/unit/socket-restart.sh");

const RUNLEVELS: [&str; 8] =
    ["/etc/rc0.d", "/etc/rc1.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d", "/etc/rc6.d", "/etc/rcS.d"];

impl Resource for Unit {
    fn id(&self) -> String {
        format!("unit {}", self.spec.name)
    }

    fn kind(&self) -> &'static str {
        "unit"
    }

    /// systemd itself waits 90 s for a stop, and as long for a start; then its health is waited
    /// for, longer while it works.
    fn patience(&self) -> Duration {
        Duration::from_secs(5 * 60 + 10 * u64::from(self.spec.timeout_secs))
    }

    fn touches(&self) -> Touches {
        let name = self.spec.name.as_str();
        let mut touches = Touches::nothing().unit(name).path(format!("/run/systemd/system/{name}")).tree(stamp::ALL);
        // Its links: for itself and its aliases, under the targets that want it.
        touches = touches.tree("/etc/systemd/system");
        if self.spec.enabled.is_some() {
            // systemctl(1) does the same to a script of sysvinit's.
            touches = RUNLEVELS.into_iter().fold(touches, Touches::tree);
        }
        match name.strip_suffix(".socket") {
            Some(stem) => touches.unit(format!("{stem}.service")),
            None => touches,
        }
    }

    fn least_risk(&self) -> Risk {
        access::risk_of_unit(&self.spec.name)
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let spec = &self.spec;
        let absent = crate::fact::unit::UnitState::absent();
        let unit = match seen(&facts.units, &spec.name)? {
            Seen::Is(unit) => unit,
            // Its package or its file comes earlier in the same plan.
            Seen::Absent | Seen::Unreadable(_) => &absent,
        };
        let mut changes = Vec::new();
        if spec.no_drop_ins {
            for file in unit.drop_ins.iter().filter(|file| self.is_own_drop_in(file)) {
                let acts = vec![
                    // First, so that a run which is killed after the next line still starts the
                    // unit again.
                    Act::Remove(stamp::path(&spec.name)?),
                    Act::Remove(AbsPath::new(file.as_str())?),
                    Act::run(["systemctl", "daemon-reload"]),
                ];
                changes.push(Change::new("drop-in", file, "absent", acts).about([self.own_file()]));
            }
        }
        let has_drop_ins = !changes.is_empty();
        if unit.need_reload && !has_drop_ins {
            let act = Act::run(["systemctl", "daemon-reload"]);
            let change = Change::new("loaded", "older than its file", "up to date", vec![act]);
            changes.push(change.about([self.own_file()]));
        }
        if spec.enabled == Some(true) || spec.running == Some(true) {
            let unmask: &[&str] = match unit.file_state.as_str() {
                "masked" => &["unmask"],
                "masked-runtime" => &["unmask", "--runtime"],
                _ => &[],
            };
            if !unmask.is_empty() {
                changes.push(Change::new("masked", "yes", "no", vec![self.systemctl(unmask)]));
            }
        }
        match (spec.enabled, starts_with_host(&unit.file_state)?) {
            (Some(true), Starts::No) => {
                changes.push(Change::new("enabled", &unit.file_state, "enabled", vec![self.systemctl(&["enable"])]));
            }
            (Some(false), Starts::Yes | Starts::UntilReboot) => {
                changes.push(Change::new("enabled", &unit.file_state, "disabled", vec![self.systemctl(&["disable"])]));
            }
            (Some(true), Starts::UntilReboot) => {
                changes.push(Change::new("enabled", &unit.file_state, "enabled", vec![self.systemctl(&["enable"])]));
            }
            (None, _) | (Some(true), Starts::Yes) | (Some(false), Starts::No) | (Some(_), Starts::AsOthersWish) => {}
        }
        changes.extend(self.run_changes(unit, facts, has_drop_ins)?);
        Ok(changes)
    }
}

impl Unit {
    /// Whether a drop-in is for this unit (or those of its name's beginning), and not for all units
    /// of its type: those that a container's manager lays under `service.d` are not ours to remove.
    fn is_own_drop_in(&self, file: &str) -> bool {
        let kind = self.spec.name.as_str().rsplit('.').next().unwrap_or_default();
        let dir = file.rsplit('/').nth(1).unwrap_or_default();
        dir != format!("{kind}.d")
    }

    /// `has_drop_ins`: it may run with settings that are being taken away.
    fn run_changes(
        &self,
        unit: &crate::fact::unit::UnitState,
        facts: &Facts,
        has_drop_ins: bool,
    ) -> Result<Option<Change>, Fault> {
        let spec = &self.spec;
        let runs = runs(&unit.active)?;
        Ok(match spec.running {
            Some(true) if !runs => {
                Some(Change::new("running", &unit.active, "active", self.start(self.systemctl(&["restart"]))?))
            }
            Some(false) if runs => {
                Some(Change::new("running", &unit.active, "inactive", vec![self.systemctl(&["stop"])]))
            }
            Some(false) => None,
            Some(true) | None if !runs => None,
            Some(true) | None if has_drop_ins => Some(
                Change::new(
                    "read",
                    "drop-ins that are removed",
                    "as it is now",
                    self.start(self.systemctl(&["restart"]))?,
                )
                .risking(Risk::Restart)
                .about([self.own_file()]),
            ),
            Some(true) | None => {
                if spec.watches.is_empty() {
                    return self.answers(facts);
                }
                let old = seen(&facts.texts, &stamp::path(&spec.name)?)?.is().map(String::as_str);
                let mut changed = stamp::outdated(old, &self.stamp);
                changed.extend(self.rewritten.iter().map(ToString::to_string));
                // What systemd makes of the unit's own file takes effect at its start alone.
                let on_change = if changed.contains(&self.own_file()) { OnChange::Restart } else { spec.on_change };
                // What nobody declared as running may be another unit's to start.
                let start = match (on_change, spec.running) {
                    (OnChange::Restart, Some(_)) if spec.name.as_str().ends_with(".socket") => {
                        Act::sh("restart a socket", SOCKET, [spec.name.as_str()])
                    }
                    (OnChange::Restart, Some(_)) => self.systemctl(&["restart"]),
                    (OnChange::Restart, None) => self.systemctl(&["try-restart"]),
                    (OnChange::Reload, Some(_)) => self.systemctl(&["reload-or-restart"]),
                    (OnChange::Reload, None) => reread(spec.name.as_str()),
                };
                if changed.is_empty() {
                    return self.answers(facts);
                }
                let old = changed.iter().map(|path| format!("old {path}")).collect::<Vec<_>>().join(" ");
                let change = Change::new("read", old, "as it is now", self.start(start)?);
                Some(change.risking(Risk::Restart).about(changed))
            }
        })
    }
}

impl crate::fact::unit::UnitState {
    /// A unit that is not there yet.
    pub fn absent() -> Self {
        Self {
            file_state: String::new(),
            active: "inactive".into(),
            sub: String::new(),
            need_reload: false,
            fragment: String::new(),
            drop_ins: BTreeSet::new(),
            invocation: String::new(),
        }
    }
}

/// Whether a unit starts with the host, by its own `[Install]` section.
enum Starts {
    Yes,
    /// Only by a link under /run.
    UntilReboot,
    No,
    /// It cannot be enabled or disabled: others pull it in, or it is another unit's name.
    AsOthersWish,
}

/// systemctl(1), `is-enabled`.
fn starts_with_host(state: &str) -> Result<Starts, Fault> {
    match state {
        "enabled" => Ok(Starts::Yes),
        "enabled-runtime" => Ok(Starts::UntilReboot),
        "disabled" | "masked" | "masked-runtime" | "linked" | "linked-runtime" | "transient" | "bad" | "" => {
            Ok(Starts::No)
        }
        "static" | "alias" | "indirect" | "generated" => Ok(Starts::AsOthersWish),
        other => Err(Fault::new(format!("systemd's unit file state is `{other}`"))),
    }
}

fn runs(active: &str) -> Result<bool, Fault> {
    match active {
        "active" | "reloading" | "refreshing" => Ok(true),
        "inactive" | "failed" | "activating" | "deactivating" | "maintenance" => Ok(false),
        other => Err(Fault::new(format!("systemd's active state is `{other}`"))),
    }
}
