//! The way back: what was there is kept before it changes, for `petasos undo`; and what may lock
//! people out is changed only once the host itself will undo it, unless a fresh login confirms it.
//!
//! Armed before the change, on disk (a unit and a timer, so that a reboot does not lose it), and
//! disarmed only over a connection that was opened after the change.

use crate::act::{Act, Put, Text};
use crate::name::{AbsPath, Account, Mode, UnitName};
use crate::plan::Step;
use std::collections::BTreeSet;

/// The directory of the guard on the host.
pub const STATE: &str = "/var/lib/petasos/guard";
/// The directory of what runs replaced.
pub const RUNS: &str = "/var/lib/petasos/runs";

/// What any change may touch, beside the paths of its own steps.
const ALWAYS: [&str; 14] = [
    "/etc/ssh",
    "/etc/ufw",
    "/etc/default/ufw",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    // What usermod(8) saves of them.
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/systemd/system",
];

/// Units that any change may restart.
const UNITS: [&str; 3] = ["ssh.service", "ssh.socket", "ufw.service"];

const CHECK: &str = include_str!("../remote/guard/check.sh");
const KEEP: &str = concat!(include_str!("../remote/guard/list.sh"), include_str!("../remote/guard/keep.sh"));
const ARM: &str = include_str!("../remote/guard/arm.sh");
const DISARM: &str = include_str!("../remote/guard/disarm.sh");
const REVERT: &str = include_str!("../remote/guard/revert.sh");
const RESTORE: &str = concat!(include_str!("../remote/guard/list.sh"), include_str!("../remote/guard/restore.sh"));
const PRUNE: &str = include_str!("../remote/guard/prune.sh");

/// What a change may touch: paths, and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `+path` with all below it, `-path` alone; without the leading slash.
    pub paths: BTreeSet<String>,
    pub units: BTreeSet<String>,
}

impl Scope {
    /// What these steps may touch.
    pub fn of(steps: &[&Step]) -> Self {
        let below = |path: &str| {
            ALWAYS.iter().any(|dir| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        };
        let own = steps.iter().flat_map(|step| own_paths(step)).filter(|path| !below(path));
        let relative = |sign: char, path: &str| format!("{sign}{}", path.trim_start_matches('/'));
        let paths = ALWAYS.iter().map(|path| relative('+', path)).chain(own.map(|path| relative('-', path))).collect();
        let own = steps.iter().filter_map(|step| match step.id.as_str() {
            "current release" => Some("hermes.service"),
            id => id.strip_prefix("unit "),
        });
        let units = own.chain(UNITS).filter(|unit| UnitName::new(*unit).is_ok()).map(str::to_owned).collect();
        Self { paths, units }
    }

    fn keep(&self, state: String) -> Act {
        let args = [state].into_iter().chain(self.paths.clone()).chain(["--".to_owned()]).chain(self.units.clone());
        Act::sh("keep what is there", KEEP, args)
    }
}

/// The paths that a step writes, removes, or gives another owner or mode.
fn own_paths(step: &Step) -> Vec<&str> {
    let named = match step.id.split_once(' ') {
        Some(("file" | "directory" | "symlink", path)) => Some(path),
        Some(("current", "release")) => Some("/opt/hermes/current"),
        _ => None,
    };
    let put = step.change.acts.iter().filter_map(|act| match act {
        Act::Put(put) => Some(put.path.as_str()),
        Act::Remove(path) => Some(path.as_str()),
        Act::Run { .. } | Act::Sh { .. } => None,
    });
    named.into_iter().chain(put).collect()
}

fn script(name: &str, text: &str) -> Result<Act, String> {
    Ok(Act::Put(Put {
        path: AbsPath::new(format!("{STATE}/{name}"))?,
        content: Text::open(text),
        owner: Account::root(),
        group: Account::root(),
        mode: Mode::new("0700")?,
        check: Vec::new(),
    }))
}

/// Keeps what a run may touch, under the run's name; the last five are kept.
pub fn keep_for_undo(run: &str, scope: &Scope) -> Vec<Act> {
    vec![scope.keep(format!("{RUNS}/{run}")), Act::sh("keep five runs", PRUNE, Vec::<String>::new())]
}

/// Keeps what the steps may touch, and arms the way back. The units that it starts come with the
/// base playbook.
///
/// # Errors
/// None that fixed names could cause.
pub fn arm(scope: &Scope) -> Result<Vec<Act>, String> {
    Ok(vec![
        Act::sh("nothing else waits", CHECK, Vec::<String>::new()),
        script("restore.sh", RESTORE)?,
        script("revert.sh", REVERT)?,
        scope.keep(format!("{STATE}/new")),
        Act::sh("arm the way back", ARM, Vec::<String>::new()),
    ])
}

/// Confirms the change; says `disarmed`.
pub fn disarm() -> Act {
    Act::sh("confirm the change", DISARM, Vec::<String>::new())
}

/// Takes the change back at once, and waits until that is done.
pub fn revert() -> Act {
    Act::run(["systemctl", "start", "petasos-revert.service"])
}

/// Makes the host what it was before a run.
pub fn restore(run: &str) -> Act {
    Act::run(["sh".to_owned(), format!("{STATE}/restore.sh"), format!("{RUNS}/{run}")])
}
