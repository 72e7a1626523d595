//! Disks: a file with a file system and no partitions, made of an image's tree without a mount.
use super::super::paths::{create_dir, remove_tree};
use super::super::tool;
use super::DISK;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

/// What a host sees; as the file has holes, it takes what the host wrote.
const SIZE: &str = "20G";

/// Makes a tree into the directory that hosts start from: disk, kernel and initrd.
pub async fn make(tree: &Path) -> Result<()> {
    let made = tree.with_extension("disk");
    remove_tree(&made)?;
    create_dir(&made)?;
    for (link, name) in [("vmlinuz", "kernel"), ("initrd.img", "initrd")] {
        let from = tree.join(link);
        std::fs::copy(&from, made.join(name)).with_context(|| format!("the image has no `{}`", from.display()))?;
    }
    let (from, to) = (tree.to_string_lossy(), made.join(DISK));
    let to = to.to_string_lossy();
    // Tables that the kernel fills later are work for every host; as holes they cost nothing.
    let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0";
    let argv = ["mkfs.ext4", "-q", "-L", "root", "-i", "65536", "-E", options, "-d", &from, &to, SIZE];
    tool::run(&argv, Duration::from_secs(300)).await?;
    remove_tree(tree)?;
    std::fs::rename(&made, tree).with_context(|| format!("cannot name `{}`", tree.display()))
}

/// A host's own disk: a copy, so that whoever kills the machine loses nothing that was written.
pub async fn copy(from: &Path, dir: &Path) -> Result<()> {
    let (from, to) = (from.to_string_lossy(), dir.join(DISK));
    let argv = ["cp", "--sparse=always", "--reflink=auto", &*from, &to.to_string_lossy()];
    tool::run(&argv, Duration::from_secs(300)).await.map(drop)
}
