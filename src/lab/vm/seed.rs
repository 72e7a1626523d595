//! What makes a host itself travels in its initrd: a tar file, which is unpacked over the disk at
//! the first start, before anything of the disk runs.
use super::super::paths::write;
use super::super::record::Record;
use super::super::{net, tool};
use anyhow::{Context, Result};
use std::path::Path;

/// In place of the addresses that a container finds in its namespace.
pub fn network(record: &Record) -> String {
    let address = record.address;
    let mut text = "[Match]\nName=eth0\n\n[Network]\nDHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n".to_owned();
    if !record.ipv6 {
        text += &format!("Address={address}/24\nGateway={}\n", net::ROUTER);
    }
    if net::has_six() {
        let (own, router) = (net::six(address), net::six(net::ROUTER));
        text += &format!("Gateway={router}\n\n[Address]\nAddress={own}/64\nDuplicateAddressDetection=none\n");
    }
    text
}

/// Writes the host's initrd: the seed before that of the image.
pub async fn pack(image: &Path, dir: &Path) -> Result<()> {
    const KERNEL: &str = "/proc/sys/kernel/random/uuid";
    let id = std::fs::read_to_string(KERNEL).with_context(|| format!("cannot read `{KERNEL}`"))?;
    write(&dir.join("seed.id"), id)?;
    let (image, dir) = (image.join("initrd"), dir.to_string_lossy());
    let argv = ["sh", "-c", include_str!("../../../remote/lab/vm/pack.sh"), "pack.sh", &*dir, &image.to_string_lossy()];
    tool::run(&argv, tool::SHORT).await.map(drop)
}
