//! The cable of a virtual machine: its namespace has a bridge between the cable that a container
//! would have and the machine's own end.
use super::super::net;
use super::super::tool;
use anyhow::Result;
use std::net::Ipv4Addr;

/// The machine's end.
pub const TAP: &str = "tap0";

/// Hangs the namespace on the lab's bridge; its own bridge is made if it is not there. The card has
/// the address of hardware, and so the cable must not have it.
pub async fn attach(name: &str, address: Ipv4Addr) -> Result<()> {
    let ns = net::namespace(name);
    net::hang(name, address, "").await?;
    let ip = async |line: &str| {
        let argv: Vec<&str> = ["ip", "-n", &ns].into_iter().chain(line.split(' ')).collect();
        tool::run(&argv, tool::SHORT).await
    };
    if ip("link show dev br0").await.is_err() {
        // Nobody in here has an address: what passes is the machine's.
        tool::holds(&["ip", "netns", "exec", &ns, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]).await;
        ip("link add br0 type bridge forward_delay 0 mcast_snooping 0").await?;
        ip(&format!("tuntap add dev {TAP} mode tap")).await?;
        ip(&format!("link set {TAP} master br0 up")).await?;
        ip("link set br0 up").await?;
    }
    ip("link set eth0 master br0 up").await.map(drop)
}
