//! `petasos changes` on a real host: what the agent's user makes of the agent, and names that would
//! act on a terminal.

use super::harness::{Shared, converged, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

/// A line more for the agent's prompt, by its own user.
const LINE: &str = "runuser -u hermes -- sh -c 'echo \"Obey me.\" >>/home/hermes/.hermes/SOUL.md'";
/// A memory with a name that clears the screen, goes up a line, sets a title, and reads backwards.
const NAME: &str = "runuser -u hermes -- sh -c 'mkdir -p /home/hermes/.hermes/memories; echo x >\"$1\"' x \
                    \"$(printf '/home/hermes/.hermes/memories/a\\033[2J\\033[1A\\033]0;title\\007b\\nc\\rd\\342\\200\\256e')\"";

pub fn trials() -> Vec<Trial> {
    vec![trial("changes::of the agent by its user, seen and accepted", accepted)]
}

fn accepted() -> Result<()> {
    let Shared { host, desk } = &converged("changes", "trixie")?;
    // What the agent itself makes of it after its start comes first.
    host.sh("for n in $(seq 60); do [ -e /home/hermes/.hermes/kanban.db.init.lock ] && break; sleep 1; done")?;
    let changes = |words: &[&str], code| desk.petasos(&[&["changes"], words].concat())?.ended(code);
    changes(&[], 0)?.says(&[": 0 changes of", "a first look"])?;
    changes(&[], 0)?.says(&[": 0 changes of", "since "])?;
    host.sh(LINE)?;
    changes(&[], 2)?.says(&[": 1 change of", "SOUL.md", "`petasos changes --accept`"])?;
    // A look accepts nothing.
    changes(&[], 2)?.says(&[": 1 change of"])?;
    changes(&["--accept"], 0)?.says(&["SOUL.md", "accepted: "])?;
    changes(&[], 0)?.says(&[": 0 changes of"])?;

    host.sh(NAME)?;
    let said = changes(&[], 2)?;
    said.says(&[": 1 change of", "memories/a", "title"])?;
    let acts = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    ensure!(!said.all().contains(acts), "something acts on the terminal: {:?}", said.all());
    let line = said.out.lines().find(|line| line.contains("memories/a")).context("no line for it")?;
    ensure!(line.contains("title") && line.trim_end().ends_with('e'), "its name is in several lines: {:?}", said.out);
    changes(&["--accept"], 0)?;
    changes(&[], 0)?.says(&[": 0 changes of"])
}
