//! The way back: what may lock people out is changed only once the host itself will undo it, unless a fresh login confirms it.
//!
//! Armed before the change, on disk (a unit and a timer, so that a reboot does not lose it), and disarmed only over a connection that
//! was opened after the change.

use crate::act::{Act, Put, Text};
use crate::name::{AbsPath, Mode, UnitName};
use crate::plan::Step;
use crate::resource::file::root;
use std::collections::BTreeSet;

/// The directory of its state on the host.
pub const STATE: &str = "/var/lib/petasos/guard";

/// What every guarded change may touch, beside the paths of its own steps.
const ALWAYS: [&str; 10] = [
    "/etc/ssh",
    "/etc/ufw",
    "/etc/default/ufw",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/systemd/system",
];

/// Units that a guarded change may restart.
const UNITS: [&str; 3] = ["ssh.service", "ssh.socket", "ufw.service"];

const ARM: &str = include_str!("../templates/guard/arm.sh");
const DISARM: &str = include_str!("../templates/guard/disarm.sh");
const REVERT: &str = include_str!("../templates/guard/revert.sh");

/// Keeps what the steps may change, and arms the way back. The units that it starts come with the base playbook.
///
/// # Errors
/// None that fixed names could cause.
pub fn arm(steps: &[&Step]) -> Result<Vec<Act>, String> {
    let mut args: Vec<String> = paths(steps).iter().map(|path| path.trim_start_matches('/').to_owned()).collect();
    args.push("--".to_owned());
    args.extend(units(steps));
    let script = Put {
        path: AbsPath::new(format!("{STATE}/revert.sh"))?,
        content: Text::open(REVERT),
        owner: root(),
        group: root(),
        mode: Mode::new("0700")?,
        check: Vec::new(),
    };
    Ok(vec![Act::Put(script), Act::sh("arm the way back", ARM, args)])
}

/// Confirms the change; says `disarmed`.
pub fn disarm() -> Act {
    Act::sh("confirm the change", DISARM, Vec::<String>::new())
}

/// Takes the change back at once, and waits until that is done.
pub fn revert() -> Act {
    Act::run(["systemctl", "start", "petasos-revert.service"])
}

/// The paths that the steps put or remove, and those that such changes always may touch; none lies below another.
fn paths(steps: &[&Step]) -> BTreeSet<String> {
    let own = steps.iter().flat_map(|step| &step.change.acts).filter_map(|act| match act {
        Act::Put(put) => Some(put.path.as_str()),
        Act::Remove(path) => Some(path.as_str()),
        Act::Run { .. } | Act::Sh { .. } => None,
    });
    let all: BTreeSet<&str> = own.chain(ALWAYS).collect();
    let below = |path: &str| all.iter().any(|other| path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/')));
    all.iter().filter(|path| !below(path)).map(|path| path.to_string()).collect()
}

fn units(steps: &[&Step]) -> BTreeSet<String> {
    let own = steps.iter().filter_map(|step| step.id.strip_prefix("unit "));
    own.chain(UNITS).filter(|unit| UnitName::new(*unit).is_ok()).map(str::to_owned).collect()
}
