//! Why a login is refused: root is still in, so the host itself is asked.

use super::Session;
use crate::act::Act;
use crate::fault::Fault;
use crate::name::Account;
use std::time::Duration;

const ASK: &str = include_str!("../../remote/run/refusal.sh");

/// How long the host may take to say it; a rollback may be waiting.
const SOON: Duration = Duration::from_secs(5);

impl Session<'_> {
    /// The same fault with what the host says of the user's last login and of its sudo, as far as
    /// the connection from before still works.
    pub(super) async fn with_reason(&self, user: &Account, fault: Fault) -> Fault {
        let act = Act::sh("why a login is refused", ASK, [user.to_string()]);
        let asked = tokio::time::timeout(SOON, self.connection.ask("refusal", &act)).await;
        let said = asked.ok().and_then(Result::ok).map(|frame| frame.text().trim().to_owned()).unwrap_or_default();
        if said.is_empty() {
            return fault;
        }
        let lines: String = said.lines().take(6).map(|line| format!("\n    {}", line.trim())).collect();
        Fault {
            message: format!("{}\n  the host says:{lines}", fault.message),
            hint: Some("correct on the host what refuses it, then run the same command again".to_owned()),
        }
    }
}
