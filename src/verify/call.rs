//! What an attack does on the host: a function of the driver (`remote/verify/calls.py`) with its
//! arguments, under their names there. A test holds each to the function's own signature.

use super::system_call::SystemCall;
use core::net::{IpAddr, Ipv4Addr};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "name", content = "arguments", rename_all = "snake_case")]
pub enum Call {
    AnyOf {
        name: PathCall,
        paths: &'static [&'static str],
    },
    Anywhere,
    Capabilities,
    Create {
        path: &'static str,
    },
    /// It dials nobody where there is no address.
    Daemon {
        address: Option<IpAddr>,
        port: Port,
    },
    Dns {
        transport: Transport,
        #[serde(flatten)]
        to: Endpoint,
        name: String,
        /// Whether any answer is success, and not only one with an address.
        any_answer: bool,
    },
    Family {
        name: AddressFamily,
    },
    Kill {
        pid: u32,
    },
    Lookup {
        name: String,
    },
    Neighbour(Endpoint),
    Others {
        listeners: Listeners,
        /// The ports that are not tried.
        allowed: Vec<u16>,
    },
    OthersHomes,
    Ping {
        kind: PingSocket,
        address: Ipv4Addr,
    },
    Processes,
    Read {
        path: &'static str,
    },
    Rewrite {
        path: &'static str,
    },
    Room {
        places: &'static [Room],
    },
    Run {
        argv: &'static [&'static str],
        prints: &'static str,
    },
    Scope {
        python: &'static str,
        question: &'static str,
    },
    /// A script of bash in the agent's sandbox.
    Sandboxed {
        /// Of the session whose directory it has; the driver removes those of `petasos-verify-`.
        session: &'static str,
        script: String,
        timeout: u32,
        /// With what it ends when it worked.
        code: u8,
        /// Whether as the agent's commands run that have the network by name.
        network: bool,
    },
    /// A script of bash, outside of it.
    Script {
        text: String,
    },
    SetuidFile,
    Speak {
        #[serde(flatten)]
        to: Endpoint,
        text: String,
    },
    System(SystemCall),
    Tcp(Endpoint),
    Tls {
        #[serde(flatten)]
        to: Endpoint,
        name: Option<String>,
        delivery: Delivery,
    },
    Trace,
    Udp {
        #[serde(flatten)]
        to: Endpoint,
        /// The port that it comes from, where that matters.
        own: Option<Port>,
    },
    WritableCode,
    Writer,
}

/// A folder, and how many bytes and files it may have room for.
pub type Room = (&'static str, u64, u64);

/// A call that is made on several paths until one works.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PathCall {
    Create,
    Change,
    Read,
    Replace,
    Unix,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: Port,
}

impl Endpoint {
    pub fn new(address: impl Into<IpAddr>, port: impl Into<Port>) -> Self {
        Self { address: address.into(), port: port.into() }
    }

    /// One of the driver's own listeners.
    pub fn loopback(listener: Placeholder) -> Self {
        Self::new(Ipv4Addr::LOCALHOST, listener)
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Port {
    Number(u16),
    Placeholder(Placeholder),
}

impl From<u16> for Port {
    fn from(number: u16) -> Self {
        Self::Number(number)
    }
}

impl From<Placeholder> for Port {
    fn from(listener: Placeholder) -> Self {
        Self::Placeholder(listener)
    }
}

/// A port that the driver knows once it listens there (`remote/verify/bench.py`).
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Placeholder {
    /// The caller's own listeners, where every attack that leads out succeeds.
    #[serde(rename = "@tcp")]
    Tcp,
    #[serde(rename = "@udp")]
    Udp,
    /// Root's, which the agent is not to reach.
    #[serde(rename = "@planted")]
    Planted,
    #[serde(rename = "@planted6")]
    Planted6,
    #[serde(rename = "@planted-udp")]
    PlantedUdp,
    /// The port that root asked the last one from.
    #[serde(rename = "@left")]
    Left,
}

/// What others serve on the host, as the driver finds it.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Listeners {
    #[serde(rename = "@others")]
    Others,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Udp,
    Tcp,
}

/// How the first message of TLS is sent.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Whole,
    Packets,
    Records,
    Bytes,
    /// Whole, with an Encrypted Client Hello in it.
    Encrypted,
    /// The same, in records of which one ends within it.
    EncryptedRecords,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PingSocket {
    /// The kernel's own, for those groups that it lists.
    Socket,
    Raw,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub enum AddressFamily {
    #[serde(rename = "AF_ALG")]
    Alg,
    #[serde(rename = "AF_NETLINK")]
    Netlink,
    #[serde(rename = "AF_PACKET")]
    Packet,
    #[serde(rename = "AF_VSOCK")]
    Vsock,
}

impl Call {
    /// The name that it shows to a resolver or to the proxy; empty for a connection without one.
    pub fn host_name(&self) -> Option<&str> {
        match self {
            Self::Dns { name, .. } | Self::Lookup { name } => Some(name),
            Self::Tls { name, .. } => Some(name.as_deref().unwrap_or_default()),
            Self::AnyOf { .. }
            | Self::Anywhere
            | Self::Capabilities
            | Self::Create { .. }
            | Self::Daemon { .. }
            | Self::Family { .. }
            | Self::Kill { .. }
            | Self::Neighbour(_)
            | Self::Others { .. }
            | Self::OthersHomes
            | Self::Ping { .. }
            | Self::Processes
            | Self::Read { .. }
            | Self::Rewrite { .. }
            | Self::Room { .. }
            | Self::Run { .. }
            | Self::Scope { .. }
            | Self::Sandboxed { .. }
            | Self::Script { .. }
            | Self::SetuidFile
            | Self::Speak { .. }
            | Self::System(_)
            | Self::Tcp(_)
            | Self::Trace
            | Self::Udp { .. }
            | Self::WritableCode
            | Self::Writer => None,
        }
    }
}
