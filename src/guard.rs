//! The rollback: what was there is kept before it changes, for `petasos undo`; and what may lock
//! people out is changed only once the host itself will undo it, unless a fresh login confirms it.
//!
//! Armed before the change, on disk (a unit and a timer, so that a reboot does not lose it), and
//! disarmed only over a connection that was opened after the change.

use crate::act::{Act, Put, Text};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use crate::plan::Step;
use crate::resource::effects::is_below;
use std::collections::BTreeSet;

/// The directory of the guard on the host.
pub const STATE: &str = "/var/lib/petasos/guard";
/// The directory of what runs replaced.
pub const RUNS: &str = "/var/lib/petasos/runs";

/// What is kept whatever the steps touch: it lets people in, and a package's own scripts may change
/// it too.
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

/// Units whose state is kept for the same reason.
const UNITS: [&str; 3] = ["ssh.service", "ssh.socket", "ufw.service"];

const CHECK: &str = include_str!("../remote/guard/check.sh");
const KEEP: &str = concat!(include_str!("../remote/guard/list.sh"), include_str!("../remote/guard/keep.sh"));
const ARM: &str = include_str!("../remote/guard/arm.sh");
const DISARM: &str = include_str!("../remote/guard/disarm.sh");
const REVERT: &str = include_str!("../remote/guard/revert.sh");
const RESTORE: &str = concat!(include_str!("../remote/guard/list.sh"), include_str!("../remote/guard/restore.sh"));
const SETTLED: &str = include_str!("../remote/guard/settled.sh");
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
        let touched = || steps.iter().map(|step| &step.touches);
        let trees: BTreeSet<&str> =
            ALWAYS.into_iter().chain(touched().flat_map(|touches| &touches.trees).map(String::as_str)).collect();
        let in_tree = |path: &&str| trees.iter().any(|tree| is_below(path, tree));
        let single = touched().flat_map(|touches| &touches.paths).map(String::as_str).filter(|path| !in_tree(path));
        let relative = |sign: char, path: &str| format!("{sign}{}", path.trim_start_matches('/'));
        let paths =
            trees.iter().map(|path| relative('+', path)).chain(single.map(|path| relative('-', path))).collect();
        let units =
            touched().flat_map(|touches| &touches.units).map(String::as_str).chain(UNITS).map(str::to_owned).collect();
        Self { paths, units }
    }

    fn keep(&self, state: String) -> Act {
        let args = [state].into_iter().chain(self.paths.clone()).chain(["--".to_owned()]).chain(self.units.clone());
        Act::sh("keep what is there now", KEEP, args)
    }
}

fn script(name: &str, text: &str) -> Result<Act, Fault> {
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

/// Keeps what the steps may touch, and arms the rollback. The units that it starts come with the
/// base playbook.
///
/// # Errors
/// None that fixed names could cause.
pub fn arm(scope: &Scope) -> Result<Vec<Act>, Fault> {
    Ok(vec![
        Act::sh("no other change is waiting", CHECK, Vec::<String>::new()),
        script("restore.sh", RESTORE)?,
        script("revert.sh", REVERT)?,
        scope.keep(format!("{STATE}/new")),
        Act::sh("arm the rollback", ARM, Vec::<String>::new()),
    ])
}

/// Confirms the change; prints `disarmed`.
pub fn disarm() -> Act {
    Act::sh("confirm the change", DISARM, Vec::<String>::new())
}

/// Rolls the change back at once, and waits until that is done.
pub fn revert() -> Act {
    Act::run(["systemctl", "start", "petasos-revert.service"])
}

/// Succeeds once a change was rolled back and its units have read what was put back.
pub fn settled() -> Act {
    Act::sh("the rollback is done", SETTLED, [STATE])
}

/// Restores what was kept before a run.
pub fn restore(run: &str) -> Act {
    Act::run(["sh".to_owned(), format!("{STATE}/restore.sh"), format!("{RUNS}/{run}")])
}
