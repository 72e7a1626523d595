//! The machine itself: distribution, architecture, what runs as PID 1.

use super::{Ask, Facts, Family};
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// `ID` of os-release(5): `debian`, `ubuntu`.
    pub distribution: String,
    /// `VERSION_ID`: `13`, `24.04`.
    pub version: String,
    /// `VERSION_CODENAME`: `trixie`, `noble`.
    pub codename: String,
    pub architecture: String,
    pub kernel: String,
    pub hostname: String,
    /// Whether it is a container, whose kernel belongs to somebody else.
    pub container: bool,
    /// The name of PID 1.
    pub init: String,
    /// Seconds since the epoch, by the host's clock.
    pub time: u64,
}

pub const FAMILY: Family = Family { name: "host", fragment: |_| Some((FRAGMENT, Vec::new())), learn };

const FRAGMENT: &str = r#"
sed -n -E 's/^(ID|VERSION_ID|VERSION_CODENAME)=/\1=/p' /etc/os-release
uname -m -r -n | { read -r node kernel machine; printf 'hostname=%s\nkernel=%s\narchitecture=%s\n' "$node" "$kernel" "$machine"; }
read -r init </proc/1/comm
container=no
[ -e /run/systemd/container ] && container=yes
printf 'init=%s\ncontainer=%s\ntime=%s\n' "$init" "$container" "$(date +%s)"
"#;

fn learn(_: &BTreeSet<Ask>, frame: &Frame, facts: &mut Facts) -> Result<(), String> {
    let text = frame.text();
    let pairs: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let get = |key| pairs.get(key).map(|value| value.trim_matches('"').to_owned());
    let need = |key| get(key).ok_or_else(|| format!("no `{key}` in it"));
    facts.host = Some(Host {
        distribution: get("ID").unwrap_or_default(),
        version: get("VERSION_ID").unwrap_or_default(),
        codename: get("VERSION_CODENAME").unwrap_or_default(),
        architecture: need("architecture")?,
        kernel: need("kernel")?,
        hostname: need("hostname")?,
        container: need("container")? == "yes",
        init: need("init")?,
        time: need("time")?.parse().map_err(|_| "`time` is no number".to_owned())?,
    });
    Ok(())
}
