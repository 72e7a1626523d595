//! Hosts that are handed over as Ubuntu's cloud images are, made of Debian's packages: cloud-init
//! with its user, sources in the new form, systemd's own resolver, and what a release has beside.
//! Where this machine's apt mirror is Ubuntu's, a suite of its own is the real thing.
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A release of Ubuntu's that a host is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Like {
    #[serde(rename = "ubuntu22.04")]
    Jammy,
    #[serde(rename = "ubuntu24.04")]
    Noble,
    #[serde(rename = "ubuntu26.04")]
    Resolute,
}

/// The user that cloud-init makes on such hosts; root's own key opens nothing but a hint.
pub const USER: &str = "ubuntu";

/// What all of Ubuntu's cloud images have beside those of other providers.
const PACKAGES: [&str; 5] = ["cloud-init", "needrestart", "systemd-resolved", "ufw", "unattended-upgrades"];

impl Like {
    pub const ALL: [Self; 3] = [Self::Jammy, Self::Noble, Self::Resolute];

    pub fn name(self) -> &'static str {
        match self {
            Self::Jammy => "ubuntu22.04",
            Self::Noble => "ubuntu24.04",
            Self::Resolute => "ubuntu26.04",
        }
    }

    pub fn version(self) -> &'static str {
        self.name().trim_start_matches("ubuntu")
    }

    pub fn codename(self) -> &'static str {
        match self {
            Self::Jammy => "jammy",
            Self::Noble => "noble",
            Self::Resolute => "resolute",
        }
    }

    /// The suite of Debian's whose packages are the nearest.
    pub fn suite(self) -> &'static str {
        match self {
            Self::Jammy => "bookworm",
            Self::Noble => "trixie",
            Self::Resolute => "forky",
        }
    }

    pub fn packages(self) -> Vec<&'static str> {
        let more: &[&str] = match self {
            Self::Jammy | Self::Noble => &[],
            Self::Resolute => &["chrony", "rust-coreutils", "sudo-rs"],
        };
        PACKAGES.iter().chain(more).copied().collect()
    }

    /// The Python that it has, where the suite's is another.
    pub fn python(self) -> Option<&'static str> {
        match self {
            Self::Jammy => Some("3.10"),
            Self::Noble | Self::Resolute => None,
        }
    }

    /// A suite of Debian's that has nginx as old as the release's (1.18).
    pub fn nginx(self) -> Option<&'static str> {
        match self {
            Self::Jammy => Some("bullseye"),
            Self::Noble | Self::Resolute => None,
        }
    }

    /// Whether systemd listens for SSH.
    pub fn ssh_socket(self) -> bool {
        self == Self::Noble
    }

    /// What the provider tells cloud-init about one host: who may log in.
    pub fn seed(self, name: &str, key: &str) -> [(&'static str, String); 2] {
        let user = format!(
            "#cloud-config\nhostname: {name}\nmanage_etc_hosts: false\nssh_deletekeys: false\nssh_pwauth: true\nssh_authorized_keys: [{key:?}]\n"
        );
        [("meta-data", format!("instance-id: i-{name}\nlocal-hostname: {name}\n")), ("user-data", user)]
    }
}

impl FromStr for Like {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|like| like.name() == text)
            .ok_or_else(|| Fault::new(format!("the lab has no host like `{text}`")).hint(format!("one of {}", known())))
    }
}
