//! Whether a service that runs is also the one that answers where its health is asked.

use crate::fact::{Facts, Seen, seen};
use crate::fault::Fault;
use crate::name::UnitName;

/// The port of an address such as `http://127.0.0.1:80/health`.
pub fn port(url: &str) -> u16 {
    let authority = url.split("://").last().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(80)
}

/// Why a service does not answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It may have started just now.
    Nobody(u16),
    /// The control group of who listens there instead.
    Taken(u16, String),
}

/// Why it does not answer; none when a process of the unit's listens there, and nobody else.
///
/// # Errors
/// When it cannot be known who listens.
pub fn trouble(unit: &UnitName, url: &str, facts: &Facts) -> Result<Option<Trouble>, Fault> {
    let port = port(url);
    let groups = match seen(&facts.listeners, &port)? {
        Seen::Is(groups) => groups,
        Seen::Absent | Seen::Unreadable(_) => return Ok(Some(Trouble::Nobody(port))),
    };
    let other = groups.iter().find(|group| group.split('/').all(|part| part != unit.as_str()));
    Ok(other.map(|group| Trouble::Taken(port, group.clone())))
}
