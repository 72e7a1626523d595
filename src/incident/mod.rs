//! A bad day, as far as it is known beforehand: where a host keeps an incident, and which
//! credentials have to be made anew before it is over. Pure.

mod credentials;

pub use credentials::{Answers, Credential, Rotated, State, credentials};

/// Where a host keeps what belongs to incidents, for root alone.
pub const FOLDER: &str = "/var/lib/petasos/incident";
/// While it is there, an incident is open.
pub const MARKER: &str = "/var/lib/petasos/incident/open";
/// What stands only then.
pub const QUARANTINE: &str = "petasos-quarantine.service";
