//! The lab's network: a bridge in the internet's namespace, one namespace per host, and one cable to
//! this machine. Nothing is routed or translated out of the machine.
use super::tool;
use anyhow::Result;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The name of the internet's namespace and control group.
pub const INTERNET: &str = "inet";
/// This machine's end of the cable.
pub const CABLE: &str = "petasos0";
/// The internet's router, resolver and every server of it.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
/// This machine, as hosts see it.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

pub fn host_address(octet: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, octet)
}

pub fn namespace(name: &str) -> String {
    format!("petasos-{name}")
}

pub fn namespace_file(name: &str) -> PathBuf {
    Path::new("/run/netns").join(namespace(name))
}

async fn ip(line: &str) -> Result<()> {
    let argv: Vec<&str> = std::iter::once("ip").chain(line.split(' ')).collect();
    tool::run(&argv, tool::SHORT).await.map(drop)
}

/// The internet's namespace with the bridge, the cable, and every address that it answers for.
pub async fn build_internet(addresses: &[Ipv4Addr], machine: &[Ipv4Addr]) -> Result<()> {
    let ns = namespace(INTERNET);
    ip(&format!("netns add {ns}")).await?;
    ip(&format!("-n {ns} link set lo up")).await?;
    ip(&format!("-n {ns} link add br0 type bridge forward_delay 0")).await?;
    ip(&format!("-n {ns} addr add {ROUTER}/24 dev br0")).await?;
    ip(&format!("-n {ns} link set br0 up")).await?;
    for address in addresses {
        ip(&format!("-n {ns} addr add {address}/32 dev lo")).await?;
    }
    // Routing in here is what answers "unreachable" at once for every other address.
    let argv = ["ip", "netns", "exec", &ns, "sysctl", "-qw", "net.ipv4.ip_forward=1"];
    tool::run(&argv, tool::SHORT).await?;
    ip(&format!("link add {CABLE} type veth peer name machine netns {ns}")).await?;
    ip(&format!("-n {ns} link set machine master br0 up")).await?;
    ip(&format!("addr add {MACHINE}/24 dev {CABLE}")).await?;
    for address in machine {
        ip(&format!("addr add {address}/32 dev {CABLE}")).await?;
    }
    ip(&format!("link set {CABLE} up")).await
}

/// A host's namespace with its one interface; it outlives the host's reboots.
pub async fn build_host(name: &str, address: Ipv4Addr) -> Result<()> {
    let (ns, inet) = (namespace(name), namespace(INTERNET));
    let [.., octet] = address.octets();
    remove(name).await?;
    ip(&format!("netns add {ns}")).await?;
    ip(&format!("-n {ns} link set lo up")).await?;
    ip(&format!("-n {ns} link add eth0 type veth peer name host{octet} netns {inet}")).await?;
    ip(&format!("-n {inet} link set host{octet} master br0 up")).await?;
    ip(&format!("-n {ns} addr add {address}/24 dev eth0")).await?;
    ip(&format!("-n {ns} link set eth0 up")).await?;
    ip(&format!("-n {ns} route add default via {ROUTER}")).await
}

pub fn exists(name: &str) -> bool {
    namespace_file(name).exists()
}

/// Removes one namespace; its interfaces go with it, and so do their other ends.
pub async fn remove(name: &str) -> Result<()> {
    if name == INTERNET && Path::new("/sys/class/net").join(CABLE).exists() {
        ip(&format!("link del {CABLE}")).await?;
    }
    if exists(name) {
        ip(&format!("netns del {}", namespace(name))).await?;
    }
    Ok(())
}

/// The names of all namespaces that the lab made.
pub fn names() -> Vec<String> {
    std::fs::read_dir("/run/netns")
        .map(|entries| {
            entries
                .flatten()
                .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("petasos-").map(str::to_owned))
                .collect()
        })
        .unwrap_or_default()
}

/// `ip netns` mounts its directory on itself; with the last namespace gone that mount goes too.
pub async fn forget_directory() {
    let empty = std::fs::read_dir("/run/netns").is_ok_and(|mut entries| entries.next().is_none());
    while empty && tool::holds(&["umount", "/run/netns"]).await {}
}
