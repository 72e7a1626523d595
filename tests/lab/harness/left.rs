//! What is left on this machine of hosts that are gone.

use anyhow::{Result, ensure};
use std::process::Command;

/// What the lab's internet consists of, beside its files.
pub const INTERNET: [&str; 4] = ["petasos-inet", "petasos0", "machine=inet", "systemd-socket-proxyd"];

/// Ends the test where anything that bears one of the names is left.
pub fn of(names: &[&str]) -> Result<()> {
    let processes = stdout("ps", &["-eo", "stat,args"])?;
    let living: Vec<&str> = processes.lines().filter(|line| !line.starts_with('Z')).collect();
    let places = [
        ("namespaces", stdout("ip", &["netns"])?),
        ("interfaces", stdout("ip", &["-o", "link"])?),
        ("routes", stdout("ip", &["-4", "route", "show", "table", "all"])?),
        ("routes of IPv6", stdout("ip", &["-6", "route", "show", "table", "all"])?),
        ("mounts", std::fs::read_to_string("/proc/self/mounts")?),
        ("processes", living.join("\n")),
        ("hosts", stdout("ls", &["/var/lib/petasos-lab/hosts"])?),
        (
            "control groups",
            stdout("find", &["/sys/fs/cgroup", "-maxdepth", "4", "-path", "*petasos-lab/*", "-type", "d"])?,
        ),
    ];
    for name in names {
        for (what, text) in &places {
            ensure!(!text.contains(name), "{name} is left in {what}:\n{text}");
        }
    }
    Ok(())
}

fn stdout(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
