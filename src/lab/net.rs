//! The lab's network: a bridge in the internet's namespace, one namespace per host, and one cable
//! to this machine. Nothing is routed or translated out of the machine.
//!
//! Every address of version 4 has one of version 6 beside it, unless this machine's kernel has no
//! IPv6.
use super::tool;
use anyhow::{Result, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The name of the internet's namespace and control group.
pub const INTERNET: &str = "inet";
/// This machine's end of the cable.
pub const CABLE: &str = "petasos0";
/// The internet's router, resolver and every server of it.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// This machine, as hosts see it.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// The bridge's network of version 6; the last 16 bits are those of the address of version 4.
const SUBNET6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0x100, 0, 0, 0, 0);

pub fn host_address(octet: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, octet)
}

/// The address of version 6 of a host, of the router and of this machine.
pub fn six(address: Ipv4Addr) -> Ipv6Addr {
    let [.., octet] = address.octets();
    Ipv6Addr::from(u128::from(SUBNET6) | u128::from(octet))
}

/// Whether this machine's kernel has IPv6.
pub fn has_six() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

/// Whether the internet that runs has IPv6: one that an older petasos started has not.
pub fn internet_has_six() -> bool {
    let ours = format!("{:032x}", u128::from(six(MACHINE)));
    std::fs::read_to_string("/proc/net/if_inet6").is_ok_and(|lines| lines.lines().any(|line| line.starts_with(&ours)))
}

/// Refuses to build where this machine has another use for the lab's addresses: its own traffic
/// would end in the lab.
pub async fn check_addresses(registries: &[String]) -> Result<()> {
    let subnet = format!("{MACHINE}/24");
    let routes = ip("-4 route show root 198.51.100.0/24").await?;
    if let Some(route) = routes.lines().find(|line| !line.contains(CABLE)) {
        bail!("this machine has a route of its own into the lab's {subnet}: `{route}`");
    }
    if has_six() {
        let routes = ip(&format!("-6 route show root {SUBNET6}/64")).await?;
        if let Some(route) = routes.lines().find(|line| !line.contains(CABLE)) {
            bail!("this machine has a route of its own into the lab's {SUBNET6}/64: `{route}`");
        }
    }
    for name in registries {
        // A name that does not resolve now is the relay's to report.
        let Ok(addresses) = tokio::net::lookup_host((name.as_str(), 443)).await else {
            continue;
        };
        let [a, b, c, _] = MACHINE.octets();
        for address in addresses {
            if matches!(address.ip(), IpAddr::V4(ip) if ip.octets().starts_with(&[a, b, c])) {
                bail!("this machine reaches `{name}` at {}, inside the lab's {subnet}", address.ip());
            }
        }
    }
    Ok(())
}

/// The hardware address of a lab address. A host that takes over an address must take over this
/// too, and the bridge must not change its own when a port leaves: neighbours would talk to the old
/// one for half a minute, until their entries expire.
pub fn hardware(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

pub fn namespace(name: &str) -> String {
    format!("petasos-{name}")
}

pub fn namespace_file(name: &str) -> PathBuf {
    Path::new("/run/netns").join(namespace(name))
}

async fn ip(line: &str) -> Result<String> {
    let argv: Vec<&str> = std::iter::once("ip").chain(line.split(' ')).collect();
    tool::run(&argv, tool::SHORT).await
}

/// Whether the bridge and the cable stand; the cable comes up as the very last step of building
/// them.
pub fn internet_stands() -> bool {
    let state = Path::new("/sys/class/net").join(CABLE).join("operstate");
    exists(INTERNET) && std::fs::read_to_string(state).is_ok_and(|state| state.trim() == "up")
}

/// The internet's namespace with the bridge, and the cable.
pub async fn build_internet() -> Result<()> {
    let ns = namespace(INTERNET);
    remove(INTERNET).await?;
    ip(&format!("netns add {ns}")).await?;
    ip(&format!("-n {ns} link set lo up")).await?;
    ip(&format!("-n {ns} link add br0 address {} type bridge forward_delay 0", hardware(ROUTER))).await?;
    ip(&format!("-n {ns} addr add {ROUTER}/24 dev br0")).await?;
    ip(&format!("-n {ns} link set br0 up")).await?;
    // Routing in here is what answers "unreachable" at once for every address that nobody has.
    let argv = ["ip", "netns", "exec", &ns, "sysctl", "-qw", "net.ipv4.ip_forward=1"];
    tool::run(&argv, tool::SHORT).await?;
    ip(&format!("link add {CABLE} address {} type veth peer name machine netns {ns}", hardware(MACHINE))).await?;
    ip(&format!("-n {ns} link set machine master br0 up")).await?;
    ip(&format!("addr add {MACHINE}/24 dev {CABLE}")).await?;
    give_six().await?;
    ip(&format!("link set {CABLE} up")).await.map(drop)
}

/// The router's and this machine's addresses of version 6, where the kernel has IPv6. Safe to
/// repeat.
pub async fn give_six() -> Result<()> {
    if !has_six() {
        return Ok(());
    }
    let ns = namespace(INTERNET);
    let forward = ["ip", "netns", "exec", &ns, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"];
    tool::run(&forward, tool::SHORT).await?;
    // A machine may have IPv6 switched off for its own interfaces.
    tool::holds(&["sysctl", "-qw", &format!("net.ipv6.conf.{CABLE}.disable_ipv6=0")]).await;
    // No address here is somebody else's: nothing waits for duplicates to be found.
    ip(&format!("-n {ns} addr replace {}/64 dev br0 nodad", six(ROUTER))).await?;
    ip(&format!("addr replace {}/64 dev {CABLE} nodad", six(MACHINE))).await.map(drop)
}

/// The addresses that the internet answers for, and those of this machine that relays listen on.
pub async fn give_addresses(internet: &[IpAddr], machine: &[IpAddr]) -> Result<()> {
    let ns = namespace(INTERNET);
    let fits = |address: &&IpAddr| address.is_ipv4() || has_six();
    for address in internet.iter().filter(fits) {
        ip(&format!("-n {ns} addr replace {} dev lo", alone(address))).await?;
    }
    for address in machine.iter().filter(fits) {
        ip(&format!("addr replace {} dev {CABLE}", alone(address))).await?;
    }
    Ok(())
}

/// An address without a network around it, that answers and is never chosen for calls of this
/// machine's own.
fn alone(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}/32"),
        IpAddr::V6(address) => format!("{address}/128 nodad preferred_lft 0"),
    }
}

/// A host's namespace; it outlives the host's reboots.
pub async fn build_host(name: &str) -> Result<()> {
    let ns = namespace(name);
    remove(name).await?;
    ip(&format!("netns add {ns}")).await?;
    ip(&format!("-n {ns} link set lo up")).await.map(drop)
}

/// Hangs a host's namespace on the bridge by a cable, and no more.
pub async fn hang(name: &str, address: Ipv4Addr, options: &str) -> Result<()> {
    let (ns, inet) = (namespace(name), namespace(INTERNET));
    let [.., octet] = address.octets();
    // The kernel takes a namespace apart some time after `netns del` has returned: the cable of
    // whoever had this address may still hang.
    tool::holds(&["ip", "-n", &inet, "link", "del", &format!("host{octet}")]).await;
    ip(&format!("-n {ns} link add eth0{options} type veth peer name host{octet} netns {inet}")).await?;
    ip(&format!("-n {inet} link set host{octet} master br0 up")).await?;
    ip(&format!("-n {ns} link set eth0 up")).await.map(drop)
}

/// Hangs a host's namespace on the bridge, with the host's addresses.
pub async fn attach(name: &str, address: Ipv4Addr, only_six: bool) -> Result<()> {
    let ns = namespace(name);
    hang(name, address, &format!(" address {}", hardware(address))).await?;
    if !only_six {
        ip(&format!("-n {ns} addr add {address}/24 dev eth0")).await?;
        ip(&format!("-n {ns} route add default via {ROUTER}")).await?;
    }
    if has_six() {
        ip(&format!("-n {ns} addr add {}/64 dev eth0 nodad", six(address))).await?;
        ip(&format!("-n {ns} route add default via {} dev eth0", six(ROUTER))).await?;
    }
    Ok(())
}

/// Pulls the bridge's end of a host's cable, or plugs it in again; the host keeps its address.
pub async fn plug(address: Ipv4Addr, plugged: bool) -> Result<()> {
    let (inet, [.., octet]) = (namespace(INTERNET), address.octets());
    let state = if plugged { "up" } else { "down" };
    ip(&format!("-n {inet} link set host{octet} {state}")).await.map(drop)
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
