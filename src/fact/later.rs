//! Drop-ins that are read after one of ours, and may take back what it says: of sysctl.d(5), and of
//! the settings of systemd's own daemons (`/etc/systemd/journald.conf.d` and the like).

use super::{Facts, Family, Query, sections};
use crate::fault::Fault;
use crate::name::AbsPath;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A line of such a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub file: AbsPath,
    /// Counted from 1.
    pub number: u32,
    pub text: String,
}

pub const FAMILY: Family = Family { name: "later", fragment, parse };

const FRAGMENT: &str = include_str!("../../remote/fact/later.sh");

fn paths(queries: &BTreeSet<Query>) -> impl Iterator<Item = &AbsPath> {
    queries.iter().filter_map(|query| match query {
        Query::Later(path) => Some(path),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = paths(queries).map(ToString::to_string).collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    let sections = sections(&text);
    for path in paths(queries) {
        let lines =
            sections.get(path.as_str()).ok_or_else(|| Fault::new(format!("nothing about what follows `{path}`")))?;
        let lines: Result<Vec<Line>, Fault> = lines.iter().map(|text| line(text)).collect();
        facts.later.insert(path.clone(), lines?);
    }
    Ok(())
}

/// `FILE:NUMBER:TEXT`.
fn line(text: &str) -> Result<Line, Fault> {
    let unexpected = || Fault::new(format!("unexpected line `{text}`"));
    let mut parts = text.splitn(3, ':');
    let (Some(file), Some(number), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unexpected());
    };
    Ok(Line { file: AbsPath::new(file)?, number: number.parse().map_err(|_| unexpected())?, text: text.to_owned() })
}
