//! One control group per lab process tree: it tells whether anything of it lives, and kills all of
//! it at once, whatever it forked.
use super::tool;
use crate::fault::Fault;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Groups(PathBuf);

impl Groups {
    /// The lab's part of the machine's version 2 hierarchy, wherever that is mounted.
    pub fn find() -> Result<Groups> {
        let mounts = std::fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
        let mount = mounts.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                [_, place, "cgroup2", ..] => Some((*place).to_owned()),
                _ => None,
            }
        });
        match mount {
            Some(place) => Ok(Groups(PathBuf::from(place).join("petasos-lab"))),
            None => bail!(
                Fault::new("no control groups of version 2 are mounted")
                    .hint("`mount -t cgroup2 none /sys/fs/cgroup/unified`")
            ),
        }
    }

    fn group(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The file that a process joins a group by.
    pub fn members(&self, name: &str) -> PathBuf {
        self.group(name).join("cgroup.procs")
    }

    pub fn create(&self, name: &str) -> Result<()> {
        let group = self.group(name);
        std::fs::create_dir_all(&group).with_context(|| format!("cannot create `{}`", group.display()))?;
        // Where version 1 holds a controller, version 2 does not have it: take what there is.
        for dir in [self.0.parent().unwrap_or(&self.0), &self.0] {
            for controller in ["+cpu", "+memory", "+pids", "+io"] {
                let _ = std::fs::write(dir.join("cgroup.subtree_control"), controller);
            }
        }
        Ok(())
    }

    pub fn names(&self) -> Vec<String> {
        std::fs::read_dir(&self.0)
            .map(|entries| {
                entries
                    .flatten()
                    .filter(|entry| entry.path().is_dir())
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The number of the first process of a host's system, on this machine.
    pub fn init(&self, name: &str) -> Option<String> {
        let processes = std::fs::read_to_string(self.group(name).join("payload/init.scope/cgroup.procs")).ok()?;
        processes.lines().next().map(str::to_owned)
    }

    pub fn alive(&self, name: &str) -> bool {
        populated(&self.group(name))
    }

    /// Kills every process of the group and removes it; a group that is not there is fine.
    pub async fn kill(&self, name: &str) -> Result<()> {
        let group = self.group(name);
        if !group.exists() {
            return Ok(());
        }
        std::fs::write(group.join("cgroup.kill"), "1").with_context(|| {
            Fault::new(format!("cannot kill `{}`", group.display())).hint("the lab needs Linux 5.14 or newer")
        })?;
        for _ in 0..tool::SHORT.as_millis() / 20 {
            if !populated(&group) {
                return remove(&group);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let survive = Fault::new(format!("processes of lab host `{name}` survive a kill"));
        bail!(survive.hint(format!("`cat {}/cgroup.procs`", group.display())))
    }

    /// Removes the lab's own group once nothing is in it.
    pub fn remove_root(&self) -> Result<()> {
        if self.0.exists() { remove(&self.0) } else { Ok(()) }
    }
}

fn populated(group: &Path) -> bool {
    std::fs::read_to_string(group.join("cgroup.events"))
        .is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
}

/// Groups are directories that only rmdir removes, children first.
fn remove(group: &Path) -> Result<()> {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path())?;
        }
    }
    std::fs::remove_dir(group).with_context(|| format!("cannot remove `{}`", group.display()))
}
