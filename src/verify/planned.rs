//! The controls of the checklist that this version does not set up. They are named, so that nobody
//! takes them for granted.

use super::report::ControlStatus;
use super::{Claims, Control, no_attacks};

const DO: &str = "What the agent may do";
const RELEASES: &str = "Releases";

pub const WEBHOOK_AUTH: Control = planned(
    "webhook.auth",
    DO,
    "Signed webhooks",
    "Every inbound webhook is signed.",
    Some("keep webhooks off; Slack works in socket mode, which needs no inbound port"),
);
pub const SUPPLY_NOTICE: Control = planned(
    "supply.notice",
    RELEASES,
    "Release notices",
    "New releases are noticed, with their notes.",
    Some("`petasos pin` resolves the release that you name; watch the project's releases page"),
);
pub const SUPPLY_PROMOTE: Control = planned(
    "supply.promote",
    RELEASES,
    "Staging first",
    "A release soaks on staging before it reaches production.",
    Some(
        "`petasos up staging` first, production a day later; a release that does not become healthy is rolled back by itself",
    ),
);

/// `how` is what can be done meanwhile.
const fn planned(
    id: &'static str,
    group: &'static str,
    title: &'static str,
    claim: &'static str,
    how: Option<&'static str>,
) -> Control {
    Control { id, group, title, claim, attacks: no_attacks, inspections: |_, _| Vec::new(), short, limits: "", how }
}

fn short(_: &Claims) -> Option<(ControlStatus, String)> {
    Some((ControlStatus::Planned, "not yet: this version does not set it up".to_owned()))
}
