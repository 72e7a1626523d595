//! An nft table: as the kernel has it, and as the kernel prints what its file would make, loaded
//! into an empty network namespace.
//!
//! Both texts come from the same `nft`, so that they can be compared; counters' values are left
//! out, and what packets put into a set.

use super::{Facts, Family, Query, Seen, sections};
use crate::fault::Fault;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NftTable {
    /// What is in force.
    pub live: Vec<String>,
    /// What the file would put in force; none when there is no such file, or it does not load.
    pub wanted: Option<Vec<String>>,
}

pub const FAMILY: Family = Family { name: "table", fragment, parse };

// unshare(1) makes the namespace, which is gone with the process; nothing outside of it is touched.
const FRAGMENT: &str = include_str!("../../remote/fact/table.sh");

fn tables(queries: &BTreeSet<Query>) -> impl Iterator<Item = (&String, String)> {
    queries.iter().filter_map(|query| match query {
        Query::Table { table, file } => Some((table, file.to_string())),
        _ => None,
    })
}

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = tables(queries)
        .flat_map(|(table, file)| {
            let (family, name) = table.split_once(' ').unwrap_or(("inet", table));
            [family.to_owned(), name.to_owned(), file]
        })
        .collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

/// All but empty lines, and the elements of sets that packets fill.
fn lasting(lines: &[&str]) -> Vec<String> {
    let (mut dynamic, mut within) = (false, false);
    let mut kept = Vec::new();
    for line in lines {
        let text = line.trim();
        if text.ends_with('{') && !text.starts_with("elements") {
            dynamic = false;
        }
        dynamic |= text.strip_prefix("flags ").is_some_and(|flags| flags.split(',').any(|flag| flag == "dynamic"));
        within |= dynamic && text.starts_with("elements = {");
        if !within && !text.is_empty() {
            kept.push(line.trim_end().to_owned());
        }
        within &= !text.ends_with('}');
    }
    kept
}

fn parse(queries: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    let text = frame.text();
    let sections = sections(&text);
    let lines = |name: String| sections.get(name.as_str()).map(|lines| lasting(lines));
    for (table, _) in tables(queries) {
        let seen = match frame.rc {
            0 => {
                let live =
                    lines(format!("live {table}")).ok_or_else(|| Fault::new(format!("nothing about `{table}`")))?;
                Seen::Is(NftTable { live, wanted: lines(format!("wanted {table}")) })
            }
            3 => Seen::Absent,
            _ => Seen::Unreadable(frame.error_text()),
        };
        facts.tables.insert(table.clone(), seen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_packets_put_into_a_set_is_no_rule() {
        let text = "table inet t {\n\tset a {\n\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t\telements = { 1.2.3.4 timeout 10s expires 9s,\n\t\t\t     5.6.7.8 timeout 10s }\n\t}\n\n\tset b {\n\t\tflags interval\n\t\telements = { 10.0.0.0/8 }\n\t}\n}";
        let lines: Vec<&str> = text.lines().collect();
        let kept = lasting(&lines);
        assert!(kept.iter().any(|line| line.contains("10.0.0.0/8")), "{kept:?}");
        assert!(!kept.iter().any(|line| line.contains(".4") || line.contains("5.6.7.8")), "{kept:?}");
        assert_eq!(kept.len(), 10, "{kept:?}");
    }
}
