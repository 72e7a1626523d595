//! backup.retention: how long backups are kept is written where a colleague finds it.

use super::attack::inspection;
use super::backup_nightly;
use super::evidence::Evidence;
use super::report::Check;
use super::{Claims, Control, no_attacks};
use crate::config::settings::Role;

pub const CONTROL: Control = Control {
    id: "backup.retention",
    group: "Backups and incidents",
    title: "Retention",
    claim: "How long backups are kept stands on the host and on the vault, where a colleague finds it, as petasos.yaml has it.",
    attacks: no_attacks,
    inspections,
    short: backup_nightly::undeclared,
    limits: "nothing is forgotten until an operator runs `petasos backup forget`",
    how: Some("`backup.keep` in petasos.yaml, then `petasos up`"),
};

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    let notice = || evidence.inspected().notice.found();
    let judged = |wanted: String| {
        let found = notice().map(|text| match text {
            Some(text) => (text.contains(&wanted), wanted.clone()),
            None => (false, "there is no notice".to_owned()),
        });
        vec![inspection("retention.notice", "the notice on the host says what is kept", found)]
    };
    match (claims.role, &claims.vault) {
        (Role::Vault, _) => judged("How long the backups on this vault are kept".to_owned()),
        (Role::Agent, Some(vault)) => {
            let keep = vault.keep;
            judged(format!("{} days, {} weeks and {} months", keep.daily, keep.weekly, keep.monthly))
        }
        (Role::Agent, None) => Vec::new(),
    }
}
