//! The files that a host would get if it had none of them.

use super::{Job, RunError, Watch};
use crate::act::{Act, Put};
use crate::fact::Seen;
use crate::plan::Plan;

impl Job {
    /// Looks at the host, for what only it knows (root's keys, what it keeps), and fills in all
    /// files as for an empty one.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn render(&self, watch: &Watch) -> Result<Vec<Put>, RunError> {
        let mut facts = self.gather_facts(watch).await?;
        facts.paths.values_mut().for_each(|path| *path = Seen::Absent);
        let items = self.desired.resolve(&facts).map_err(|why| self.host_error(why))?;
        let acts = Plan::of(&items, &facts).steps.into_iter().flat_map(|step| step.change.acts);
        let put = |act: Act| match act {
            Act::Put(put) => Some(put),
            Act::Run { .. } | Act::Sh { .. } | Act::Remove(_) => None,
        };
        // Stamps say what a service has read; they are no part of what it should read.
        Ok(acts.filter_map(put).filter(|put| !put.path.as_str().starts_with("/var/lib/petasos/")).collect())
    }
}
