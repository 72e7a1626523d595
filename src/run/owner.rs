//! Who holds a host's lock, as the lock's record names them.

use crate::fault::Fault;
use crate::shell::RunId;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The id of this run: a text that no other run has, later ones sorting after earlier ones; and who
/// runs it, where.
///
/// # Errors
/// When the machine has no randomness.
pub fn this_run() -> Result<RunId, Fault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|error| Fault::new(format!("no randomness: {error}")))?;
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".into());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = if machine.trim().is_empty() { "an unnamed machine" } else { machine.trim() };
    Ok(RunId { id: format!("{}-{random}", since.as_secs()), owner: described(&user, machine, std::process::id()) })
}

/// A run's process, as others read of it: `ada on laptop, process 4711`.
pub fn described(user: &str, machine: &str, process: u32) -> String {
    format!("{user} on {machine}, process {process}")
}

/// Whether the holder was a process of this machine that is gone. Of other machines' processes
/// nothing is known here.
pub fn gone(owner: &str, me: &str) -> bool {
    let parts =
        |text: &str| text.rsplit_once(", process ").map(|(who, process)| (who.to_owned(), process.parse::<u32>().ok()));
    let (Some((theirs, Some(process))), Some((mine, _))) = (parts(owner), parts(me)) else { return false };
    let asked =
        Command::new("kill").args(["-0", &process.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    theirs == mine && asked.is_ok_and(|status| !status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_machine_is_known_to_be_gone() {
        let me = described("ada", "laptop", std::process::id());
        assert!(!gone(&me, &me), "this very process runs");
        let mut child = Command::new("true").spawn().expect("true is on every machine");
        child.wait().expect("it ends");
        assert!(gone(&described("ada", "laptop", child.id()), &me));
        assert!(!gone(&described("ada", "desktop", child.id()), &me));
        assert!(!gone("somebody", &me));
    }
}
