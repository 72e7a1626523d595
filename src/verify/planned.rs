//! The controls of the checklist that this version does not set up. They are named, so that nobody
//! takes them for granted.

use super::report::ControlStatus;
use super::{Claims, Control, no_attacks};

/// Id, group, title, claim, and what can be done meanwhile.
type PlannedRow = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const DO: &str = "What the agent may do";
const KEPT: &str = "Backups and incidents";
const SEEN: &str = "What is recorded";
const RELEASES: &str = "Releases";

const ROWS: [PlannedRow; 12] = [
    (
        "sandbox.exec",
        DO,
        "Tools in a sandbox",
        "Tools run in a throw-away container without a network, with limits.",
        Some("commands run inside the agent's own unit, behind the same walls as the agent"),
    ),
    (
        "webhook.auth",
        DO,
        "Signed webhooks",
        "Every inbound webhook is signed.",
        Some("keep webhooks off; Slack works in socket mode, where nothing comes in"),
    ),
    ("multi.rate", DO, "Rate limits", "A user gets a limited number of answers an hour.", None),
    ("multi.injection", DO, "Injection filter", "Messages are scanned for planted instructions.", None),
    (
        "audit.log",
        SEEN,
        "Audit log",
        "Every tool call, approval and denial is a line of a log that the agent cannot rewrite.",
        Some("the journal has what the agent prints: `journalctl -u hermes`"),
    ),
    ("audit.denials", SEEN, "Denials", "Repeated denials are grouped and proposed as rules.", None),
    (
        "supply.notice",
        RELEASES,
        "Release notices",
        "New releases are noticed, with their notes.",
        Some("`petasos pin` resolves the release that you name; watch the project's releases page"),
    ),
    (
        "supply.promote",
        RELEASES,
        "Staging first",
        "A release soaks on staging before it reaches production.",
        Some("`petasos up staging` first, production a day later; a release that is not well is taken back by itself"),
    ),
    (
        "backup.nightly",
        KEPT,
        "Nightly backup",
        "Encrypted, off the host, every night.",
        Some("keep /home/hermes/.hermes and /etc/hermes/.env by means of your own"),
    ),
    ("backup.drill", KEPT, "Restore drill", "A restore is tested every quarter.", None),
    ("backup.retention", KEPT, "Retention", "How long backups are kept is written where a colleague finds it.", None),
    (
        "incident.ready",
        KEPT,
        "Incident commands",
        "One command stops, isolates and keeps the evidence.",
        Some("`systemctl stop hermes` stops the agent; rotate the keys at their providers"),
    ),
];

pub fn controls() -> Vec<Control> {
    let control = |(id, group, title, claim, how): PlannedRow| Control {
        id,
        group,
        title,
        claim,
        attacks: no_attacks,
        inspections: |_, _| Vec::new(),
        short,
        limits: "",
        how,
    };
    ROWS.into_iter().map(control).collect()
}

fn short(_: &Claims) -> Option<(ControlStatus, String)> {
    Some((ControlStatus::Planned, "not yet: this version does not set it up".to_owned()))
}
